import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';

import type { KafkaClient } from './client.ts';
import { isConnectionError, isPassing } from './errors.ts';
import { FetchedPartition } from './fetched-partition.ts';
import {
  createErrorFromCode,
  OFFSET_OUT_OF_RANGE,
  UNKNOWN_TOPIC_OR_PARTITION,
  type BrokerNode,
} from './kafkajs-internals.ts';
import { isCutShort, readInt64 } from './record-batch.ts';
import { fetchRecords, type FetchedData } from './requests.ts';

/** A portion of work of 1 to 4 MiB: large enough that its fdatasync is cheap, small enough for the memory. */
const MAX_PARTITION_BYTES = 2 * 1024 * 1024;
const MAX_BYTES = 6 * 1024 * 1024;
/** Fetched and not yet taken: beyond that nothing more is asked for. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** How long a broker holds the question while there is nothing new; also how long a seek may take. */
const MAX_WAIT_MS = 500;
const PAUSE_MS = 200;
/** New partitions are seen after that long. */
export const METADATA_AGE_MS = 10_000;

/** One partition's part in a question to one node; known by its identity. */
interface Question {
  readonly nodeId: number;
  readonly offset: number;
}

interface Slot {
  readonly partition: number;
  /** The offset to ask for next. */
  offset: number;
  /** The question that may be answered, of one node at a time. A seek and another leader take it back. */
  question: Question | undefined;
  data: FetchedPartition | undefined;
  /** The last answer brought nothing. */
  atEnd: boolean;
  /** Since when an answer is owed, milliseconds since the epoch. */
  waitingSince: number | null;
}

export interface FetcherOptions {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly signal: AbortSignal;
  /** The leaders by partition as metadata has them, read anew now and then; undefined while there is no topic. */
  readonly onLeaders: (leaderOf: ReadonlyMap<number, number> | undefined, clusterId: string) => void;
  /** Something happened after which positions are to be held against the topic again. */
  readonly onDoubt: () => void;
  /** An error that does not pass: the end. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Fetches ahead of the reader: one question per node under way, one answer per partition kept. While a batch is
 * worked on, the next ones arrive.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly #slots = new Map<number, Slot>();
  readonly #ready: Slot[] = [];
  readonly #asking = new Set<number>();
  #leaderOf: ReadonlyMap<number, number> = new Map();
  #leadersReadAt = 0;
  #refreshing: Promise<void> | undefined;
  #inHand: number | undefined;
  #order: number[] = [];
  #paused = true;
  #wake: () => void = () => undefined;
  /** Something happened since the reader last waited. */
  #isWoken = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** Reads from these offsets on, all partitions at once; what was fetched from elsewhere is thrown away. */
  assign(offsets: ReadonlyMap<number, number>): void {
    for (const [partition, offset] of offsets) {
      const slot = this.#slots.get(partition);
      if (slot === undefined) {
        this.#order.push(partition);
        const waitingSince = Date.now();
        this.#slots.set(partition, {
          partition,
          offset,
          question: undefined,
          data: undefined,
          atEnd: false,
          waitingSince,
        });
      } else if (slot.offset !== offset || slot.data !== undefined) {
        this.seek(partition, offset);
      }
    }
    this.#paused = false;
    this.#pump();
  }

  /** Nothing more is asked for until `assign`. */
  pause(): void {
    this.#paused = true;
  }

  seek(partition: number, offset: number): void {
    const slot = this.#slots.get(partition);
    if (slot === undefined) return;
    slot.question = undefined;
    slot.offset = offset;
    slot.data = undefined;
    slot.atEnd = false;
    const index = this.#ready.indexOf(slot);
    if (index >= 0) this.#ready.splice(index, 1);
    this.#pump();
  }

  /** The oldest answer that was not taken, or undefined. */
  peek(): { partition: number; data: FetchedPartition } | undefined {
    const slot = this.#ready[0];
    return slot?.data === undefined ? undefined : { partition: slot.partition, data: slot.data };
  }

  /** The partition's answer was read through; `next` is where it goes on. Its records are now in hand. */
  finish(partition: number, next: number): void {
    const slot = this.#slots.get(partition);
    if (slot === undefined || this.#ready[0] !== slot) return;
    this.#ready.shift();
    slot.data = undefined;
    slot.offset = next;
    this.#pump();
  }

  /** While a batch is worked on, nodes are asked for what comes next, but not to wait for what is not there. */
  hold(partition: number | undefined): void {
    this.#inHand = partition;
    this.#pump();
  }

  /** Resolves when there may be an answer to take, or `wake` was called. */
  async arrival(): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isWoken = false;
    // Whatever woke us, timers and signals come first: a reader that finds nothing cannot keep them out.
    await nextTurn();
  }

  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  /** The partitions that are owed an answer the longest, and since when. */
  overdue(): { since: number; partitions: number[] } | undefined {
    const owed = [...this.#slots.values()].filter((slot) => slot.waitingSince !== null);
    if (owed.length === 0) return undefined;
    const since = Math.min(...owed.map((slot) => slot.waitingSince ?? Infinity));
    return { since, partitions: owed.map(({ partition }) => partition).sort((a, b) => a - b) };
  }

  #pump(): void {
    if (this.#paused || this.#options.signal.aborted) return;
    if (Date.now() - this.#leadersReadAt > METADATA_AGE_MS) {
      this.#refresh();
      if (this.#leadersReadAt === 0) return;
    }
    let bufferedBytes = 0;
    for (const slot of this.#ready) bufferedBytes += slot.data?.sizeBytes ?? 0;
    if (bufferedBytes > MAX_BUFFERED_BYTES) return;
    for (const nodeId of new Set(this.#leaderOf.values())) {
      if (nodeId >= 0 && !this.#asking.has(nodeId)) this.#ask(nodeId);
    }
  }

  /** Begins a question to the node about those of its partitions that have no answer waiting. */
  #ask(nodeId: number): void {
    const led = this.#order.flatMap((partition) => {
      const slot = this.#slots.get(partition);
      return slot !== undefined && this.#leaderOf.get(partition) === nodeId ? [slot] : [];
    });
    const wanted = led.filter((slot) => slot.data === undefined && slot.question === undefined);
    // A node that waits for news cannot be asked for what is there: so it waits only when nobody is busy.
    const busy = this.#inHand !== undefined || this.#ready.length > 0;
    if (wanted.length === 0 || (busy && wanted.every((slot) => slot.atEnd))) return;
    const now = Date.now();
    const asked = wanted.map((slot) => {
      slot.waitingSince ??= now;
      slot.question = { nodeId, offset: slot.offset };
      return { slot, question: slot.question };
    });
    this.#asking.add(nodeId);
    void this.#question(nodeId, asked, busy ? 0 : MAX_WAIT_MS)
      .catch((error: unknown) => {
        this.#options.onFailed(error);
      })
      .finally(() => {
        this.#asking.delete(nodeId);
        for (const { slot, question } of asked) if (slot.question === question) slot.question = undefined;
        this.#pump();
        this.wake();
      });
  }

  async #question(
    nodeId: number,
    asked: readonly { slot: Slot; question: Question }[],
    maxWaitMs: number,
  ): Promise<void> {
    const { client, topic, signal } = this.#options;
    let node: BrokerNode | undefined;
    try {
      node = await client.node(nodeId);
      const answers = await fetchRecords(node, {
        topic,
        partitions: asked.map(({ slot, question }) => ({
          partition: slot.partition,
          offset: question.offset,
        })),
        maxWaitMs,
        maxBytes: MAX_BYTES,
        maxPartitionBytes: MAX_PARTITION_BYTES,
        readCommitted: true,
      });
      if (signal.aborted) return;
      let troubled = false;
      for (const answer of answers) {
        const found = asked.find(({ slot }) => slot.partition === answer.partition);
        if (found === undefined || found.slot.question !== found.question) continue;
        found.slot.question = undefined;
        if (!this.#answered(found.slot, found.question.offset, answer)) troubled = true;
      }
      if (troubled) await this.#settle();
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      if (node !== undefined && isConnectionError(error)) client.forget(node);
      // Who answers next at this address may be another cluster.
      this.#options.onDoubt();
      await this.#settle();
    }
  }

  /** @returns false when the partition's leader is to be found anew */
  #answered(slot: Slot, offset: number, answer: FetchedData): boolean {
    const { errorCode, highWatermark, logStart, records, aborted } = answer;
    if (errorCode === OFFSET_OUT_OF_RANGE || errorCode === UNKNOWN_TOPIC_OR_PARTITION) {
      this.#options.onDoubt();
      return false;
    }
    if (errorCode !== 0) {
      const error = createErrorFromCode(errorCode);
      if (isPassing(error) || errorCode === -1) return false;
      throw error;
    }
    slot.waitingSince = null;
    slot.atEnd = records.length === 0;
    if (slot.atEnd) return true;
    const others = this.#order.filter((partition) => partition !== slot.partition);
    if (isCutShort(records, 0)) {
      // The first that is asked for comes whole, however large.
      this.#order = [slot.partition, ...others];
      return true;
    }
    // A jump that compaction made lies within the log; one over deleted records is the end.
    if (logStart > offset && readInt64(records, 0) > offset) {
      this.#options.onDoubt();
      return false;
    }
    slot.data = new FetchedPartition({ fetchOffset: offset, highWatermark, buffer: records, aborted });
    this.#ready.push(slot);
    // Served last next time, so that a long backlog does not keep the others from being served.
    this.#order = [...others, slot.partition];
    this.wake();
    return true;
  }

  /** After trouble: a moment's pause, then the leaders as they are now. */
  async #settle(): Promise<void> {
    const { signal } = this.#options;
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    this.#leadersReadAt = Math.min(this.#leadersReadAt, 1);
    this.#refresh();
    await this.#refreshing;
  }

  /** A partition without a leader is owed an answer too, though nobody can be asked. */
  #oweLeaderless(): void {
    for (const slot of this.#slots.values()) {
      if ((this.#leaderOf.get(slot.partition) ?? -1) < 0) slot.waitingSince ??= Date.now();
    }
  }

  #refresh(): void {
    this.#refreshing ??= this.#readLeaders()
      .catch((error: unknown) => {
        this.#options.onFailed(error);
      })
      .finally(() => {
        this.#refreshing = undefined;
        this.#pump();
      });
  }

  async #readLeaders(): Promise<void> {
    const { client, topic, signal, onLeaders } = this.#options;
    while (!signal.aborted) {
      try {
        const { cluster, topic: found } = await client.topic(topic);
        this.#leadersReadAt = Date.now();
        if (found === undefined) {
          this.#leaderOf = new Map();
          this.#oweLeaderless();
          onLeaders(undefined, cluster.clusterId);
        } else {
          this.#leaderOf = new Map(found.partitions.map(({ partition, leader }) => [partition, leader]));
          for (const slot of this.#slots.values()) {
            // The one that led before may answer yet, or never.
            if (slot.question?.nodeId !== this.#leaderOf.get(slot.partition)) slot.question = undefined;
          }
          onLeaders(this.#leaderOf, cluster.clusterId);
          this.#oweLeaderless();
          if (found.partitions.every(({ leader }) => leader >= 0)) return;
        }
      } catch (error) {
        if (!isPassing(error)) throw error;
      }
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
