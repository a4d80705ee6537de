import { setTimeout as sleep } from 'node:timers/promises';

import type { Producer, SendRecord, SentRecord } from '../../ports/broker.ts';
import { KafkaClient } from './client.ts';
import { encodeBatch, HeaderEncoder, recordSizeBound } from './encode-batch.ts';
import { isConnectionError, isPassing, toFailure } from './errors.ts';
import type { KafkaOptions } from './kafka-broker.ts';
import {
  createErrorFromCode,
  LEADER_NOT_AVAILABLE,
  UNKNOWN_TOPIC_OR_PARTITION,
  type BrokerNode,
} from './kafkajs-internals.ts';
import { leaders } from './offsets.ts';
import { partitionOf } from './partitioner.ts';
import { produceBatches } from './requests.ts';

/** How long one `send` goes on trying. */
const SEND_TIMEOUT_MS = 30_000;
/** How long a leader may wait for its replicas. */
const ACKNOWLEDGE_TIMEOUT_MS = 10_000;
const TRANSACTION_TIMEOUT_MS = 60_000;
/** Under Kafka's default of 1 MiB for `max.message.bytes`, which counts a whole batch. */
const BATCH_BYTES = 900_000;
const METADATA_AGE_MS = 60_000;
const PAUSE_MS = 100;

const SEQUENCE_LIMIT = 2 ** 31;
/** Answers of Kafka to a batch, by code. */
const MESSAGE_TOO_LARGE = new Set([10, 18]);
/** What is wrong with the record itself: without a key in a compacted topic, a timestamp out of range. */
const RECORD_REFUSED = new Set([32, 43, 87]);
const DUPLICATE_SEQUENCE = 46;
/** The broker lost track of our sequence, or we of it: a new producer id begins anew. */
const LOST_SEQUENCE = new Set([45, 47, 59]);

/** @throws Failure broker_unreachable, broker_refused */
export async function createProducer(options: KafkaOptions): Promise<Producer> {
  const client = new KafkaClient(options);
  const producer = new KafkaProducer(client);
  try {
    await producer.begin();
  } catch (error) {
    client.close();
    throw error;
  }
  return producer;
}

type Answer = SentRecord | 'too_large' | 'refused';

/** Records of one partition under way, in order. */
interface Pending {
  readonly partition: number;
  /** Indexes into the records of `send`. */
  readonly indexes: readonly number[];
}

/** One `send` under way. */
interface Sending {
  readonly topic: string;
  readonly records: readonly SendRecord[];
  readonly headers: HeaderEncoder;
  /** What came of each record. */
  readonly sent: (Answer | undefined)[];
  /** Milliseconds since the epoch. */
  readonly deadline: number;
}

interface Topic {
  readonly leaderOf: ReadonlyMap<number, number>;
  readonly readAt: number;
}

/**
 * The idempotent producer of KIP-98: each partition's batches bear ascending sequence numbers, so that a batch sent
 * again after a lost answer is stored once. One request per node is under way, and a batch that was not answered
 * is sent again as the very same bytes before any other of its partition.
 */
class KafkaProducer implements Producer {
  readonly #client: KafkaClient;
  readonly #topics = new Map<string, Topic>();
  #id = { producerId: -1, producerEpoch: -1 };
  readonly #sequences = new Map<string, number>();
  #tail: Promise<unknown> = Promise.resolve();
  #round = 0;
  /** A send was given up: what it left unanswered may have been stored under the sequence numbers that come next. */
  #gaveUp = false;

  constructor(client: KafkaClient) {
    this.#client = client;
  }

  async begin(): Promise<void> {
    await this.#client.retry({ doing: 'begin to send' }, async () => {
      const node = await this.#client.anyNode();
      const { producerId, producerEpoch } = await node.initProducerId({
        transactionTimeout: TRANSACTION_TIMEOUT_MS,
      });
      this.#id = { producerId: Number(producerId), producerEpoch };
      this.#sequences.clear();
    });
  }

  send(topic: string, records: readonly SendRecord[]): Promise<readonly Answer[]> {
    const sent = this.#tail.then(() => this.#send(topic, records));
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.close();
  }

  async #send(topic: string, records: readonly SendRecord[]): Promise<readonly Answer[]> {
    if (records.length === 0) return [];
    // Other records under those numbers would pass for duplicates, and be lost.
    if (this.#gaveUp) await this.begin();
    this.#gaveUp = true;
    const sending: Sending = {
      topic,
      records,
      headers: new HeaderEncoder(),
      sent: new Array<Answer | undefined>(records.length),
      deadline: Date.now() + SEND_TIMEOUT_MS,
    };
    const { leaderOf } = await this.#topic(topic, false);
    const queues = this.#split(sending, leaderOf.size);
    while (queues.size > 0) await this.#step(sending, queues);
    this.#gaveUp = false;
    return sending.sent.map((one) => one ?? { partition: -1, offset: -1 });
  }

  /** Sends the first batch of each queue and takes off what was stored. */
  async #step(sending: Sending, queues: Map<number, Pending[]>): Promise<void> {
    const { topic, sent, deadline } = sending;
    const heads = [...queues.values()].flatMap((queue) => queue.slice(0, 1));
    const encoded = new Map(
      heads.map((pending) => [pending.partition, this.#encode(sending, pending)] as const),
    );
    const open = new Map(heads.map((pending) => [pending.partition, pending]));
    for (;;) {
      const answers = await this.#produce(topic, [...open.keys()], encoded, deadline);
      let lost = false;
      for (const { partition, errorCode, baseOffset } of answers) {
        const pending = open.get(partition);
        if (pending === undefined) continue;
        if (errorCode === 0 || errorCode === DUPLICATE_SEQUENCE) {
          this.#stored(topic, pending, baseOffset, sent);
          take(queues, pending, []);
        } else if (MESSAGE_TOO_LARGE.has(errorCode) || RECORD_REFUSED.has(errorCode)) {
          // A batch is refused as a whole: halves of it lead to the records that are meant.
          const halves = halve(pending);
          const why = RECORD_REFUSED.has(errorCode) ? 'refused' : 'too_large';
          if (halves.length === 0) for (const index of pending.indexes) sent[index] = why;
          take(queues, pending, halves);
        } else if (LOST_SEQUENCE.has(errorCode)) {
          lost = true;
        } else {
          await this.#pass(topic, errorCode, deadline);
          continue;
        }
        open.delete(partition);
      }
      if (lost) {
        // What was not answered goes again under the new id: order ids keep a second copy harmless.
        await this.begin();
        return;
      }
      if (open.size === 0) return;
    }
  }

  #encode({ topic, records, headers }: Sending, pending: Pending): Buffer {
    const batch = pending.indexes.flatMap((index) => records[index] ?? []);
    const baseSequence = this.#sequences.get(`${topic}/${pending.partition}`) ?? 0;
    return encodeBatch(batch, { ...this.#id, baseSequence, timestampMs: Date.now() }, headers);
  }

  #stored(topic: string, pending: Pending, baseOffset: number, sent: (Answer | undefined)[]): void {
    const { partition, indexes } = pending;
    const name = `${topic}/${partition}`;
    this.#sequences.set(name, ((this.#sequences.get(name) ?? 0) + indexes.length) % SEQUENCE_LIMIT);
    indexes.forEach((index, delta) => {
      // A duplicate that the broker no longer knows the offset of answers −1.
      sent[index] = { partition, offset: baseOffset < 0 ? -1 : baseOffset + delta };
    });
  }

  /** One request per leader. A node that does not answer leaves its partitions open. */
  async #produce(
    topic: string,
    partitions: readonly number[],
    encoded: ReadonlyMap<number, Buffer>,
    deadline: number,
  ): Promise<{ partition: number; errorCode: number; baseOffset: number }[]> {
    const { leaderOf } = await this.#topic(topic, false);
    const byNode = new Map<number, { partition: number; bytes: Buffer }[]>();
    for (const partition of partitions) {
      const nodeId = leaderOf.get(partition);
      const bytes = encoded.get(partition);
      if (nodeId === undefined) {
        // The topic was made anew with fewer partitions: the next send goes by what there is.
        await this.#fail(topic, createErrorFromCode(LEADER_NOT_AVAILABLE), deadline);
        continue;
      }
      if (bytes === undefined) continue;
      byNode.set(nodeId, [...(byNode.get(nodeId) ?? []), { partition, bytes }]);
    }
    const asked = [...byNode].map(async ([nodeId, batches]) => {
      let node: BrokerNode | undefined;
      try {
        node = await this.#client.node(nodeId);
        return await produceBatches(node, topic, batches, ACKNOWLEDGE_TIMEOUT_MS);
      } catch (error) {
        if (node !== undefined && isConnectionError(error)) this.#client.forget(node);
        await this.#fail(topic, error, deadline);
        return [];
      }
    });
    return (await Promise.all(asked)).flat();
  }

  /** An answer that may be another one soon: the topic was just made, or its leader moves. */
  async #pass(topic: string, errorCode: number, deadline: number): Promise<void> {
    const error = createErrorFromCode(errorCode);
    const passing = errorCode === UNKNOWN_TOPIC_OR_PARTITION || isPassing(error);
    await this.#fail(topic, error, deadline, passing);
  }

  /** Waits a moment and learns the leaders anew, or gives up. */
  async #fail(topic: string, error: unknown, deadline: number, passing = isPassing(error)): Promise<void> {
    if (!passing || Date.now() >= deadline) {
      const { addresses } = this.#client;
      throw toFailure(error, { addresses, doing: `send to topic ${topic}`, context: { topic } });
    }
    await sleep(PAUSE_MS);
    await this.#topic(topic, true, Math.max(deadline - Date.now(), PAUSE_MS));
  }

  async #topic(topic: string, again: boolean, timeoutMs = SEND_TIMEOUT_MS): Promise<Topic> {
    const known = this.#topics.get(topic);
    if (!again && known !== undefined && Date.now() - known.readAt < METADATA_AGE_MS) return known;
    const leaderOf = await this.#client.retry(
      { doing: `send to topic ${topic}`, context: { topic }, timeoutMs },
      () => leaders(this.#client, topic),
    );
    const found = { leaderOf, readAt: Date.now() };
    this.#topics.set(topic, found);
    return found;
  }

  /** Batches per partition, in order. Records without a key go round. */
  #split({ records, headers }: Sending, partitions: number): Map<number, Pending[]> {
    const indexes = new Map<number, number[][]>();
    const sizes = new Map<number, number>();
    records.forEach((record, index) => {
      const key = typeof record.key === 'string' ? Buffer.from(record.key) : record.key;
      const partition = key === null ? this.#round++ % partitions : partitionOf(key, partitions);
      const batches = indexes.get(partition) ?? [];
      indexes.set(partition, batches);
      const sizeBytes = recordSizeBound(record, headers);
      const filled = sizes.get(partition) ?? 0;
      const last = batches.at(-1);
      if (last === undefined || filled + sizeBytes > BATCH_BYTES) {
        batches.push([index]);
        sizes.set(partition, sizeBytes);
      } else {
        last.push(index);
        sizes.set(partition, filled + sizeBytes);
      }
    });
    return new Map(
      [...indexes].map(([partition, batches]) => [
        partition,
        batches.map((batch) => ({ partition, indexes: batch })),
      ]),
    );
  }
}

function take(queues: Map<number, Pending[]>, done: Pending, instead: readonly Pending[]): void {
  const queue = [...instead, ...(queues.get(done.partition) ?? []).slice(1)];
  if (queue.length === 0) queues.delete(done.partition);
  else queues.set(done.partition, queue);
}

function halve({ partition, indexes }: Pending): Pending[] {
  if (indexes.length < 2) return [];
  const middle = Math.ceil(indexes.length / 2);
  return [
    { partition, indexes: indexes.slice(0, middle) },
    { partition, indexes: indexes.slice(middle) },
  ];
}
