import { afterEach } from 'vitest';

import { startDevBroker, type DevBroker, type DevBrokerOptions } from '../../src/dev-broker/dev-broker.ts';
import { RawClient } from './raw-client.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Brokers in this process and connections to them, closed at the end of the test. */
export function embeddedBroker() {
  const folder = temporaryFolder();
  const brokers: DevBroker[] = [];
  const clients: RawClient[] = [];
  afterEach(async () => {
    for (const client of clients.splice(0)) client.end();
    for (const broker of brokers.splice(0)) await broker.stop();
  });
  return {
    folder,
    start: async (options: Partial<DevBrokerOptions> = {}): Promise<DevBroker> => {
      const broker = await startDevBroker({ port: 0, dataDir: folder(), ...options });
      brokers.push(broker);
      return broker;
    },
    connect: async (broker: DevBroker): Promise<RawClient> => {
      const client = await RawClient.connect(broker.port);
      clients.push(client);
      return client;
    },
  };
}
