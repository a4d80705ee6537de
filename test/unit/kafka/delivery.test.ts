import { expect, test } from 'vitest';
import { createKafkaBroker } from '../../../src/adapters/kafka/kafka-broker.ts';
import type { Broker, RunOptions } from '../../../src/ports/broker.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { waitFor } from '../../support/wait.ts';

const { start } = embeddedBroker();

function brokerAt(address: string): Broker {
  const options = { brokers: [address], clientId: 'delivery', tls: null, sasl: null, onLog: () => undefined };
  return createKafkaBroker(options);
}

function runOptions(stop: AbortController): RunOptions {
  return {
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
  };
}

test('a batch has no more records than it may have', async () => {
  const { address } = await start();
  const broker = brokerAt(address);
  await using admin = await broker.admin();
  await admin.createTopic('orders', { partitions: 1 });
  await using producer = await broker.producer();
  const values = ['1', '2', '3', '4', '5'].map((value) => ({ key: 'a', value: Buffer.from(value) }));
  await producer.send('orders', values);

  const stop = new AbortController();
  const sizes: number[] = [];
  await using consumer = await broker.consumer();
  await consumer.run({ ...runOptions(stop), maxBatchRecords: 2 }, async ({ records, next }) => {
    sizes.push(records.length);
    if (next === values.length) stop.abort();
    return next;
  });
  expect(sizes).toEqual([2, 2, 1]);
});

test('an offset is committed only when the handler has resolved, which is when the batch is stored', async () => {
  const { address } = await start();
  const broker = brokerAt(address);
  await using admin = await broker.admin();
  await admin.createTopic('orders', { partitions: 1 });
  await using producer = await broker.producer();
  await producer.send('orders', [{ key: 'a', value: Buffer.from('1') }]);
  const committed = async (): Promise<number | null> =>
    (await admin.committed('group', 'orders')).find(({ partition }) => partition === 0)?.offset ?? null;

  const stop = new AbortController();
  const seen: (number | null)[] = [];
  await using consumer = await broker.consumer();
  await consumer.run(runOptions(stop), async (batch) => {
    // Commits go one after the other: one that was begun too early is answered before these are.
    for (let round = 0; round < 20; round++) seen.push(await committed());
    stop.abort();
    return batch.next;
  });
  expect(seen).toEqual(seen.map(() => null));
  await waitFor('the committed offset', committed, (offset) => offset === 1);
});
