import { expect, test } from 'vitest';
import { createKafkaBroker } from '../../../src/adapters/kafka/kafka-broker.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { waitFor } from '../../support/wait.ts';

const { start } = embeddedBroker();

test('an offset is committed only when the handler has resolved, which is when the batch is stored', async () => {
  const { address } = await start();
  const broker = createKafkaBroker({
    brokers: [address],
    clientId: 'delivery',
    tls: null,
    sasl: null,
    onLog: () => undefined,
  });
  await using admin = await broker.admin();
  await admin.createTopic('orders', { partitions: 1 });
  await using producer = await broker.producer();
  await producer.send('orders', [{ key: 'a', value: Buffer.from('1') }]);
  const committed = async (): Promise<number | null> =>
    (await admin.committed('group', 'orders')).find(({ partition }) => partition === 0)?.offset ?? null;

  const stop = new AbortController();
  const seen: (number | null)[] = [];
  await using consumer = await broker.consumer();
  await consumer.run(
    {
      topics: ['orders'],
      group: 'group',
      storeId: 'store',
      mode: 'exclusive',
      clientId: 'delivery',
      metadata: 'mark',
      positions: () => [],
      onEvent: () => undefined,
      stallTimeoutMs: null,
      signal: stop.signal,
    },
    async (batch) => {
      // Commits go one after the other: one that was begun too early is answered before these are.
      for (let round = 0; round < 20; round++) seen.push(await committed());
      stop.abort();
      return batch.next;
    },
  );
  expect(seen).toEqual(seen.map(() => null));
  await waitFor('the committed offset', committed, (offset) => offset === 1);
});
