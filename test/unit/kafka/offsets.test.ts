import { describe, expect, it, onTestFinished } from 'vitest';

import { createAdmin } from '../../../src/adapters/kafka/admin/admin.ts';
import { KafkaClient } from '../../../src/adapters/kafka/protocol/client.ts';
import { fetchFingerprints, leaders, listAt, listRanges } from '../../../src/adapters/kafka/admin/offsets.ts';
import type { Leader } from '../../../src/adapters/kafka/protocol/requests/metadata.ts';
import { ModelCluster } from '../../support/model-cluster/cluster.ts';
import { API } from '../../support/model-cluster/requests.ts';
import { waitFor } from '../../support/wait.ts';

/** Longer than any of these tests. */
const NEVER_MS = 600_000;

function optionsOf(cluster: ModelCluster) {
  return { brokers: cluster.addresses, clientId: 'c', tls: null, sasl: null };
}

function askedOf(cluster: ModelCluster, key: number): number {
  return new Set(cluster.asked.flatMap((one) => (one.key === key ? one.node : []))).size;
}

describe('slow leaders', () => {
  it.each([
    ['ranges', API.listOffsets, (client, leaderOf) => listRanges(client, 'orders', leaderOf, true)],
    ['offsets at a time', API.listOffsets, (client) => listAt(client, 'orders', 5)],
    [
      'fingerprints',
      API.fetch,
      (client, leaderOf) =>
        fetchFingerprints(client, 'orders', new Map([...leaderOf.keys()].map((p) => [p, 2])), leaderOf),
    ],
  ] satisfies [string, number, (client: KafkaClient, leaderOf: Map<number, Leader>) => Promise<unknown>][])(
    'are asked all at once: %s',
    async (_, key, ask) => {
      await using cluster = await ModelCluster.start();
      for (let partition = 0; partition < 6; partition += 1) cluster.model.append(partition, 9);
      const client = new KafkaClient(optionsOf(cluster));
      onTestFinished(() => client.close());
      const leaderOf = await leaders(client, 'orders');
      cluster.delayMs = (_node, asked) => (asked === key ? NEVER_MS : 0);
      const asking = ask(client, leaderOf).catch(() => undefined);
      await waitFor('every leader to be asked before one has answered', () =>
        Promise.resolve(askedOf(cluster, key) === 3),
      );
      client.close();
      await asking;
    },
  );

  it('give what they know, each of its own partitions', async () => {
    await using cluster = await ModelCluster.start();
    for (let partition = 0; partition < 6; partition += 1) cluster.model.append(partition, 3 + partition);
    const client = new KafkaClient(optionsOf(cluster));
    onTestFinished(() => client.close());
    const leaderOf = await leaders(client, 'orders');
    expect(new Set([...leaderOf.values()].map(({ nodeId }) => nodeId)).size).toBe(3);
    expect(await listRanges(client, 'orders', leaderOf, true)).toEqual(
      [0, 1, 2, 3, 4, 5].map((partition) => ({ partition, start: 0, end: 3 + partition })),
    );
    const offsets = new Map([...leaderOf.keys()].map((partition) => [partition, partition]));
    const found = await fetchFingerprints(client, 'orders', offsets, leaderOf);
    expect(
      [...found].map(([partition, print]) => [partition, 'offset' in print ? print.offset : print]).sort(),
    ).toEqual([0, 1, 2, 3, 4, 5].map((partition) => [partition, partition]));
  });
});

describe('the partitions whose leader answers', () => {
  it('are known though another has none, and one a leader that is silent', async () => {
    await using cluster = await ModelCluster.start({ partitions: 4 });
    for (let partition = 0; partition < 4; partition += 1) cluster.model.append(partition, 3 + partition);
    cluster.model.elect(0, -1);
    cluster.model.elect(1, 3);
    cluster.model.elect(2, 1);
    cluster.model.elect(3, 2);
    await using admin = await createAdmin(optionsOf(cluster));
    const ranges = (...partitions: number[]) =>
      partitions.map((partition) => ({ partition, start: 0, end: 3 + partition }));
    expect(await admin.ledRanges('orders')).toEqual(ranges(1, 2, 3));
    cluster.node(3).isSilent = true;
    expect(await admin.ledRanges('orders')).toEqual(ranges(2, 3));
    expect(await admin.committed('g', 'orders')).toHaveLength(4);
  });

  it('are not none when no leader answers: that passes, or is a failure', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 2 });
    await using admin = await createAdmin({ ...optionsOf(cluster), connectTimeoutMs: 3_000 });
    cluster.model.append(0, 3);
    cluster.trouble = () => 0;
    cluster.node(1).isSilent = true;
    await expect(admin.ledRanges('orders')).rejects.toMatchObject({ code: 'broker_unreachable' });
    cluster.model.elect(0, 2);
    expect(await admin.ledRanges('orders')).toEqual([{ partition: 0, start: 0, end: 3 }]);
    await expect(admin.ledRanges('nothing')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('records of a range', () => {
  it('are those from its beginning up to its end, in the middle of batches too', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2, nodes: 1 });
    for (const partition of [0, 1]) cluster.model.append(partition, 20);
    await using admin = await createAdmin(optionsOf(cluster));
    const read: string[] = [];
    const ranges = [
      { partition: 1, from: 1, to: 6 },
      { partition: 0, from: 18, to: 1_000 },
      { partition: 1, from: 8, to: 9 },
    ];
    for await (const { partition, records } of admin.records('orders', ranges)) {
      read.push(...records.map(({ offset }) => `${partition}:${offset}`));
    }
    expect(read).toEqual(['1:1', '1:2', '1:3', '1:4', '1:5', '0:18', '0:19', '1:8']);
  });
});

describe('the time for all that an admin is asked', () => {
  it('ends with the brokers named that have not answered, though others have', async () => {
    await using cluster = await ModelCluster.start();
    await using admin = await createAdmin({ ...optionsOf(cluster), totalTimeoutMs: 1_500 });
    expect(await admin.ranges('orders')).toHaveLength(6);
    cluster.node(2).isSilent = true;
    // Shorter than the time-out of one request: else that would say it.
    await expect(admin.ranges('orders')).rejects.toMatchObject({
      code: 'broker_unreachable',
      message: expect.stringMatching(
        new RegExp(`no answer from 127.0.0.1:${cluster.node(2).port} within 1.5 s`),
      ) as unknown,
    });
  });

  it('is over for what comes after', async () => {
    await using cluster = await ModelCluster.start();
    await using admin = await createAdmin({ ...optionsOf(cluster), totalTimeoutMs: 300 });
    cluster.node(1).isSilent = true;
    await expect(admin.ranges('orders')).rejects.toMatchObject({ code: 'broker_unreachable' });
    await expect(admin.ranges('orders')).rejects.toMatchObject({ code: 'broker_unreachable' });
  });
});
