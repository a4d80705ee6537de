import { setTimeout as sleep } from 'node:timers/promises';

import type { KafkaClient } from '../protocol/client.ts';
import { isPassing } from '../protocol/errors.ts';
import type { TopicMetadata } from '../protocol/requests/metadata.ts';

/** New partitions are seen after that long. */
const METADATA_AGE_MS = 10_000;
/** While an answer is owed, the leaders are read that often. */
const TROUBLED_AGE_MS = 500;
/** The least time between two readings. */
const PAUSE_MS = 200;

/** Who leads a partition. Each change makes another object: the same one is the same reign. */
export interface Leader {
  readonly nodeId: number;
  /** Grows with each election. */
  readonly epoch: number;
}

export interface LeadersOptions {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly signal: AbortSignal;
  /** Whether something should have been answered by now. */
  readonly isTroubled: () => boolean;
  /** After each reading; no partitions: there is no topic. */
  readonly onRead: (partitions: readonly number[], clusterId: string) => void;
  /** An error that does not pass: the end. */
  readonly onFailed: (error: unknown) => void;
}

interface Known {
  /** nodeId −1 where there is none. */
  readonly leader: Leader;
  /** How often in a row an older epoch was read. */
  olderReads: number;
  /** The node did not answer: who answers next at its address may be of another cluster. */
  isSuspect: boolean;
}

/**
 * The leaders of the topic's partitions, read again every 10 s, twice a second while something is wrong, and soon
 * after `hurry`.
 *
 * A node that is cut off from the others goes on telling of the leaders that it knew, itself perhaps: an epoch
 * older than the one that was read before is news only when nobody says otherwise, as of a topic that was made
 * again.
 */
export class Leaders {
  readonly #options: LeadersOptions;
  readonly #known = new Map<number, Known>();
  #clusterId = '';
  #isHurried = false;
  #endPause: () => void = () => undefined;

  constructor(options: LeadersOptions) {
    this.#options = options;
  }

  /** Empty before the first reading. */
  get clusterId(): string {
    return this.#clusterId;
  }

  /** Undefined while the partition has none, or its leader is to be read again. */
  of(partition: number): Leader | undefined {
    const known = this.#known.get(partition);
    return known === undefined || known.isSuspect || known.leader.nodeId < 0 ? undefined : known.leader;
  }

  /** The node that led when the leaders were last read; null for none. */
  lastOf(partition: number): number | null {
    const nodeId = this.#known.get(partition)?.leader.nodeId ?? -1;
    return nodeId < 0 ? null : nodeId;
  }

  /** The node did not answer: its partitions are led by nobody until the leaders are read again, which is soon. */
  suspect(nodeId: number): void {
    for (const known of this.#known.values()) if (known.leader.nodeId === nodeId) known.isSuspect = true;
    this.hurry();
  }

  /** Reads until the signal aborts. */
  async run(): Promise<void> {
    const { signal, onFailed } = this.#options;
    while (!signal.aborted) {
      this.#isHurried = false;
      try {
        await this.#read();
      } catch (error) {
        if (!isPassing(error)) onFailed(error);
        this.#isHurried = true;
      }
      await this.#pause();
    }
  }

  /** Reads again soon. */
  hurry(): void {
    this.#isHurried = true;
    this.#endPause();
  }

  async #pause(): Promise<void> {
    const { signal, isTroubled } = this.#options;
    const readAt = Date.now();
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    while (!signal.aborted && !this.#isHurried) {
      const ageMs = Date.now() - readAt;
      if (ageMs >= METADATA_AGE_MS || (ageMs >= TROUBLED_AGE_MS && isTroubled())) return;
      const early = new AbortController();
      this.#endPause = () => {
        early.abort();
      };
      await sleep(TROUBLED_AGE_MS, undefined, { signal: AbortSignal.any([signal, early.signal]) }).catch(
        () => undefined,
      );
    }
  }

  async #read(): Promise<void> {
    const { client, topic, signal, onRead } = this.#options;
    const { cluster, topic: found } = await client.topic(topic);
    if (signal.aborted) return;
    const isOther = cluster.clusterId !== this.#clusterId;
    if (isOther || found === undefined) this.#known.clear();
    this.#clusterId = cluster.clusterId;
    const partitions = found?.partitions ?? [];
    for (const read of partitions) this.#take(read, cluster.brokers.length);
    for (const partition of this.#known.keys()) {
      if (!partitions.some((read) => read.partition === partition)) this.#known.delete(partition);
    }
    onRead(
      partitions.map(({ partition }) => partition),
      cluster.clusterId,
    );
  }

  #take({ partition, leader, epoch }: TopicMetadata['partitions'][number], nodes: number): void {
    const known = this.#known.get(partition);
    if (known !== undefined && epoch < known.leader.epoch) {
      known.olderReads += 1;
      // Each reading begins with another node, so by then every one of them was asked.
      if (known.olderReads < 2 * nodes) return;
    }
    const isSame = known?.leader.nodeId === leader && known.leader.epoch === epoch;
    if (isSame && !known.isSuspect) known.olderReads = 0;
    else this.#known.set(partition, { leader: { nodeId: leader, epoch }, olderReads: 0, isSuspect: false });
  }
}
