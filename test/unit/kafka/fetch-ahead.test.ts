import { expect, test } from 'vitest';
import { createKafkaBroker } from '../../../src/adapters/kafka/kafka-broker.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { waitFor } from '../../support/wait.ts';

const { start } = embeddedBroker();

const MIB = 1024 * 1024;

/** Forty partitions of nearly a MiB each, and what answers to Fetch brought to all consumers together. */
async function opened() {
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
  /** Reads until its first batch, at which `onFirst` is called. */
  const run = async (group: string, onFirst: () => Promise<void>): Promise<void> => {
    const stop = new AbortController();
    await using consumer = await broker.consumer();
    let isFirst = true;
    await consumer.run(
      {
        topics: ['orders'],
        group,
        storeId: 'store',
        mode: 'exclusive',
        clientId: 'ahead',
        metadata: 'mark',
        positions: () => [],
        onEvent: () => undefined,
        stallTimeoutMs: null,
        signal: stop.signal,
      },
      async (batch) => {
        if (isFirst) await onFirst();
        isFirst = false;
        stop.abort();
        return batch.next;
      },
    );
    expect(isFirst).toBe(false);
  };
  /** Each of these is answered after what was asked before: another fetch would have come meanwhile. */
  const rounds = async (): Promise<void> => {
    await using asking = await broker.admin();
    for (let round = 0; round < 25; round++) await asking.ranges('orders');
  };
  const fetched = (mib: number) =>
    waitFor(
      `${mib} MiB`,
      () => fetchedBytes,
      (bytes) => bytes > mib * MIB,
    );
  return { run, rounds, fetched, fetchedBytes: () => fetchedBytes };
}

test('while a batch is worked on, what comes next is fetched, up to a bound of memory', async () => {
  const { run, rounds, fetched, fetchedBytes } = await opened();
  await run('group', async () => {
    await fetched(14);
    await rounds();
    expect(fetchedBytes()).toBeLessThan(24 * MIB);
  });
});

test('the bound is one for all consumers of a process, and none of them starves', async () => {
  const { run, rounds, fetched, fetchedBytes } = await opened();
  await run('first', async () => {
    await fetched(14);
    await rounds();
    const before = fetchedBytes();
    // It has nothing, so it may ask, once: for one answer of 6 MiB.
    await run('second', rounds);
    expect(fetchedBytes() - before).toBeLessThan(8 * MIB);
  });
});

test('the more consumers a process has, the smaller are the answers to each', async () => {
  const { run, rounds, fetched, fetchedBytes } = await opened();
  const last = async (): Promise<void> => {
    await rounds();
    const before = fetchedBytes();
    // A fourth of the bound.
    await run('fourth', rounds);
    expect(fetchedBytes() - before).toBeLessThan(4.5 * MIB);
  };
  await run('first', async () => {
    await fetched(14);
    await run('second', () => run('third', last));
  });
});
