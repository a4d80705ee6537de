import { setImmediate as nextTurn } from 'node:timers/promises';

import type { TopicPartition } from '../../../ports/store.ts';
import type { FetchBudget } from '../fetch-budget.ts';
import { PartitionMap } from '../partition-map.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { isConnectionError, isPassing } from '../protocol/errors.ts';
import { FetchedPartition } from '../protocol/fetched-partition.ts';
import {
  createErrorFromCode,
  OFFSET_OUT_OF_RANGE,
  UNKNOWN_TOPIC_OR_PARTITION,
  type BrokerNode,
} from '../protocol/kafkajs.ts';
import type { Leaders } from './leaders.ts';
import { isCutShort, readInt64 } from '../protocol/record-batch.ts';
import { fetchRecords, type FetchedData } from '../protocol/requests/fetch.ts';
import { Slots, type Check, type Question, type Slot } from './slots.ts';

/** Share of an answer for one partition: a portion of work, large enough that its fdatasync is cheap. */
const PARTITION_SHARE = 1 / 3;
/** How long a broker holds a request while there is nothing new; also how long a seek may take. */
const MAX_WAIT_MS = 500;
/** An answer that was not taken yet, or not completely. */
export interface Ready {
  readonly of: TopicPartition;
  readonly data: FetchedPartition;
}

export interface FetcherOptions {
  readonly client: KafkaClient;
  readonly signal: AbortSignal;
  readonly leaders: Leaders;
  /** Shared by all consumers. */
  readonly budget: FetchBudget;
  /** See RunOptions.maxBatchRecords. */
  readonly portionRecords: number | undefined;
  /** Called soon after positions are in doubt and can be compared, once for all of them. */
  readonly onDoubt: () => void;
  /** Called with an error that does not pass, which ends the reading. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Fetches ahead of the reader: at most one request per node is under way, and one answer per partition is kept. The
 * next batches arrive while one is processed.
 *
 * An answer is discarded if it was requested before a seek or a doubt, or from the previous leader.
 */
export class Fetcher {
  readonly #options: FetcherOptions;
  readonly slots: Slots;
  readonly #ready: Slot[] = [];
  readonly #asking = new Set<number>();
  /** The partitions in the order of requests: the first that has records is served, whatever its size. */
  #order: Slot[] = [];
  #wake: () => void = () => undefined;
  /** Something happened since the reader last waited. */
  #isWoken = false;
  readonly #onRoom = (): void => {
    this.#pump();
  };

  constructor(options: FetcherOptions) {
    this.#options = options;
    const { leaders, signal, budget, onDoubt } = options;
    budget.join(this);
    this.slots = new Slots({
      leaders,
      signal,
      onDoubt,
      onDropped: (slot) => {
        this.#drop(slot);
      },
      onRested: () => {
        this.#pump();
      },
    });
  }

  /** Reads these partitions once their positions have been compared. @returns whether any of them is new */
  add(partitions: readonly TopicPartition[]): boolean {
    const added = partitions.filter((partition) => this.slots.get(partition) === undefined);
    for (const partition of added) {
      const slot = this.slots.add(partition);
      this.#order.push(slot);
      this.slots.doubt(slot);
    }
    return added.length > 0;
  }

  /** Stops reading these partitions. A batch of theirs that is being processed stays. */
  remove(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.slots.remove(partition);
    this.#order = this.#order.filter((slot) => this.slots.get(slot.of) === slot);
    this.#pump();
  }

  /** Leaves the budget: nothing more is read. */
  close(): void {
    this.#options.budget.leave(this);
  }

  /** The partition's position was compared: reading continues there. */
  assign(check: Check, offset: number): void {
    if (this.slots.settle(check)) this.seek(check.slot.of, offset);
  }

  seek(partition: TopicPartition, offset: number): void {
    const slot = this.slots.get(partition);
    if (slot === undefined) return;
    slot.offset = offset;
    slot.atEnd = false;
    this.#drop(slot);
    this.#pump();
  }

  /** The oldest answer that was not taken yet, or undefined. */
  peek(): Ready | undefined {
    const slot = this.#ready[0];
    return slot?.data === undefined ? undefined : { of: slot.of, data: slot.data };
  }

  /**
   * The partition's answer was read completely; `next` is the offset to read next. Its records are being processed
   * now.
   */
  finish(of: TopicPartition, next: number): void {
    const slot = this.slots.get(of);
    if (slot === undefined || this.#ready[0] !== slot) return;
    this.#ready.shift();
    slot.data = undefined;
    slot.offset = next;
    this.#pump();
  }

  /**
   * While a batch is processed, nodes are asked for what follows, but not to wait for records that do not exist yet.
   */
  hold(partition: TopicPartition | undefined): void {
    this.slots.inHand = partition === undefined ? undefined : this.slots.get(partition);
    this.#pump();
    this.slots.tellDoubt();
  }

  /** Resolves when something has happened: an answer, the end of a request, or `wake`. */
  async arrival(): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isWoken = false;
    // Whatever woke us, timers and signals run first: a reader that finds nothing must not block them.
    await nextTurn();
  }

  wake(): void {
    this.#isWoken = true;
    this.#wake();
  }

  #drop(slot: Slot): void {
    slot.question = undefined;
    slot.data = undefined;
    const index = this.#ready.indexOf(slot);
    if (index >= 0) this.#ready.splice(index, 1);
  }

  #pump(): void {
    if (this.#options.signal.aborted) return;
    let bufferedBytes = 0;
    for (const slot of this.#ready) bufferedBytes += slot.data?.sizeBytes ?? 0;
    const { budget } = this.#options;
    budget.update(this, bufferedBytes);
    if (!budget.hasRoom(this, this.#onRoom)) return;
    const askable = new Map<number, Slot[]>();
    for (const slot of this.#order) {
      if (slot.checked === undefined || slot.isResting || this.#asking.has(slot.checked.nodeId)) continue;
      if (slot.data !== undefined || slot.question !== undefined) continue;
      const { nodeId } = slot.checked;
      const led = askable.get(nodeId);
      if (led === undefined) askable.set(nodeId, [slot]);
      else led.push(slot);
    }
    for (const [nodeId, wanted] of askable) this.#ask(nodeId, wanted);
  }

  /** Starts a request to the node for those of its partitions that have no answer waiting. */
  #ask(nodeId: number, wanted: readonly Slot[]): void {
    const isBusy = this.slots.inHand !== undefined || this.#ready.length > 0;
    const isAtEnd = wanted.every((slot) => slot.atEnd);
    // While a node waits for new records it cannot be asked for existing ones, as it soon is after a ready answer is
    // taken.
    if (isAtEnd && this.#ready.some(({ checked }) => checked?.nodeId === nodeId)) return;
    const now = performance.now();
    const asked = new PartitionMap<{ slot: Slot; question: Question }>();
    for (const slot of wanted) {
      if (slot.checked === undefined) continue;
      slot.waitingSince ??= now;
      slot.question = { leader: slot.checked, offset: slot.offset };
      asked.set(slot.of, { slot, question: slot.question });
    }
    this.#asking.add(nodeId);
    void this.#question(nodeId, asked, isBusy && !isAtEnd ? 0 : MAX_WAIT_MS)
      .catch((error: unknown) => {
        this.#options.onFailed(error);
      })
      .finally(() => {
        this.#asking.delete(nodeId);
        for (const { slot, question } of asked.values()) {
          if (slot.question === question) slot.question = undefined;
        }
        this.#pump();
        this.wake();
      });
  }

  async #question(
    nodeId: number,
    asked: PartitionMap<{ slot: Slot; question: Question }>,
    maxWaitMs: number,
  ): Promise<void> {
    const { client, signal, leaders, budget } = this.#options;
    const maxBytes = budget.answerBytes;
    let node: BrokerNode | undefined;
    try {
      node = await client.node(nodeId);
      const answers = await fetchRecords(node, {
        partitions: [...asked].map(([of, { question }]) => ({
          ...of,
          offset: question.offset,
          leaderEpoch: question.leader.epoch,
        })),
        maxWaitMs,
        maxBytes,
        maxPartitionBytes: Math.floor(maxBytes * PARTITION_SHARE),
        readCommitted: true,
      });
      if (signal.aborted) return;
      for (const answer of answers) {
        const found = asked.get(answer);
        if (found === undefined || found.slot.question !== found.question) continue;
        found.slot.question = undefined;
        this.#answered(found.slot, found.question.offset, answer);
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      if (node !== undefined && isConnectionError(error)) client.forget(node);
      leaders.suspect(nodeId);
      this.slots.sawLeaders();
    }
  }

  #answered(slot: Slot, offset: number, answer: FetchedData): void {
    const { errorCode, highWatermark, stableEnd, logStart, records, aborted } = answer;
    if (errorCode !== 0) {
      this.#refused(slot, errorCode);
      return;
    }
    slot.waitingSince = null;
    this.slots.sawEnds(slot, answer);
    // Empty although there are records: the answer was full before it reached this partition.
    slot.atEnd = records.length === 0 && offset >= stableEnd;
    if (records.length === 0) return;
    // The first partition in a request is returned whole, however large, and each one comes first in its turn.
    if (isCutShort(records, 0)) return;
    // A jump made by compaction is within the log; one over deleted records puts the position in doubt.
    if (logStart > offset && readInt64(records, 0) > offset) {
      this.slots.doubt(slot);
      return;
    }
    const { portionRecords } = this.#options;
    const fetched = { fetchOffset: offset, highWatermark, buffer: records, aborted, portionRecords };
    slot.data = new FetchedPartition(fetched);
    this.#ready.push(slot);
    // Served last next time, so that a long backlog does not keep the others from being served.
    this.#order = [...this.#order.filter((other) => other !== slot), slot];
    this.wake();
  }

  #refused(slot: Slot, errorCode: number): void {
    if (errorCode === OFFSET_OUT_OF_RANGE || errorCode === UNKNOWN_TOPIC_OR_PARTITION) this.slots.doubt(slot);
    else {
      const error = createErrorFromCode(errorCode);
      if (!isPassing(error) && errorCode !== -1) throw error;
    }
    slot.waitingSince ??= performance.now();
    this.slots.rest(slot);
    this.#options.leaders.hurry();
  }
}
