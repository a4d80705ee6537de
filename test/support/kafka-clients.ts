import { afterAll, beforeAll } from 'vitest';
import type { Broker, BrokerAdmin, Producer } from '../../src/ports/broker.ts';

/** An admin and a producer for all tests of a suite, opened before the first and closed after the last. */
export function openClients(broker: () => Broker): {
  readonly admin: BrokerAdmin;
  readonly producer: Producer;
} {
  let opened: { admin: BrokerAdmin; producer: Producer } | undefined;
  const now = (): { admin: BrokerAdmin; producer: Producer } => {
    if (opened === undefined) throw new Error('the clients are open while tests run only');
    return opened;
  };
  beforeAll(async () => {
    opened = { admin: await broker().admin(), producer: await broker().producer() };
  });
  afterAll(async () => {
    await opened?.producer[Symbol.asyncDispose]();
    await opened?.admin[Symbol.asyncDispose]();
  });
  return {
    get admin() {
      return now().admin;
    },
    get producer() {
      return now().producer;
    },
  };
}
