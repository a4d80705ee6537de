import { expect, test } from 'vitest';
import { createKafkaBroker } from '../../../src/adapters/kafka/kafka-broker.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { waitFor } from '../../support/wait.ts';

const { start } = embeddedBroker();

const MIB = 1024 * 1024;

test('while a batch is worked on, what comes next is fetched, up to a bound of memory', async () => {
  const { address } = await start();
  let fetchedBytes = 0;
  const broker = createKafkaBroker({
    brokers: [address],
    clientId: 'ahead',
    tls: null,
    sasl: null,
    onLog: (_level, message, { size }) => {
      if (message.includes('Response Fetch') && typeof size === 'number') fetchedBytes += size;
    },
  });
  await using admin = await broker.admin();
  await admin.createTopic('orders', { partitions: 40 });
  await using producer = await broker.producer();
  const value = Buffer.alloc(900_000, 'x');
  for (let partition = 0; partition < 40; partition++) {
    await producer.send('orders', [{ key: `order-${partition}`, value }]);
  }
  const stop = new AbortController();
  await using consumer = await broker.consumer();
  let isFirst = true;
  await consumer.run(
    {
      topics: ['orders'],
      group: 'group',
      storeId: 'store',
      clientId: 'ahead',
      metadata: 'mark',
      positions: () => [],
      onEvent: () => undefined,
      stallTimeoutMs: null,
      signal: stop.signal,
    },
    async (batch) => {
      if (!isFirst) return batch.next;
      isFirst = false;
      await waitFor(
        'more than one answer',
        async () => fetchedBytes,
        (bytes) => bytes > 14 * MIB,
      );
      // Each of these is answered after what was asked before: another fetch would have come meanwhile.
      for (let round = 0; round < 100; round++) await admin.ranges('orders');
      expect(fetchedBytes).toBeLessThan(24 * MIB);
      stop.abort();
      return batch.next;
    },
  );
  expect(isFirst).toBe(false);
});
