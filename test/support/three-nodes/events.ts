import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../wait.ts';
import { electLeader, NodeConnection, reassign } from './requests.ts';
import type { Trial } from './trial.ts';

const THREE = 3;
/** What a node has not done after this time, it will not do by itself. */
const LAGS_MS = 30_000;

/** Sends one request to any node that answers: it forwards the request to the controller. */
export async function asking<T>(trial: Trial, ask: (node: NodeConnection) => Promise<T>): Promise<T> {
  let failure: unknown;
  for (const node of trial.cluster.nodes.filter(({ runs }) => runs)) {
    const connection = new NodeConnection(node.port);
    try {
      return await ask(connection);
    } catch (error) {
      failure = error;
    } finally {
      connection.close();
    }
  }
  throw failure;
}

/** Waits until all replicas are in sync, as required before the next event. */
export async function whole(trial: Trial, replicas = THREE): Promise<void> {
  await trial.leaders.until(
    'all replicas in sync',
    ({ leader, inSync }) => leader >= 0 && inSync.length >= replicas,
  );
}

/** A graceful leader move: another replica becomes the preferred one and is elected. */
export async function moveLeader(trial: Trial, partition: number): Promise<void> {
  const { replicas, leader } = trial.leaders.of(partition);
  const [next, ...rest] = replicas.filter((replica) => replica !== leader);
  if (next === undefined) throw new Error(`partition ${partition} has one replica`);
  await asking(trial, async (node) => {
    await reassign(node, trial.shop.topic, partition, [next, ...rest, leader]);
    await electLeader(node, trial.shop.topic, partition);
  });
  await leads(trial, partition, next);
}

/** A move by reassignment: the leader is removed from the partition's replicas, and added again as the last one. */
export async function takeLeaderAway(trial: Trial, partition: number): Promise<void> {
  const { replicas, leader } = trial.leaders.of(partition);
  const rest = replicas.filter((replica) => replica !== leader);
  await asking(trial, (node) => reassign(node, trial.shop.topic, partition, rest));
  await trial.leaders.until(
    `partition ${partition} without node ${leader}`,
    (state) => state.partition !== partition || (state.leader !== leader && state.replicas.length < THREE),
  );
  await asking(trial, (node) => reassign(node, trial.shop.topic, partition, [...rest, leader]));
  await whole(trial);
}

export async function leads(trial: Trial, partition: number, leader: number): Promise<void> {
  await trial.leaders.until(
    `node ${leader} to lead partition ${partition}`,
    (state) => state.partition !== partition || state.leader === leader,
  );
}

/** Spreads the leaders over the nodes, since a node that was down leads nothing. */
export async function spreadLeaders(trial: Trial): Promise<void> {
  for (const { partition, leader, replicas } of trial.leaders.partitions) {
    const wanted = (partition % THREE) + 1;
    if (leader === wanted || !replicas.includes(wanted)) continue;
    const order = [wanted, ...replicas.filter((replica) => replica !== wanted)];
    await asking(trial, (node) => reassign(node, trial.shop.topic, partition, order));
    await elect(trial, partition, wanted);
    await leads(trial, partition, wanted);
  }
  // A node that was down cannot succeed before it has caught up.
  await whole(trial);
}

/** A node that has just returned may fall out of sync for a moment, and is not elected then. */
async function elect(trial: Trial, partition: number, wanted: number): Promise<void> {
  await comesBack(trial, wanted, `an election for partition ${partition}`, async () => {
    await asking(trial, (node) => electLeader(node, trial.shop.topic, partition));
    return true;
  });
}

/**
 * Waits for what a node must do again. Kafka gives up some replicas ("marked as failed") until the broker is restarted,
 * so this restarts it, as operators would.
 */
export async function comesBack(
  trial: Trial,
  id: number,
  what: string,
  isBack: () => Promise<boolean>,
): Promise<void> {
  try {
    await waitFor(what, isBack, Boolean, { timeoutMs: LAGS_MS });
  } catch (error) {
    process.stderr.write(
      `node ${id} is started again: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    await restart(trial, id);
    await waitFor(what, isBack);
  }
}

export async function restart(trial: Trial, id: number): Promise<void> {
  const node = trial.cluster.node(id);
  await node.kill();
  await node.start();
}

/** Waits until the partitions that a node led have another leader. */
export async function succeeded(trial: Trial, node: number): Promise<void> {
  await trial.leaders.until(`node ${node} to lead nothing`, ({ leader }) => leader >= 0 && leader !== node);
}

export async function killAndRestart(trial: Trial, id: number, awayMs: number): Promise<void> {
  const node = trial.cluster.node(id);
  await node.kill();
  await succeeded(trial, id);
  await sleep(awayMs);
  await node.start();
  await whole(trial);
}

/** It accepts connections and never answers: its partitions get other leaders. */
export async function pauseNode(trial: Trial, id: number, forMs: number): Promise<void> {
  const node = trial.cluster.node(id);
  node.pause();
  try {
    await succeeded(trial, id);
    await sleep(forMs);
  } finally {
    node.resume();
  }
  await whole(trial);
}

/** Cut off from clients and from its peers. */
export async function cutOff(trial: Trial, id: number, forMs: number): Promise<void> {
  const { cluster } = trial;
  cluster.node(id).links.clients.silence(() => true);
  await cutFromPeers(trial, id, forMs).finally(() => cluster.node(id).links.clients.heal());
}

/** Cut off only from its peers: it keeps answering clients, with outdated answers. */
export async function cutFromPeers(trial: Trial, id: number, forMs: number): Promise<void> {
  trial.cluster.cutFromPeers([id]);
  try {
    await succeeded(trial, id);
    await sleep(forMs);
  } finally {
    trial.cluster.cutFromPeers([]);
  }
  await whole(trial);
}

/** Cut off only from clients: it keeps leading partitions that no client can read. */
export async function cutFromClients(trial: Trial, id: number, forMs: number): Promise<void> {
  const { clients } = trial.cluster.node(id).links;
  clients.silence(() => true);
  await sleep(forMs);
  clients.heal();
}

/** Only one node is left, too few for an election or an acknowledgement; then the others return. */
export async function twoAway(trial: Trial, left: number, forMs: number): Promise<void> {
  const others = trial.cluster.nodes.filter(({ id }) => id !== left);
  await Promise.all(others.map((node) => node.kill()));
  await sleep(forMs);
  await Promise.all(others.map((node) => node.start()));
  await whole(trial);
}

/** Reassigns a partition to a single node. */
export async function onlyReplica(trial: Trial, partition: number, node: number): Promise<void> {
  await asking(trial, (any) => reassign(any, trial.shop.topic, partition, [node]));
  await trial.leaders.until(
    `partition ${partition} on node ${node} alone`,
    (state) => state.partition !== partition || (state.leader === node && state.replicas.length === 1),
  );
}

/** Kills the only replica of a partition, and restarts it when `meanwhile` is done. */
export async function leaderless(
  trial: Trial,
  id: number,
  partition: number,
  meanwhile: () => Promise<void>,
): Promise<void> {
  const node = trial.cluster.node(id);
  await node.kill();
  await trial.leaders.until(
    `partition ${partition} without a leader and the others with one`,
    (state) => (state.partition === partition) === state.leader < 0,
  );
  await meanwhile();
  await node.start();
  await trial.leaders.until(
    'all replicas in sync',
    ({ leader, inSync, replicas }) => leader >= 0 && inSync.length === replicas.length,
  );
}
