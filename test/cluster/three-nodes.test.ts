import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parseLines } from '../support/cli.ts';
import { expectStock } from '../support/three-nodes/books.ts';
import { ThreeNodes } from '../support/three-nodes/cluster.ts';
import {
  cutFromClients,
  cutFromPeers,
  cutOff,
  killAndRestart,
  leaderless,
  moveLeader,
  onlyReplica,
  pauseNode,
  spreadLeaders,
  takeLeaderAway,
  twoAway,
  whole,
} from '../support/three-nodes/events.ts';
import { batchOf, orderOf } from '../support/three-nodes/flow.ts';
import { NodeConnection, NOT_LEADER_OR_FOLLOWER, produce, Refusal } from '../support/three-nodes/requests.ts';
import { longest, table } from '../support/three-nodes/table.ts';
import { openThreeNodeShop, Trial } from '../support/three-nodes/trial.ts';
import { withAdmin } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

/**
 * orderctl on three brokers that are moved, killed, paused and cut off, beside a steady flow of orders. Each ends with
 * the books: every acknowledged order decided once, stock and `audit --with-topic` as they must be.
 * `npm run cluster-test` does it as often as one likes.
 */

/** Two cores for three brokers, the binary and other tests: the long run, on its own, demands five seconds. */
const LIMIT_MS = 15_000;
const SCENARIO_TIMEOUT_MS = 180_000;

let cluster: ThreeNodes;
beforeAll(async () => {
  cluster = await ThreeNodes.start();
});
afterAll(() => cluster.stop());
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') process.stderr.write(`${cluster.logs()}\n`);
  await cluster.heal();
});

async function ends(trial: Trial): Promise<void> {
  await trial.balance();
  process.stderr.write(`${table(trial.measured)}\n`);
  expect(longest(trial.measured)).toBeLessThan(LIMIT_MS);
}

describe('a flow of orders, and', { timeout: SCENARIO_TIMEOUT_MS }, () => {
  test('graceful leader moves, by preferred election and by reassignment', async () => {
    const trial = await Trial.start(cluster);
    for (let move = 0; move < 10; move += 1) {
      await trial.during('preferred election', () => moveLeader(trial, move % 6));
    }
    await trial.during('reassignment', () => takeLeaderAway(trial, 5));
    await ends(trial);
  });

  test('each broker killed and started again', async () => {
    const trial = await Trial.start(cluster);
    for (const { id } of cluster.nodes) {
      await trial.during('kill -9', () => killAndRestart(trial, id, 500));
      await spreadLeaders(trial);
    }
    await ends(trial);
  });

  test('two of three killed and back', async () => {
    const trial = await Trial.start(cluster);
    await trial.during('two killed', () => twoAway(trial, 1, 3_000), [1, 2, 3]);
    await ends(trial);
  });

  test('a broker that takes connections and never answers, the first of the addresses', async () => {
    const trial = await Trial.start(cluster);
    await trial.during('paused', () => pauseNode(trial, 1, 3_000));
    await spreadLeaders(trial);
    await trial.during('silent to clients', () => cutFromClients(trial, 1, 6_000), [1]);
    await ends(trial);
  });

  test('a leader cut off from all, and one cut off from its peers alone', async () => {
    const trial = await Trial.start(cluster);
    await trial.during('cut off', () => cutOff(trial, 2, 2_000));
    await spreadLeaders(trial);
    await trial.during('cut off from its peers', () => cutFromPeers(trial, 3, 2_000));
    await ends(trial);
  });

  test('a partition without a leader: the others go on', async () => {
    const trial = await Trial.start(cluster, { configs: { 'min.insync.replicas': '1' } });
    await onlyReplica(trial, 5, 3);
    await trial.during('one partition without a leader', async () => {
      await leaderless(trial, 3, 5, async () => {
        await trial.decides([0, 1, 2, 3, 4]);
      });
    });
    await ends(trial);
  });

  test('a consumer that starts while one partition has no leader', async () => {
    const trial = await Trial.start(cluster, { configs: { 'min.insync.replicas': '1' } });
    await onlyReplica(trial, 5, 3);
    await leaderless(trial, 3, 5, async () => {
      await trial.restartConsumer();
      await trial.decides([0, 1, 2, 3, 4]);
    });
    await ends(trial);
  });

  test('partitions added, and moved at once', async () => {
    const trial = await Trial.start(cluster, { partitions: 3 });
    await withAdmin(
      (admin) => admin.createPartitions({ topicPartitions: [{ topic: trial.shop.topic, count: 6 }] }),
      cluster.node(1).address,
    );
    await trial.leaders.until('the new ones', () => trial.leaders.partitions.length === 6);
    await trial.decides();
    await trial.during('an added partition moved', () => moveLeader(trial, 4));
    await ends(trial);
  });

  test('dead letters are sent again while leaders move', async () => {
    const trial = await Trial.start(cluster);
    await waitFor('a dead letter', async () => (await trial.shop.lines('dlq list')).length > 1);
    await trial.during('redrive', async () => {
      const redriven = trial.shop.lines('dlq redrive --all --execute');
      for (const partition of [0, 1, 2]) await moveLeader(trial, partition);
      const summary = (await redriven).at(-1);
      expect(summary?.sent, JSON.stringify(summary)).toBeGreaterThan(0);
    });
    await ends(trial);
  });
});

test(
  'an unclean leader: records that took the place of others are not skipped',
  { timeout: 180_000 },
  async () => {
    const trial = await Trial.start(cluster, {
      partitions: 1,
      perSecond: 0,
      configs: { 'min.insync.replicas': '1', 'unclean.leader.election.enable': 'true' },
    });
    const { shop, leaders, decisions } = trial;
    const old = leaders.of(0).leader;
    const send = async (prefix: string, count: number): Promise<Set<string>> => {
      const orders = Array.from({ length: count }, (_, n) => orderOf(`${prefix}-${n}`, n));
      const connection = new NodeConnection(cluster.node(leaders.of(0).leader).port);
      const isTaken = (): Promise<boolean> =>
        produce(connection, shop.topic, 0, batchOf(orders)).then(
          () => true,
          (error: unknown) => {
            if (error instanceof Refusal && error.code === NOT_LEADER_OR_FOLLOWER) return false;
            throw error;
          },
        );
      while (!(await isTaken()));
      connection.close();
      return new Set(orders.map(({ id }) => id));
    };
    const decided = (ids: ReadonlySet<string>) =>
      waitFor(
        'them to be decided',
        () => decisions.ids().filter((id) => ids.has(id)).length,
        (n) => n >= ids.size,
      );

    await decided(await send('shared', 100));
    // Its followers fall out of sync, so that it takes records alone; then it is cut off from the controllers as well.
    cluster.node(old).links.peers.silence((from) => from !== null && from !== old);
    // One that has all there is falls behind by nothing: so there has to be more.
    await waitFor('a record that the leader takes alone', () => send('alone', 1));
    await leaders.until('the leader alone in sync', ({ inSync }) => inSync.length === 1);
    await decided(await send('lost', 200));
    cluster.cutFromPeers([old]);
    await leaders.until('an unclean leader', ({ leader }) => leader >= 0 && leader !== old);
    const kept = await send('kept', 300);
    cluster.cutFromPeers([]);
    await whole(trial);

    // It has seen that the topic is no longer what it read, and says so, or it has read on from where the two part.
    const ended = trial.consumer.exited.then(({ code, stderr }) => ({ code, stderr }));
    const result = await Promise.race([ended, decided(kept).then(() => undefined)]);
    if (result !== undefined) {
      expect(result.code, result.stderr).toBe(6);
      expect(result.stderr).toMatch(/fix:/);
      await shop.ok('consume --until-end --reset-to earliest');
    }
    const all = decisions.ids();
    expect(all.filter((id) => kept.has(id)).length).toBe(kept.size);
    expect(new Set(all).size, 'an order is decided once').toBe(all.length);
    if (result === undefined) await trial.stopConsumer();
    expectStock(shop);
    await shop.ok('audit');
  },
);

test('commands start while the first address never answers', { timeout: 180_000 }, async () => {
  const shop = await openThreeNodeShop(cluster);
  const trial = await Trial.start(cluster, { partitions: 3, perSecond: 0 });
  cluster.node(1).pause();
  onTestFinished(() => cluster.node(1).resume());
  await trial.leaders.until('other leaders', ({ leader }) => leader > 1);
  for (const command of ['produce --count 3', 'consume --until-end', 'offsets show', 'topics show']) {
    const began = Date.now();
    await shop.ok(command);
    const took = Date.now() - began;
    expect(took, `${command} took ${took} ms`).toBeLessThan(LIMIT_MS);
  }
});

test('what too few replicas took is not called failed', { timeout: 180_000 }, async () => {
  const shop = await openThreeNodeShop(cluster, { configs: { 'min.insync.replicas': '3' } });
  await cluster.node(3).kill();
  // Stored by the two that are left before anyone knows that the third is gone.
  const { stdout, code } = await shop.run('produce --count 20 -o json', { timeoutMs: 90_000 });
  await cluster.node(3).start();
  const lines = parseLines(stdout);
  const summary = lines.at(-1);
  await shop.ok('consume --until-end');
  const stored = new Set(
    [...shop.jsonl('orders.jsonl'), ...shop.jsonl('rejections.jsonl')].map((o) => o.order_id),
  );
  const said = (type: string) => lines.filter((line) => line.type === type).map((line) => line.order_id);
  for (const id of said('sent')) expect(stored).toContain(id);
  for (const id of said('failed')) expect(stored, `${id} is said to have failed`).not.toContain(id);
  expect(summary?.sent).toBe(said('sent').length);
  if (stored.size < 20 || summary?.sent !== 20) expect(code).toBe(5);
});
