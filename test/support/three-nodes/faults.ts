import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { withAdmin } from '../topics.ts';
import { waitFor } from '../wait.ts';
import { comesBack, restart, succeeded, whole } from './events.ts';
import { batchOf, orderOf } from './flow.ts';
import { BURST_BYTES, type Machine } from './machine.ts';
import { NodeConnection, NOT_LEADER_OR_FOLLOWER, produce, Refusal } from './requests.ts';
import type { Trial } from './trial.ts';

/* Faults of a node that is on its own machine. Each waits until the fault had its effect. */

/** Both networks are cut or slow at once: a third one is for the test alone. */
const CABLES = ['clients', 'peers'] as const;
/** Maximum distance of a clock from its setting: a second until the change is noticed, and a slow machine. */
const CLOCK_WITHIN_MS = 60_000;

/** A full disk: the broker exits, as it does when its only disk fails, and restarts when there is room again. */
export async function fillDisk(trial: Trial, id: number, forMs: number): Promise<void> {
  const node = trial.cluster.node(id);
  const machine = machineOf(trial, id);
  machine.fillDisk();
  try {
    await node.ended();
    await succeeded(trial, id);
    await sleep(forMs);
  } finally {
    machine.freeDisk();
  }
  await node.start();
  await whole(trial);
}

/**
 * Limits the bits per second to and from a node, for clients and its peers alike; what does not fit into the queue is
 * lost. Meanwhile all partitions continue.
 */
export async function slowLinks(
  trial: Trial,
  id: number,
  bitsPerSecond: number,
  forMs: number,
): Promise<void> {
  const machine = machineOf(trial, id);
  const began = performance.now();
  for (const cable of CABLES) machine.limit(cable, bitsPerSecond);
  try {
    // Clients may use less than the cable's capacity, and so may copies from this node, if it leads little.
    await waitFor(
      'packets that wait on its cable to the other nodes',
      () => machine.carried('peers'),
      (ends) => ends.some(({ held }) => held > 0),
    );
    await sleep(forMs);
    await trial.decides();
    for (const cable of CABLES) {
      for (const { bytes } of machine.carried(cable)) {
        const seconds = (performance.now() - began) / 1_000;
        expect(bytes, `bytes to ${cable}`).toBeLessThanOrEqual((bitsPerSecond / 8) * seconds + BURST_BYTES);
      }
    }
  } finally {
    for (const cable of CABLES) machine.unlimit(cable);
  }
  await whole(trial);
}

/**
 * The node's clock jumps while it runs, and returns. After a jump ahead the node is then restarted, as an operator
 * would do: timers of Kafka's quorum use the wall clock, and would wait for those hours to pass again.
 */
export async function setClock(trial: Trial, id: number, aheadS: number, forMs: number): Promise<void> {
  const machine = machineOf(trial, id);
  const topic = await waitFor(`the clock of node ${id}`, () => clockOf(trial, id));
  await waitFor(`node ${id} to lead ${topic}`, () => isAhead(trial, id, topic, 0));
  machine.setClock(aheadS);
  try {
    await waitFor(`the clock of node ${id} to be ${aheadS} s ahead`, () => isFelt(trial, id, topic, aheadS));
    await sleep(forMs);
    // A node whose clock is behind refuses present records as too far ahead: the partitions it leads wait, and no
    // others.
    const led = trial.leaders.ledBy(id);
    const all = trial.leaders.partitions.map(({ partition }) => partition);
    await trial.decides(all.filter((partition) => !led.includes(partition)));
  } finally {
    machine.setClock(0);
  }
  if (aheadS > 0) await restart(trial, id);
  await comesBack(trial, id, `the clock of node ${id} to be right again`, async () => {
    return isAhead(trial, id, await clockOf(trial, id), 0);
  });
  await whole(trial);
}

let clocks = 0;

/**
 * A topic whose records have the time of this node, which alone has the partition. A new one each time, since a topic
 * whose only replica was killed may have no leader any more.
 */
async function clockOf(trial: Trial, id: number): Promise<string> {
  const topic = `clock-${++clocks}`;
  const configs = { 'message.timestamp.type': 'LogAppendTime', 'min.insync.replicas': '1' };
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const topics = [{ topic, replicaAssignment: [{ partition: 0, replicas: [id] }], configEntries }];
  await withAdmin((admin) => admin.createTopics({ topics }), trial.cluster.node(id).address);
  return topic;
}

/** Or the cluster has given up on it: the controller may hear nothing more from a node whose clock went back. */
async function isFelt(trial: Trial, id: number, topic: string, aheadS: number): Promise<boolean> {
  try {
    return await isAhead(trial, id, topic, aheadS);
  } catch (error) {
    if (aheadS < 0 && error instanceof Refusal && error.code === NOT_LEADER_OR_FOLLOWER) return true;
    throw error;
  }
}

/** @throws Refusal */
async function isAhead(trial: Trial, id: number, topic: string, aheadS: number): Promise<boolean> {
  const connection = new NodeConnection(trial.cluster.node(id).port);
  try {
    const { appendTimeMs } = await produce(connection, topic, 0, batchOf([orderOf('clock', 1)]));
    return Math.abs(appendTimeMs - Date.now() - aheadS * 1_000) < CLOCK_WITHIN_MS;
  } finally {
    connection.close();
  }
}

function machineOf(trial: Trial, id: number): Machine {
  const { machine } = trial.cluster.node(id);
  if (machine === undefined) throw new Error(`node ${id} has no machine of its own`);
  return machine;
}
