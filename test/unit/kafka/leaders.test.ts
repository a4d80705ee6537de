import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, describe } from 'vitest';

import { ModelCluster } from '../../support/model-cluster/cluster.ts';
import { API } from '../../support/model-cluster/requests.ts';
import { runConsumer, type ModelRun } from '../../support/model-cluster/run-consumer.ts';
import { waitFor } from '../../support/wait.ts';

/** That everything of the model was delivered, in order and once. */
async function hasAll(cluster: ModelCluster, run: ModelRun, partitions?: readonly number[]): Promise<void> {
  const wanted = partitions ?? [...cluster.model.partitions.keys()];
  const count = (partition: number): number => run.delivered.get(partition)?.length ?? 0;
  const isDone = (): boolean =>
    wanted.every((partition) => count(partition) >= cluster.model.of(partition).log.length);
  await Promise.race([waitFor('the records', isDone, Boolean, { timeoutMs: 15_000, everyMs: 10 }), run.done]);
  for (const partition of wanted) {
    expect(run.delivered.get(partition) ?? []).toEqual(cluster.model.of(partition).log);
  }
}

/** Waits until the leaders were looked at that many times more. @param of the node that was asked; any */
async function looksAt(cluster: ModelCluster, times: number, of?: number): Promise<void> {
  const before = cluster.asked.length;
  const looks = (): number =>
    cluster.asked
      .slice(before)
      .filter(({ node, key }) => key === API.metadata && (of === undefined || of === node)).length;
  await waitFor('looks at the leaders', looks, (seen) => seen >= times, { timeoutMs: 20_000, everyMs: 1 });
}

describe('a leader that moves', () => {
  it('is followed though the one before answers late, without a spin', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    for (const partition of [0, 1, 2]) cluster.model.append(partition, 10);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    for (let move = 0; move < 6; move += 1) {
      const late = cluster.model.of(0).leader;
      cluster.delayMs = (node, key) => (node === late && key === API.fetch ? 700 : 0);
      // Under way at the old leader, with the records that the new one has too.
      const before = cluster.asked.length;
      await waitFor('a question to the old leader', () =>
        cluster.asked.slice(before).some(({ node, key }) => node === late && key === API.fetch),
      );
      for (const partition of [0, 1, 2]) cluster.model.append(partition, 5);
      await sleep(50);
      for (const partition of [0, 1, 2])
        cluster.model.elect(partition, (cluster.model.of(partition).leader % 3) + 1);
      await hasAll(cluster, run);
    }
    await run.stop();
  });

  it('is asked within 2 s though the one before has gone silent, and the others go on meanwhile', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    const run = runConsumer(cluster);
    for (const partition of [0, 1, 2]) cluster.model.append(partition, 10);
    await hasAll(cluster, run);
    cluster.node(1).isSilent = true;
    for (const partition of [0, 1, 2]) cluster.model.append(partition, 10);
    await hasAll(cluster, run, [1, 2]);
    // By then it was given up on, and is being connected to again, which takes three seconds.
    await sleep(4_500);
    cluster.model.elect(0, 2);
    cluster.model.coordinator = 3;
    const startedAt = performance.now();
    await hasAll(cluster, run);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await run.stop();
  });

  it('takes the position along only when its log goes on where ours ended: shorter', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    cluster.model.append(0, 30);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.model.electUnclean(0, 2, 20);
    await expect(run.done).rejects.toMatchObject({
      code: 'offsets_gone',
      message: expect.stringContaining('unclean election') as unknown,
      context: { partition: 0, offset: 30 },
    });
  });

  it('takes the position along only when its log goes on where ours ended: filled with others meanwhile', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    cluster.model.append(0, 30);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    const seen = run.delivered.get(0)?.length;
    cluster.model.electUnclean(0, 2, 20);
    cluster.model.append(0, 50);
    await expect(run.done).rejects.toMatchObject({ code: 'topic_changed', context: { partition: 0 } });
    expect(run.delivered.get(0)).toHaveLength(seen ?? 0);
  });

  it('is found to have lost records though it leads again at once', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    cluster.model.append(0, 30);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.model.electUnclean(0, 2, 20);
    cluster.model.append(0, 50);
    // By node alone nothing has changed.
    cluster.model.elect(0, 1);
    await expect(run.done).rejects.toMatchObject({ code: 'topic_changed' });
  });

  it('is not left again for what a node says that is cut off from the others', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    cluster.model.append(0, 30);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.node(1).cutOff();
    for (const partition of [0, 1, 2]) cluster.model.elect(partition, 2);
    cluster.model.coordinator = 2;
    cluster.model.append(0, 30);
    // The leaders are read again and again, of each node in turn.
    cluster.trouble = (partition) => (partition === 1 ? 7 : 0);
    await hasAll(cluster, run, [0]);
    await sleep(3_000);
    cluster.trouble = () => 0;
    cluster.model.append(0, 5);
    await hasAll(cluster, run);
    await run.stop();
  });

  it('is not believed about the end while it knows of no election since it was cut off', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    cluster.model.append(0, 30);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.node(1).cutOff();
    cluster.model.coordinator = 2;
    for (const partition of [0, 1, 2]) cluster.model.elect(partition, 2);
    cluster.model.append(0, 30);
    await hasAll(cluster, run);
    const answered = cluster.asked.length;
    // The others say that it leads again; by itself it has led all the time, and 30 records are all there is.
    cluster.model.elect(0, 1);
    const asked = (): boolean =>
      cluster.asked.slice(answered).some(({ node, key }) => node === 1 && key === API.listOffsets);
    await waitFor('the node to be asked', asked, Boolean);
    cluster.node(1).heal();
    cluster.model.append(0, 5);
    await hasAll(cluster, run);
    await run.stop();
  });

  it('is believed again when the topic was made again, with epochs from the beginning', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1 });
    cluster.model.append(0, 30);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    const replica = cluster.model.of(0);
    Object.assign(replica, { epoch: 0, leader: 2, log: [], end: 0 });
    cluster.model.append(0, 40);
    await expect(run.done).rejects.toMatchObject({ code: 'topic_changed' });
  });

  it('is of another topic when it was made again, with the same leaders and epochs, and longer already', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1 });
    const { model } = cluster;
    let hold = Promise.resolve();
    let isHeld = false;
    const run = runConsumer(cluster, {
      onBatch: async ({ next }) => {
        isHeld = next > 3;
        await hold;
        return undefined;
      },
    });
    model.append(0, 3);
    await hasAll(cluster, run);
    // While a batch is worked on nothing is asked of its partition: no error of the node that has lost it is seen.
    let release = (): void => undefined;
    hold = new Promise((resolve) => (release = resolve));
    model.append(0, 1);
    await waitFor('a batch', () => isHeld, Boolean);
    await looksAt(cluster, 1);
    model.makeAgain();
    model.append(0, 10);
    release();
    await Promise.race([looksAt(cluster, 2), run.done.catch(() => undefined)]);
    model.append(0, 10);
    await expect(Promise.race([run.done, sleep(10_000)])).rejects.toMatchObject({ code: 'topic_changed' });
    expect(run.delivered.get(0)?.at(-1)?.offset, 'nothing is read since the first sign of it').toBeLessThan(
      10,
    );
  });

  it('is not of another topic because a node says so that is cut off from the others', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2 });
    for (const partition of [0, 1]) cluster.model.append(partition, 3);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.model.elect(1, 1);
    cluster.node(2).cutOff();
    for (const replica of cluster.node(2).view ?? [])
      replica.topicId = Buffer.alloc(16, 1).toString('base64url');
    await looksAt(cluster, 3, 2);
    for (const partition of [0, 1]) cluster.model.append(partition, 3);
    await hasAll(cluster, run);
    await run.stop();
  });

  it('is known by node and epoch alone where the nodes know no ids of topics', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2 });
    cluster.metadataVersion = 7;
    for (const partition of [0, 1]) cluster.model.append(partition, 3);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.model.elect(0, 3);
    for (const partition of [0, 1]) cluster.model.append(partition, 3);
    await hasAll(cluster, run);
    await run.stop();
  });
});

describe('a partition without a leader', () => {
  it('holds up no other, and is read on as soon as it has one', async () => {
    await using cluster = await ModelCluster.start({ partitions: 6 });
    for (let partition = 0; partition < 6; partition += 1) cluster.model.append(partition, 10);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.model.elect(2, -1);
    for (let round = 0; round < 3; round += 1) {
      for (let partition = 0; partition < 6; partition += 1) cluster.model.append(partition, 10);
      await hasAll(cluster, run, [0, 1, 3, 4, 5]);
    }
    expect(run.delivered.get(2)).toHaveLength(10);
    cluster.model.elect(2, 1);
    await hasAll(cluster, run);
    await run.stop();
  });

  it('does not keep a run from beginning', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    cluster.model.elect(1, -1);
    for (let partition = 0; partition < 3; partition += 1) cluster.model.append(partition, 10);
    const run = runConsumer(cluster);
    await hasAll(cluster, run, [0, 2]);
    cluster.model.elect(1, 2);
    await hasAll(cluster, run);
    await run.stop();
  });
});

describe('the partitions of a topic', () => {
  it('that are added are read although one node does not know of them, after two joins at most', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2 });
    for (const partition of [0, 1]) cluster.model.append(partition, 3);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.node(2).cutOff();
    const joins = cluster.model.joins;
    cluster.model.grow(1);
    cluster.model.append(2, 3);
    await hasAll(cluster, run);
    await looksAt(cluster, 3, 2);
    cluster.model.append(2, 3);
    await hasAll(cluster, run);
    expect(cluster.model.joins - joins).toBeLessThanOrEqual(2);
    await run.stop();
  });

  it('are not fewer because the only node that answers says so: the others may be slow', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2 });
    for (const partition of [0, 1]) cluster.model.append(partition, 3);
    cluster.node(2).cutOff();
    cluster.model.grow(1);
    cluster.model.append(2, 3);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    for (const id of [1, 3]) cluster.node(id).isSilent = true;
    // Two of each reading: at first, and when all are asked for what it lacks.
    await Promise.race([looksAt(cluster, 5, 2), run.done]);
    for (const id of [1, 3]) cluster.node(id).isSilent = false;
    cluster.model.append(2, 3);
    await hasAll(cluster, run);
    await run.stop();
  });

  it('are all there at a start, too, when the node that is asked first was cut off before they were added', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2 });
    for (const partition of [0, 1]) cluster.model.append(partition, 3);
    cluster.node(1).cutOff();
    cluster.model.grow(2);
    cluster.model.append(2, 3);
    for (const partition of [0, 1, 2]) cluster.model.elect(partition, 2);
    const { clusterId } = cluster.model;
    const read = [0, 1, 2].map((partition) => ({
      topic: 'orders',
      partition,
      next: 2,
      last: null,
      clusterId,
    }));
    const run = runConsumer(cluster, { positions: new Map(read.map((one) => [one.partition, one])) });
    const isRead = (): boolean => [0, 1, 2].every((partition) => run.delivered.get(partition)?.length === 1);
    await Promise.race([waitFor('the last record of each', isRead), run.done]);
    await run.stop();
  });

  it('are fewer once every node says so', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    for (const partition of [0, 1, 2]) cluster.model.append(partition, 3);
    const run = runConsumer(cluster);
    await hasAll(cluster, run);
    cluster.model.partitions.pop();
    await expect(run.done).rejects.toMatchObject({
      code: 'topic_changed',
      message: expect.stringContaining(
        'orders/2: was read up to offset 3, but the topic no longer has',
      ) as unknown,
    });
  });
});
