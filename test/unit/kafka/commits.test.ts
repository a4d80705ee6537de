import { describe, expect, it } from 'vitest';

import { ModelCluster } from '../../support/model-cluster/cluster.ts';
import { API } from '../../support/model-cluster/requests.ts';
import { runConsumer } from '../../support/model-cluster/run-consumer.ts';
import { waitFor } from '../../support/wait.ts';

const REBALANCE_IN_PROGRESS = 27;

/** How many requests of a kind were made. */
const count = (cluster: ModelCluster, key: number): number =>
  cluster.asked.filter((one) => one.key === key).length;

describe('commits of the consumer', () => {
  it('wait for the one that is answered late, and then say how far it has come', async () => {
    await using cluster = await ModelCluster.start({ partitions: 2, nodes: 1 });
    cluster.delayMs = (_, key) => (key === API.offsetCommit ? 600 : 0);
    const run = runConsumer(cluster);
    cluster.model.append(0, 1);
    await waitFor('the first commit', () => count(cluster, API.offsetCommit) === 1, Boolean, { everyMs: 5 });
    for (let round = 0; round < 10; round += 1) {
      cluster.model.append(0, 1);
      cluster.model.append(1, 1);
      await waitFor(
        'the records',
        () => run.positions.get(0)?.next === 2 + round && run.positions.get(1)?.next === 1 + round,
      );
    }
    await waitFor('the last commit', () => cluster.model.committed.get(1) === 10);
    expect(cluster.model.committed.get(0)).toBe(11);
    // Twenty batches while one or two were under way.
    expect(cluster.model.commits.length).toBeLessThan(6);
    await run.stop();
  });

  it('are made in the generation that is in force, and a session that expired under one is no failure', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    const run = runConsumer(cluster);
    cluster.model.append(0, 4);
    await waitFor('the commit', () => cluster.model.committed.get(0) === 4);
    cluster.model.expireMember();
    cluster.delayMs = (_, key) => (key === API.offsetCommit ? 300 : 0);
    cluster.model.append(0, 4);
    await waitFor('the commit after the next join', () => cluster.model.committed.get(0) === 8);
    expect(cluster.model.joins).toBe(2);
    const refused = cluster.model.commits.filter(({ error }) => error !== 0);
    expect(refused.length).toBeLessThanOrEqual(2);
    expect(cluster.model.commits.at(-1)).toMatchObject({ generation: cluster.model.generation, error: 0 });
    await run.stop();
  });

  it('rest while the group is joined again', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    const run = runConsumer(cluster);
    cluster.model.append(0, 4);
    await waitFor('the commit', () => cluster.model.committed.get(0) === 4);
    // Another generation begins, and the answer to the join takes its time.
    const joins = count(cluster, API.joinGroup);
    cluster.delayMs = (_, key) => (key === API.joinGroup || key === API.syncGroup ? 500 : 0);
    cluster.groupTrouble = (key) => (key === API.heartbeat ? REBALANCE_IN_PROGRESS : 0);
    await waitFor('the join', () => count(cluster, API.joinGroup) > joins, Boolean, { everyMs: 5 });
    cluster.groupTrouble = () => 0;
    cluster.model.append(0, 4);
    await waitFor('the records', () => run.positions.get(0)?.next === 8);
    await waitFor('the commit', () => cluster.model.committed.get(0) === 8);
    expect(cluster.model.commits.filter(({ error }) => error !== 0)).toEqual([]);
    expect(run.events.filter(({ kind }) => kind === 'commit_failed')).toEqual([]);
    await run.stop();
  });

  it('are tried again when a rebalance refuses them, without a word', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    const run = runConsumer(cluster);
    cluster.groupTrouble = (key) => (key === API.offsetCommit ? REBALANCE_IN_PROGRESS : 0);
    cluster.model.append(0, 4);
    await waitFor('a refusal', () => cluster.model.commits.some(({ error }) => error !== 0));
    cluster.groupTrouble = () => 0;
    await waitFor('the commit', () => cluster.model.committed.get(0) === 4);
    expect(run.events.filter(({ kind }) => kind === 'commit_failed')).toEqual([]);
    await run.stop();
  });

  it('outlive the connection: what was under way is committed by the next one', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    const run = runConsumer(cluster);
    cluster.delayMs = (_, key) => (key === API.offsetCommit ? 60_000 : 0);
    cluster.model.append(0, 4);
    await waitFor('the commit under way', () => count(cluster, API.offsetCommit) === 1);
    cluster.delayMs = () => 0;
    cluster.node(1).hangUp();
    cluster.model.append(0, 4);
    await waitFor('the commit', () => cluster.model.committed.get(0) === 8);
    expect(cluster.model.joins).toBe(1);
    await run.stop();
  });

  it('come to the last record before the group is left', async () => {
    await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
    const run = runConsumer(cluster);
    cluster.delayMs = (_, key) => (key === API.offsetCommit ? 500 : 0);
    cluster.model.append(0, 4);
    await waitFor('the commit under way', () => count(cluster, API.offsetCommit) === 1);
    cluster.model.append(0, 4);
    await waitFor('the records', () => run.positions.get(0)?.next === 8);
    await run.stop();
    expect(cluster.model.committed.get(0)).toBe(8);
    expect(cluster.model.memberId).toBe('');
  });
});

describe('a stop', () => {
  it.each([API.syncGroup, API.heartbeat])(
    'leaves the group though it is asked while request %i waits',
    async (key) => {
      await using cluster = await ModelCluster.start({ partitions: 1, nodes: 1 });
      cluster.delayMs = (_, asked) => (asked === key ? 400 : 0);
      const run = runConsumer(cluster);
      await waitFor('the request', () => count(cluster, key) === 1, Boolean, { everyMs: 5 });
      expect(cluster.model.memberId).not.toBe('');
      await run.stop();
      expect(cluster.model.memberId).toBe('');
    },
  );
});
