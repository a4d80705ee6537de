import { expect, test } from 'vitest';

import { ModelCluster } from '../../support/model-cluster/cluster.ts';
import { runConsumer } from '../../support/model-cluster/run-consumer.ts';

const CLUSTER = { topic: 'orders', clusterId: 'model' };

test('another record is reported whatever its timestamp is, nanoseconds too', async () => {
  await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
  cluster.model.append(0, 9);
  const last = { offset: 4, timestamp: 1_700_000_000_000_000_000, crc: 1 };
  const run = runConsumer(cluster, {
    positions: new Map([[0, { ...CLUSTER, partition: 0, next: 5, last }]]),
  });
  await expect(run.done).rejects.toMatchObject({
    code: 'topic_changed',
    context: { topic: 'orders', partition: 0, offset: 5 },
  });
  expect(run.delivered.size).toBe(0);
});

test('a position of another cluster, or of a partition that there is no more, is refused', async () => {
  await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
  cluster.model.append(0, 9);
  for (const position of [
    { ...CLUSTER, partition: 0, next: 5, last: null, clusterId: 'another' },
    { ...CLUSTER, partition: 3, next: 5, last: null },
  ]) {
    const run = runConsumer(cluster, { positions: new Map([[position.partition, position]]) });
    await expect(run.done).rejects.toMatchObject({ code: 'topic_changed' });
  }
});

test('a position before the first record or past the end is refused, and one in between read on from', async () => {
  await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
  cluster.model.append(0, 20);
  cluster.model.deleteBefore(0, 8);
  for (const next of [7, 21]) {
    const run = runConsumer(cluster, {
      positions: new Map([[0, { ...CLUSTER, partition: 0, next, last: null }]]),
    });
    await expect(run.done).rejects.toMatchObject({ code: 'offsets_gone', context: { offset: next } });
  }
  for (const next of [8, 13]) {
    const stopped = new Promise<number | undefined>((resolve) => {
      const run = runConsumer(cluster, {
        positions: new Map([[0, { ...CLUSTER, partition: 0, next, last: null }]]),
        onBatch: (batch) => {
          resolve(batch.records[0]?.offset);
          void run.stop();
          return undefined;
        },
      });
    });
    expect(await stopped).toBe(next);
  }
});
