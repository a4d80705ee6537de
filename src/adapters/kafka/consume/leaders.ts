import { setTimeout as sleep } from 'node:timers/promises';

import { byTopic } from '../../../domain/topics/by-topic.ts';
import type { TopicPartition } from '../../../ports/store.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { isPassing } from '../protocol/errors.ts';
import { PartitionMap } from '../partition-map.ts';
import type { Leader, TopicMetadata } from '../protocol/requests/metadata.ts';

/**
 * New partitions are seen after this time. So are the new leaders when a node is cut off from the others and still
 * answers as if it led; one reading later if that node itself is the one asked.
 */
const METADATA_AGE_MS = 1_000;
/** While an answer is overdue, the leaders are read this often. */
const TROUBLED_AGE_MS = 500;
/** Least time between two readings. */
const PAUSE_MS = 200;

export interface LeadersOptions {
  readonly client: KafkaClient;
  readonly topics: readonly string[];
  /** Topics that this consumer does not read: `onRead` has their partitions too, if they exist. */
  readonly others: () => readonly string[];
  /** The number of partitions that each topic had before. */
  readonly partitionsRead: () => ReadonlyMap<string, number>;
  readonly signal: AbortSignal;
  /** Whether an answer is overdue. */
  readonly isTroubled: () => boolean;
  /**
   * Called after each reading, with the partitions of each topic; a topic that does not exist is absent.
   *
   * @param madeAgain topics that were deleted and recreated since the previous reading
   */
  readonly onRead: (
    partitions: ReadonlyMap<string, readonly number[]>,
    clusterId: string,
    madeAgain: ReadonlySet<string>,
  ) => void;
  /** Called with an error that does not pass, which ends the reading. */
  readonly onFailed: (error: unknown) => void;
}

type Read = TopicMetadata['partitions'][number] & Pick<Known, 'topicId'>;

interface Known {
  /** Id of the topic, which changes when it is deleted and recreated. null while no node has reported it. */
  topicId: string | null;
  /** nodeId −1 for no leader. Each change makes another object: the same object means the same reign. */
  readonly leader: Leader;
  /** How many readings in a row had an older epoch, or no such partition. */
  olderReads: number;
  /**
   * The node did not answer, and the next one to answer at its address may be of another cluster. Or a reading had
   * another topic of that name.
   */
  isSuspect: boolean;
}

/**
 * The leaders of the partitions of all topics, read again every second, every half second while something is wrong,
 * and soon after `hurry`.
 *
 * A node that is cut off from the others keeps reporting the leaders that it knew, perhaps itself, and as many
 * partitions. An epoch older than the last one read, a missing partition, or another topic of the same name is
 * therefore believed only when no node contradicts it.
 */
export class Leaders {
  readonly #options: LeadersOptions;
  readonly #known = new PartitionMap<Known>();
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

  /** The partitions that exist, also while the node that is asked does not know all of them. */
  get partitions(): TopicPartition[] {
    return this.#known.keys();
  }

  /** Undefined while the partition has no leader, or its leader must be read again. */
  of(partition: TopicPartition): Leader | undefined {
    const known = this.#known.get(partition);
    return known === undefined || known.isSuspect || known.leader.nodeId < 0 ? undefined : known.leader;
  }

  /** The node that led at the last reading; null for none. */
  lastOf(partition: TopicPartition): number | null {
    const nodeId = this.#known.get(partition)?.leader.nodeId ?? -1;
    return nodeId < 0 ? null : nodeId;
  }

  /** The node did not answer: its partitions have no leader until the leaders are read again, which is soon. */
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
    const readAt = performance.now();
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    while (!signal.aborted && !this.#isHurried) {
      const ageMs = performance.now() - readAt;
      if (ageMs >= METADATA_AGE_MS || (ageMs >= TROUBLED_AGE_MS && isTroubled())) return;
      const early = new AbortController();
      this.#endPause = () => {
        early.abort();
      };
      const restMs = (ageMs < TROUBLED_AGE_MS ? TROUBLED_AGE_MS : METADATA_AGE_MS) - ageMs;
      await sleep(restMs, undefined, { signal: AbortSignal.any([signal, early.signal]) }).catch(
        () => undefined,
      );
    }
  }

  async #read(): Promise<void> {
    const { client, topics, signal, onRead } = this.#options;
    const before = { others: this.#options.others(), partitions: this.#options.partitionsRead() };
    const { cluster, topics: found } = await client.topics(topics, before);
    if (signal.aborted) return;
    if (cluster.clusterId !== this.#clusterId) this.#known.clear();
    this.#clusterId = cluster.clusterId;
    const nodes = cluster.brokers.length;
    const read = new PartitionMap<Read>();
    for (const { topic, id, partitions } of found) {
      for (const state of partitions)
        read.set({ topic, partition: state.partition }, { ...state, topicId: id });
    }
    const madeAgain = new Set<string>();
    for (const [of, state] of read) if (this.#take(of, state, nodes)) madeAgain.add(of.topic);
    for (const [of, known] of this.#known) {
      if (read.get(of) !== undefined) continue;
      const topicExists = found.some(({ topic }) => topic === of.topic);
      if (!topicExists || this.#isBelieved(known, nodes)) this.#known.delete(of);
    }
    const known = byTopic(this.#known.keys());
    const numbers = (topic: string): number[] => (known.get(topic) ?? []).map(({ partition }) => partition);
    onRead(new Map(found.map(({ topic }) => [topic, numbers(topic)])), cluster.clusterId, madeAgain);
  }

  /** @returns whether the topic was recreated since the partition was last read */
  #take(of: TopicPartition, { topicId, leader, epoch }: Read, nodes: number): boolean {
    const known = this.#known.get(of);
    const before = known?.topicId ?? null;
    // Node and epoch may be the same as before.
    const isMadeAgain = before !== null && topicId !== null && topicId !== before;
    const isNews = known === undefined || (!isMadeAgain && epoch >= known.leader.epoch);
    if (!isNews && !this.#isBelieved(known, nodes)) {
      if (isMadeAgain) {
        // Until that is known, records might be read from either topic.
        known.isSuspect = true;
        this.hurry();
      }
      return false;
    }
    const isSame = !isMadeAgain && known?.leader.nodeId === leader && known.leader.epoch === epoch;
    if (isSame && !known.isSuspect) {
      known.olderReads = 0;
      known.topicId ??= topicId;
      return false;
    }
    const reign = { nodeId: leader, epoch };
    this.#known.set(of, { topicId: topicId ?? before, leader: reign, olderReads: 0, isSuspect: false });
    return isMadeAgain;
  }

  /** @returns whether to believe what was just read although it is older than what is known */
  #isBelieved(known: Known, nodes: number): boolean {
    known.olderReads += 1;
    // Each reading starts with another node, so by then every node was asked.
    return known.olderReads >= 2 * nodes;
  }
}
