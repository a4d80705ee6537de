import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../wait.ts';
import type { ThreeNodes } from './cluster.ts';
import { describePartitions, NodeConnection, type PartitionState } from './requests.ts';

export interface LeaderChange {
  readonly partition: number;
  readonly leader: number;
  /** When the first node reported it, in milliseconds since the epoch. */
  readonly at: number;
}

const POLL_MS = 40;

/** The leaders of a topic's partitions, as reported by the best informed node. */
export class Leaders {
  /** Includes partitions without a leader, with −1. */
  readonly changes: LeaderChange[] = [];
  /** By node: its last report, while it answers. */
  readonly #said = new Map<number, readonly PartitionState[]>();
  #best: readonly PartitionState[] = [];
  readonly #epochs = new Map<number, { leader: number; epoch: number }>();
  readonly #connections: NodeConnection[] = [];
  readonly #polls: Promise<void>[] = [];
  #stopped = false;

  constructor(cluster: ThreeNodes, topic: string) {
    for (const node of cluster.nodes) {
      const connection = new NodeConnection(node.port);
      this.#connections.push(connection);
      this.#polls.push(this.#poll(node.id, connection, topic));
    }
  }

  /**
   * Of the reports with the same epoch, the one with the fewest replicas in sync: a node that is cut off keeps
   * reporting the old state. While no node answers, the last known state.
   */
  get partitions(): readonly PartitionState[] {
    const best = new Map<number, PartitionState>();
    for (const state of [...this.#said.values()].flat()) {
      const other = best.get(state.partition);
      const isBetter =
        other === undefined ||
        state.epoch > other.epoch ||
        (state.epoch === other.epoch && state.inSync.length < other.inSync.length);
      if (isBetter) best.set(state.partition, state);
    }
    if (best.size > 0) this.#best = [...best.values()].sort((a, b) => a.partition - b.partition);
    return this.#best;
  }

  /** @throws Error when the partition does not exist */
  of(partition: number): PartitionState {
    const state = this.partitions.find((one) => one.partition === partition);
    if (state === undefined) throw new Error(`nobody knows partition ${partition}`);
    return state;
  }

  ledBy(node: number): number[] {
    return this.partitions.filter(({ leader }) => leader === node).map(({ partition }) => partition);
  }

  /** Waits until all partitions satisfy the condition. */
  async until(what: string, holds: (state: PartitionState) => boolean, timeoutMs = 60_000): Promise<void> {
    await waitFor(
      what,
      () => this.partitions,
      (all) => all.length > 0 && all.every(holds),
      {
        timeoutMs,
        everyMs: POLL_MS,
      },
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const connection of this.#connections) connection.close();
    await Promise.all(this.#polls);
  }

  async #poll(node: number, connection: NodeConnection, topic: string): Promise<void> {
    while (!this.#stopped) {
      const said = await describePartitions(connection, topic).catch(() => []);
      this.#said.set(node, said);
      for (const state of said) this.#compare(state);
      await sleep(POLL_MS);
    }
  }

  #compare({ partition, leader, epoch }: PartitionState): void {
    const before = this.#epochs.get(partition);
    if (before !== undefined && epoch <= before.epoch) return;
    this.#epochs.set(partition, { leader, epoch });
    if (before?.leader !== leader) this.changes.push({ partition, leader, at: Date.now() });
  }
}
