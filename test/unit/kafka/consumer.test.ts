import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import type { RecordId } from '../../../src/domain/orders/order.ts';
import type { Batch } from '../../../src/ports/broker.ts';
import type { Position } from '../../../src/ports/store.ts';
import { ModelCluster } from '../../support/model-cluster/cluster.ts';
import { API } from '../../support/model-cluster/requests.ts';
import { runConsumer } from '../../support/model-cluster/run-consumer.ts';
import { waitFor } from '../../support/wait.ts';

describe('the consumer', () => {
  it('ends a bounded run when the brokers go between the join and the first look at the positions', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    cluster.delayMs = (_, key) => (key === API.listOffsets ? 60_000 : 0);
    const run = runConsumer(cluster, { stallTimeoutMs: 500 });
    await expect(run.done).rejects.toMatchObject({ code: 'broker_unreachable' });
  });

  it('says where partitions without a position start, and reads them from where the store says by then', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2, nodes: 1 });
    cluster.model.append(0, 5);
    const positions = new Map<number, Position>();
    const started: RecordId[] = [];
    const run = runConsumer(cluster, {
      positions,
      onStart: async (starts) => {
        started.push(...starts);
        expect(run.delivered.size).toBe(0);
        for (const { topic, partition, offset } of starts)
          positions.set(partition, { topic, partition, next: offset, last: null, clusterId: null });
        const [topic = ''] = cluster.model.topics;
        positions.set(0, { topic, partition: 0, next: 2, last: null, clusterId: null });
      },
    });
    await waitFor('the records', () => run.delivered.get(0)?.at(-1)?.offset === 4);
    await run.stop();
    expect(run.delivered.get(0)?.map(({ offset }) => offset)).toEqual([2, 3, 4]);
    expect(started.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0],
      [1, 0],
    ]);
  });

  /** A cluster of which no node answers who coordinates the group, from the first time on that it is asked. */
  function withoutCoordinator(cluster: ModelCluster): { end: () => void } {
    let isAway = true;
    cluster.delayMs = (_, key) => {
      if (key === API.findCoordinator && isAway) for (const node of cluster.nodes) node.hangUp();
      return 0;
    };
    return { end: () => (isAway = false) };
  }

  it('waits for brokers that go between the first answer and the first join', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    const { end } = withoutCoordinator(cluster);
    cluster.model.append(0, 5);
    const run = runConsumer(cluster);
    // By then it has tried once, and tries again.
    await waitFor('a word of it', () => run.events.some(({ kind }) => kind === 'silent'));
    end();
    await waitFor('the records', () => run.delivered.get(0)?.length === 5);
    expect(run.events.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['answered', 'joined']));
    await run.stop();
  });

  it('ends a bounded run when they do not come back', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    withoutCoordinator(cluster);
    const startedAt = performance.now();
    const run = runConsumer(cluster, { stallTimeoutMs: 2_500 });
    await expect(run.done).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(performance.now() - startedAt).toBeLessThan(15_000);
  });

  it('ends within 10 s of a stop, whichever broker is silent', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    cluster.model.append(0, 5);
    const run = runConsumer(cluster);
    await waitFor('the records', () => run.delivered.get(0)?.length === 5);
    for (const node of cluster.nodes) node.isSilent = true;
    await sleep(1_000);
    const startedAt = performance.now();
    await run.stop();
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });

  it('throws away what was fetched before the handler moved the position', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1 });
    cluster.model.append(0, 40);
    let moves = 0;
    const run = runConsumer(cluster, {
      // The next answer is under way meanwhile.
      onBatch: async (batch: Batch) => {
        if (moves > 2) return undefined;
        cluster.model.append(0, 10);
        await sleep(100);
        moves += 1;
        return batch.records[0]?.offset;
      },
    });
    await waitFor(
      'the records',
      () => (run.positions.get(0)?.next ?? 0) >= cluster.model.of(0).end && moves > 2,
    );
    const delivered = run.delivered.get(0) ?? [];
    // Three times from the same place, then on.
    expect(delivered.slice(-cluster.model.of(0).log.length)).toEqual(cluster.model.of(0).log);
    await run.stop();
  });

  it('steps over what compaction left out, and stops at what was deleted before it was read', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1 });
    cluster.model.append(0, 3);
    for (let left = 0; left < 5; left += 1) cluster.model.skip(0);
    cluster.model.append(0, 3);
    let isHeld = true;
    const run = runConsumer(cluster, {
      onBatch: async () => {
        await waitFor('the deletion', () => !isHeld, Boolean, { everyMs: 5 });
        return undefined;
      },
    });
    isHeld = false;
    await waitFor('the records', () => run.delivered.get(0)?.length === 6);
    isHeld = true;
    cluster.model.append(0, 1);
    await sleep(200);
    // A broker may answer past the gap, instead of refusing the offset.
    cluster.readsOverGaps = true;
    cluster.model.append(0, 20);
    cluster.model.deleteBefore(0, 24);
    isHeld = false;
    await expect(run.done).rejects.toMatchObject({
      code: 'offsets_gone',
      message: expect.stringMatching(/were deleted before they were read/) as unknown,
    });
    expect(run.delivered.get(0)?.at(-1)?.offset).toBeLessThan(24);
  });

  it('reads the partitions of a node on that answers some of them with errors that pass', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3, nodes: 1 });
    for (let partition = 0; partition < 3; partition += 1) cluster.model.append(partition, 10);
    // NETWORK_EXCEPTION, of one.
    cluster.trouble = (partition) => (partition === 1 ? 13 : 0);
    const run = runConsumer(cluster);
    const count = (partition: number): number => run.delivered.get(partition)?.length ?? 0;
    await waitFor('the others', () => count(0) === 10 && count(2) === 10);
    expect(count(1)).toBe(0);
    cluster.trouble = () => 0;
    await waitFor('this one', () => count(1) === 10);
    await run.stop();
  });
});

describe('a backlog', () => {
  it('of large batches in some partitions keeps no other waiting', async () => {
    await using cluster = await ModelCluster.start({ partitions: 5, nodes: 1 });
    // Three answers to a question are all that it has room for, so that two partitions have to wait their turn.
    for (let partition = 0; partition < 5; partition += 1) cluster.model.append(partition, 9, 600_000);
    const order: number[] = [];
    const run = runConsumer(cluster, { onBatch: ({ partition }) => void order.push(partition) });
    const isRead = (partition: number): boolean => run.delivered.get(partition)?.length === 9;
    await waitFor('the records', () => [0, 1, 2, 3, 4].every(isRead));
    const ends = [0, 1, 2, 3, 4].map((partition) => order.lastIndexOf(partition));
    for (const partition of [0, 1, 2, 3, 4]) expect(order.indexOf(partition)).toBeLessThan(Math.min(...ends));
    await run.stop();
  });

  it('of several partitions of one node keeps no partition of another node waiting', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3, nodes: 2 });
    const { model } = cluster;
    const backlog = [0, 2];
    const order: number[] = [];
    const run = runConsumer(cluster, {
      // Of the backlog there is always more.
      onBatch: async ({ partition, records }) => {
        order.push(partition);
        if (backlog.includes(partition)) {
          model.append(partition, records.length, 100);
          await sleep(50);
        }
        return undefined;
      },
    });
    model.append(1);
    await waitFor('it to be at its end', () => order.length === 1);
    for (const partition of backlog) model.append(partition, 12_000, 100);
    // Longer than the other node waits before it answers that there is nothing.
    await waitFor('the backlog to be worked on', () => order.length > 15);
    const before = order.length;
    model.append(1);
    await waitFor('more of it', () => order.length > before + 10);
    expect(order.slice(before)).toContain(1);
    await run.stop();
  });
});

describe('the group', () => {
  it('is joined with a longer session where the broker does not allow a short one', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    // INVALID_SESSION_TIMEOUT
    cluster.groupTrouble = (key) =>
      key === API.joinGroup && cluster.asked.filter((one) => one.key === key).length < 3 ? 26 : 0;
    const run = runConsumer(cluster);
    await waitFor('the join', () => run.events.some(({ kind }) => kind === 'joined'));
    expect(cluster.model.sessionTimeouts).toEqual([6_000, 10_000, 30_000]);
    await run.stop();
  });

  it('holds up no reading while a join waits for other members', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    const run = runConsumer(cluster);
    await waitFor('the join', () => run.events.length === 1);
    cluster.delayMs = (_, key) => (key === API.joinGroup ? 60_000 : 0);
    cluster.model.expireMember();
    await waitFor(
      'the next join',
      () => cluster.asked.filter(({ key }) => key === API.joinGroup).length === 2,
    );
    // The position is compared with what the new leader has, by requests to the very node that the join waits for.
    cluster.model.elect(0, 1);
    cluster.model.append(0, 5);
    await waitFor('the records', () => run.delivered.get(0)?.length === 5, Boolean, { timeoutMs: 5_000 });
    await run.stop();
  });

  it('keeps its member when the coordinator moves or hangs up, and the commits follow', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    const run = runConsumer(cluster);
    const committed = async (): Promise<void> => {
      cluster.model.append(0, 5);
      await waitFor('the commit', () => cluster.model.committed.get(0) === cluster.model.of(0).end);
    };
    await committed();
    cluster.model.coordinator = 2;
    await committed();
    cluster.node(2).hangUp();
    await committed();
    cluster.node(2).isSilent = true;
    await sleep(500);
    cluster.model.coordinator = 3;
    for (const [partition, { leader }] of cluster.model.partitions.entries()) {
      if (leader === 2) cluster.model.elect(partition, 3);
    }
    await committed();
    expect(cluster.model.joins).toBe(1);
    expect(run.events.filter(({ kind }) => kind === 'commit_failed').length).toBeLessThanOrEqual(1);
    await run.stop();
  });

  it('is joined again, once, when the session has expired, and the offsets are committed in the new generation', async () => {
    await using cluster = await ModelCluster.start({ partitions: 3 });
    const run = runConsumer(cluster);
    cluster.model.append(0, 5);
    await waitFor('the commit', () => cluster.model.committed.get(0) === 5);
    cluster.model.expireMember();
    cluster.model.append(0, 5);
    await waitFor('the commit', () => cluster.model.committed.get(0) === 10);
    await sleep(2_500);
    expect(cluster.model.joins).toBe(2);
    expect(run.delivered.get(0)?.map(({ offset }) => offset)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await run.stop();
  });

  it('is not given up when the topic grows while it is joined', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2, nodes: 1 });
    let grows = true;
    cluster.delayMs = (_, key) => {
      if (key === API.syncGroup && grows) {
        grows = false;
        cluster.model.grow(1);
        cluster.model.append(2, 5);
      }
      return 0;
    };
    const run = runConsumer(cluster);
    await Promise.race([waitFor('the records', () => run.delivered.get(2)?.length === 5), run.done]);
    await run.stop();
  });

  it('compares the positions at each join, before anything else is read', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    cluster.model.append(0, 30);
    const run = runConsumer(cluster);
    await waitFor('the records', () => run.delivered.get(0)?.length === 30);
    // The same leader and epoch, the same end, nothing more to read: only a join looks.
    const replica = cluster.model.of(0);
    Object.assign(replica, { log: [], end: 0 });
    cluster.model.append(0, 30);
    cluster.model.expireMember();
    await expect(run.done).rejects.toMatchObject({ code: 'topic_changed' });
  });
});
