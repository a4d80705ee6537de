import { describe, expect, it, onTestFinished } from 'vitest';

import { KafkaClient } from '../../../src/adapters/kafka/protocol/client.ts';
import { firstSuccess } from '../../../src/adapters/kafka/protocol/race.ts';
import { closedPort } from '../../support/closed-port.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { silentServer } from '../../support/silent-server.ts';

const { start } = embeddedBroker();

function clientOf(brokers: readonly string[], connectTimeoutMs?: number): KafkaClient {
  const client = new KafkaClient({
    brokers,
    clientId: 'c',
    tls: null,
    sasl: null,
    ...(connectTimeoutMs === undefined ? {} : { connectTimeoutMs }),
  });
  onTestFinished(() => client.close());
  return client;
}

async function secondsOf(action: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await action();
  return (performance.now() - startedAt) / 1000;
}

describe('addresses', () => {
  it('goes on with the next where the first takes the connection and says nothing', async () => {
    const { address } = await start();
    for (const brokers of [
      [await silentServer(), address],
      [await silentServer(), await silentServer(), address],
    ]) {
      const client = clientOf(brokers);
      // The limit of one attempt is 3 s: so it was not waited for.
      expect(await secondsOf(() => client.metadata([]))).toBeLessThan(2);
    }
  });

  it('does not wait for a node that was there and has stopped answering', async () => {
    const { address } = await start();
    const silent = await silentServer();
    const client = clientOf([address, silent]);
    const known = await client.metadata([]);
    expect(known.brokers).toHaveLength(1);
    // Each question begins with another node.
    for (let round = 0; round < 4; round += 1) {
      expect(await secondsOf(() => client.metadata([]))).toBeLessThan(2);
    }
  });

  it('gives up within 2 s where all refuse', async () => {
    const brokers = [`127.0.0.1:${await closedPort()}`, `127.0.0.1:${await closedPort()}`];
    const client = clientOf(brokers);
    const seconds = await secondsOf(() =>
      expect(client.retry({ doing: 'connect' }, () => client.metadata([]))).rejects.toMatchObject({
        code: 'broker_unreachable',
        message: expect.stringContaining(brokers[1] ?? '') as unknown,
      }),
    );
    expect(seconds).toBeLessThan(2);
    expect(seconds).toBeGreaterThan(0.5);
  });

  it('gives up in time where all take the connection and none answers', async () => {
    const client = clientOf([await silentServer(), await silentServer(), await silentServer()], 1_000);
    const seconds = await secondsOf(() =>
      expect(client.retry({ doing: 'connect' }, () => client.metadata([]))).rejects.toMatchObject({
        code: 'broker_unreachable',
      }),
    );
    expect(seconds).toBeLessThan(2.5);
  });

  it('waits as long for one that is silent although the others refuse', async () => {
    const client = clientOf([`127.0.0.1:${await closedPort()}`, await silentServer()], 2_500);
    const seconds = await secondsOf(() =>
      expect(client.retry({ doing: 'connect' }, () => client.metadata([]))).rejects.toThrow(),
    );
    expect(seconds).toBeGreaterThan(2);
  });

  it('does not give up on a broker that was there a moment ago', async () => {
    const broker = await start();
    const client = clientOf([broker.address], 1_000);
    await client.metadata([]);
    await broker.stop();
    const seconds = await secondsOf(() =>
      expect(client.retry({ doing: 'ask', timeoutMs: 2_500 }, () => client.metadata([]))).rejects.toThrow(),
    );
    expect(seconds).toBeGreaterThan(1.3);
  });
});

describe('firstSuccess', () => {
  const refused = Object.assign(new Error('refused'), {
    name: 'KafkaJSConnectionError',
    code: 'ECONNREFUSED',
  });
  const silence = Object.assign(new Error('silence'), { name: 'KafkaJSRequestTimeoutError' });
  const answer = new Error('no');
  const failing = (error: Error) => () => Promise.reject(error);

  it('begins the next attempt when one fails, and none after the first success', async () => {
    let begun = 0;
    const attempts = [
      failing(refused),
      failing(silence),
      () => Promise.resolve('here'),
      () => Promise.resolve((begun += 1)),
    ];
    expect(await firstSuccess<unknown>(attempts, 10_000)).toBe('here');
    expect(begun).toBe(0);
  });

  it('takes the first answer though an earlier attempt is still under way', async () => {
    const never = () => new Promise<string>(() => undefined);
    expect(await firstSuccess([never, never, () => Promise.resolve('third')], 5)).toBe('third');
  });

  it.each([
    ['an answer', [refused, answer, silence], answer],
    ['silence', [refused, silence, refused], silence],
    ['a refused connection', [refused, refused], refused],
  ])('tells of %s when all fail', async (_, errors, reported) => {
    await expect(firstSuccess(errors.map(failing), 10_000)).rejects.toBe(reported);
  });
});
