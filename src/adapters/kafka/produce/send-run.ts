import { setTimeout as sleep } from 'node:timers/promises';

import type { SendOutcome, SendRecord, SendResult } from '../../../ports/broker.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { encodeBatch } from '../protocol/encode-batch.ts';
import { answerOf, isConnectionError, isPassing, toFailure, unreachable } from '../protocol/errors.ts';
import {
  createErrorFromCode,
  LEADER_NOT_AVAILABLE,
  UNKNOWN_TOPIC_OR_PARTITION,
  type BrokerNode,
} from '../protocol/kafkajs.ts';
import { halve, queuesOf, type Pending } from './pending.ts';
import { produceBatches, type ProducedData } from '../protocol/requests/produce.ts';
import { endOf, type EndOptions } from './send-end.ts';

/** How long a leader may wait for its replicas; the next attempt continues to wait for the same batch. */
const ACKNOWLEDGE_TIMEOUT_MS = 2_000;
/** How long a node may be silent, plus what a slow link needs for the request; doubled after each silence. */
const SILENCE_MS = 3_000;
const SLOW_LINK_BYTES_PER_MS = 1_024;
const LONGEST_SILENCE_MS = 15_000;
/** How long a new topic may be unknown to some nodes. */
const UNKNOWN_TOPIC_MS = 3_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Kafka's error codes for a batch. */
const MESSAGE_TOO_LARGE = new Set([10, 18]);
/** The record itself is refused: it has no key, and the topic is compacted. */
const RECORD_REFUSED = new Set([43, 87]);
/** The clocks of the broker and this machine differ: once they agree, the batch is accepted with its new time. */
const INVALID_TIMESTAMP = 32;
const DUPLICATE_SEQUENCE = 46;
/** The broker lost track of our sequence numbers, or we did: a new producer id starts from scratch. */
const LOST_SEQUENCE = new Set([45, 47, 59]);
/** UNKNOWN_SERVER_ERROR, REQUEST_TIMED_OUT, NETWORK_EXCEPTION, NOT_ENOUGH_REPLICAS_AFTER_APPEND, KAFKA_STORAGE_ERROR. */
const PERHAPS_STORED = new Set([-1, 7, 13, 20, 56]);

/** What outlives one send: the producer id, and the sequence numbers and leaders of partitions. */
export interface ProducerState {
  readonly client: KafkaClient;
  id(): { readonly producerId: number; readonly producerEpoch: number };
  /** Gets a new producer id; all sequence numbers start again. @throws Failure broker_unreachable, broker_refused */
  begin(): Promise<void>;
  sequence(topic: string, partition: number): number;
  /** This many more records of the partition are stored. */
  stored(topic: string, partition: number, records: number): void;
  /** Leaders by partition, −1 where there is none. Rejects with UNKNOWN_TOPIC_OR_PARTITION. */
  leaders(topic: string, again: boolean): Promise<readonly number[]>;
  /** The partition for a record without a key. */
  nextPartition(partitions: number): number;
}

export interface SendRunOptions extends EndOptions {
  readonly topic: string;
  readonly records: readonly SendRecord[];
}

/**
 * One send. Each partition's batches are sent in order, one at a time. Each node has one request under way, and a
 * silent node delays only its own partitions. An unanswered batch is sent again as the very same bytes before any
 * other of its partition, so that it is stored once.
 */
export class SendRun {
  readonly #state: ProducerState;
  readonly #options: SendRunOptions;
  readonly #outcomes: (SendOutcome | undefined)[];
  #queues = new Map<number, Pending[]>();
  /** Requests under way, by node. */
  readonly #requests = new Map<number, { done: Promise<void>; node: BrokerNode | undefined }>();
  readonly #silences = new Map<number, number>();
  /** The leaders are being read; resolves when they are known, or after a pause. */
  #asking: Promise<void> | undefined;
  #leaders: readonly number[] = [];
  #pauseMs = FIRST_PAUSE_MS;
  /** Why the latest retry was needed. */
  #trouble: unknown;
  /** An error that a retry does not fix. */
  #fatal: { readonly error: unknown } | undefined;
  #lostSequence = false;
  #isOver = false;
  readonly #startedAt = performance.now();

  constructor(state: ProducerState, options: SendRunOptions) {
    this.#state = state;
    this.#options = options;
    this.#outcomes = new Array<SendOutcome | undefined>(options.records.length);
  }

  async run(): Promise<SendResult> {
    const end = endOf(this.#options);
    try {
      await Promise.race([this.#all(end.signal), end.reached]);
    } catch (error) {
      this.#fatal ??= { error };
    } finally {
      this.#isOver = true;
      end.cancel();
    }
    // Requests under way are no longer waited for, not even by the next send.
    for (const { node } of this.#requests.values()) if (node !== undefined) this.#state.client.forget(node);
    return this.#result();
  }

  async #all(end: AbortSignal): Promise<void> {
    const { topic, records } = this.#options;
    while (!(await this.#learnLeaders(false))) if (this.#fatal !== undefined || end.aborted) return;
    const next = (partitions: number): number => this.#state.nextPartition(partitions);
    this.#queues = queuesOf(records, this.#leaders.length, next);
    while (this.#queues.size > 0 && !end.aborted) {
      // Requests under way are waited for in any case.
      if (this.#fatal === undefined && !this.#lostSequence) this.#request();
      const waits = [...this.#requests.values()].map(({ done }) => done);
      if (this.#asking !== undefined) waits.push(this.#asking);
      if (waits.length > 0) await Promise.race(waits);
      else if (this.#fatal === undefined) await this.#beginAgain(topic);
      else return;
    }
  }

  /** Sends unanswered batches again under a new id: order ids make a second copy harmless. */
  async #beginAgain(topic: string): Promise<void> {
    await this.#state.begin();
    this.#lostSequence = false;
    for (const queue of this.#queues.values()) for (const pending of queue) pending.bytes = undefined;
    this.#leaders = await this.#state.leaders(topic, true);
  }

  /** Starts every request that can start: the first batch of each waiting partition, one request per leader. */
  #request(): void {
    const byNode = new Map<number, Pending[]>();
    for (const [partition, [pending]] of this.#queues) {
      if (pending === undefined || pending.isUnderWay) continue;
      const leader = this.#leaders[partition] ?? -1;
      if (leader < 0) this.#trouble = createErrorFromCode(LEADER_NOT_AVAILABLE);
      if (leader < 0 || pending.waits) this.#askAgain();
      else if (!this.#requests.has(leader)) byNode.set(leader, [...(byNode.get(leader) ?? []), pending]);
    }
    for (const [nodeId, batches] of byNode) {
      for (const pending of batches) pending.isUnderWay = true;
      const request = { done: Promise.resolve(), node: undefined };
      this.#requests.set(nodeId, request);
      request.done = this.#send(nodeId, batches, request).finally(() => {
        if (this.#hasEnded()) return;
        for (const pending of batches) pending.isUnderWay = false;
        this.#requests.delete(nodeId);
      });
    }
  }

  async #send(
    nodeId: number,
    batches: readonly Pending[],
    request: { node: BrokerNode | undefined },
  ): Promise<void> {
    const { topic } = this.#options;
    const { client } = this.#state;
    let node: BrokerNode | undefined;
    try {
      node = await client.node(nodeId);
      if (this.#hasEnded()) return;
      request.node = node;
      const encoded = batches.map((pending) => ({
        partition: pending.partition,
        bytes: (pending.bytes ??= this.#encode(pending)),
      }));
      const answers = await produceBatches(node, topic, encoded, {
        acknowledgeMs: ACKNOWLEDGE_TIMEOUT_MS,
        silenceMs: this.#silenceMs(nodeId, encoded),
      });
      // An answer after the end does not count: other records may have its sequence numbers.
      if (this.#hasEnded()) return;
      this.#silences.delete(nodeId);
      const byPartition = new Map(answers.map((answer) => [answer.partition, answer]));
      for (const pending of batches) this.#take(pending, byPartition.get(pending.partition));
    } catch (error) {
      if (this.#hasEnded()) return;
      if (node !== undefined && isConnectionError(error)) {
        client.forget(node);
        this.#silences.set(nodeId, (this.#silences.get(nodeId) ?? 0) + 1);
        // They may have been stored before the connection was lost.
        for (const pending of batches) pending.perhapsStored = true;
      }
      this.#fail(batches, error);
    }
  }

  #hasEnded(): boolean {
    return this.#isOver;
  }

  #silenceMs(nodeId: number, batches: readonly { readonly bytes: Buffer }[]): number {
    const sizeBytes = batches.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const once = SILENCE_MS + sizeBytes / SLOW_LINK_BYTES_PER_MS;
    return Math.min(once * 2 ** (this.#silences.get(nodeId) ?? 0), LONGEST_SILENCE_MS);
  }

  #encode({ partition, indexes }: Pending): Buffer {
    const { topic, records } = this.#options;
    const batch = indexes.flatMap((index) => records[index] ?? []);
    const baseSequence = this.#state.sequence(topic, partition);
    return encodeBatch(batch, { ...this.#state.id(), baseSequence, timestampMs: Date.now() });
  }

  #take(pending: Pending, answer: ProducedData | undefined): void {
    const { topic } = this.#options;
    const { partition, indexes } = pending;
    const errorCode = answer?.errorCode ?? UNKNOWN_TOPIC_OR_PARTITION;
    if (answer !== undefined && (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE)) {
      const { baseOffset } = answer;
      this.#state.stored(topic, partition, indexes.length);
      indexes.forEach((index, delta) => {
        // The broker answers −1 for a duplicate whose offset it no longer knows.
        this.#outcomes[index] = { partition, offset: baseOffset < 0 ? -1 : baseOffset + delta };
      });
      this.#replace(partition, []);
      this.#pauseMs = FIRST_PAUSE_MS;
    } else if (MESSAGE_TOO_LARGE.has(errorCode) || RECORD_REFUSED.has(errorCode)) {
      // A batch is refused as a whole: halving it finds the records at fault.
      const why = RECORD_REFUSED.has(errorCode) ? 'refused' : 'too_large';
      const halves = halve(pending);
      if (halves.length === 0) for (const index of indexes) this.#outcomes[index] = why;
      this.#replace(partition, halves);
    } else if (LOST_SEQUENCE.has(errorCode)) {
      this.#lostSequence = true;
    } else {
      if (PERHAPS_STORED.has(errorCode)) pending.perhapsStored = true;
      if (errorCode === INVALID_TIMESTAMP) pending.bytes = undefined;
      const error = createErrorFromCode(errorCode);
      this.#fail([pending], error, errorCode === UNKNOWN_TOPIC_OR_PARTITION || isPassing(error));
    }
  }

  #fail(batches: readonly Pending[], error: unknown, passing = isPassing(error)): void {
    this.#trouble = error;
    if (!passing) this.#fatal ??= { error };
    for (const pending of batches) pending.waits = true;
  }

  /** The first batch of a partition is finished. */
  #replace(partition: number, instead: readonly Pending[]): void {
    const queue = [...instead, ...(this.#queues.get(partition) ?? []).slice(1)];
    if (queue.length === 0) this.#queues.delete(partition);
    else this.#queues.set(partition, queue);
  }

  #askAgain(): void {
    this.#asking ??= this.#learnLeaders(true).then(() => {
      for (const [pending] of this.#queues.values()) if (pending !== undefined) pending.waits = false;
      this.#asking = undefined;
    });
  }

  /** @returns whether they are known; if not, after a pause */
  async #learnLeaders(again: boolean): Promise<boolean> {
    try {
      if (again) await this.#pause();
      this.#leaders = await this.#state.leaders(this.#options.topic, again);
      return true;
    } catch (error) {
      this.#trouble = error;
      const isNew = performance.now() - this.#startedAt < UNKNOWN_TOPIC_MS;
      if (!isPassing(error) && !(isNew && answerOf(error) === 'UNKNOWN_TOPIC_OR_PARTITION'))
        this.#fatal ??= { error };
      if (!again) await this.#pause();
      return false;
    }
  }

  async #pause(): Promise<void> {
    await sleep(this.#pauseMs);
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }

  #result(): SendResult {
    for (const queue of this.#queues.values()) {
      for (const { indexes, isUnderWay, perhapsStored } of queue) {
        const outcome = isUnderWay || perhapsStored ? 'unknown' : 'not_sent';
        for (const index of indexes) this.#outcomes[index] = outcome;
      }
    }
    const outcomes = Array.from(this.#outcomes, (outcome) => outcome ?? 'not_sent');
    if (!outcomes.some((outcome) => outcome === 'unknown' || outcome === 'not_sent')) {
      return { outcomes, failure: null };
    }
    const { topic } = this.#options;
    const { addresses } = this.#state.client;
    const silence = unreachable(addresses, `no answer to the records sent to topic ${topic}`);
    const failure = toFailure(this.#fatal?.error ?? this.#trouble ?? silence, {
      addresses,
      doing: `send to topic ${topic}`,
      context: { topic },
    });
    return { outcomes, failure };
  }
}
