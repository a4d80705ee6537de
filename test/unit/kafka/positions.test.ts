import { expect, test } from 'vitest';

import { ModelCluster } from '../../support/model-cluster/cluster.ts';
import { createAdmin } from '../../../src/adapters/kafka/admin/admin.ts';
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

test('each reason is reported of its own partition, and one without a leader holds up none', async () => {
  await using cluster = await ModelCluster.start({ partitions: 6 });
  const { model } = cluster;
  for (let partition = 0; partition < 6; partition += 1) model.append(partition, 9);
  model.deleteBefore(0, 8);
  model.of(2).isBroken = true;
  model.elect(5, -1);
  const options = { brokers: cluster.addresses, clientId: 'c', tls: null, sasl: null };
  await using admin = await createAdmin(options);
  const last = { offset: 4, timestamp: 1, crc: 1 };
  const positions = [
    { next: 5, last },
    { next: 10, last },
    { next: 5, last },
    { next: 5, last },
    { next: 5, last, clusterId: 'another' },
    { next: 99, last },
    { next: 5, last },
    { next: 0, last: null },
  ].map((position, partition) => ({ ...CLUSTER, partition, ...position }));
  const refused = await admin.refusedPositions(
    'orders',
    new Map(positions.map((one) => [one.partition, one])),
  );
  const found = [...refused].map(([partition, { reason, failure }]) => [partition, reason, failure.code]);
  expect(found.sort()).toEqual([
    [0, 'before_start', 'offsets_gone'],
    [1, 'past_end', 'offsets_gone'],
    [2, 'unreadable', 'invalid_input'],
    [3, 'other_record', 'topic_changed'],
    [4, 'cluster', 'topic_changed'],
    [6, 'no_partition', 'topic_changed'],
  ]);
});

test('a position behind a batch that is broken in Kafka ends the run', async () => {
  await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
  cluster.model.append(0, 9);
  cluster.model.of(0).isBroken = true;
  const last = { offset: 4, timestamp: 1, crc: 1 };
  const run = runConsumer(cluster, {
    positions: new Map([[0, { ...CLUSTER, partition: 0, next: 5, last }]]),
  });
  await expect(run.done).rejects.toMatchObject({ code: 'invalid_input' });
});
