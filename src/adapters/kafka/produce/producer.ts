import type { Producer, SendOptions, SendRecord, SendResult } from '../../../ports/broker.ts';
import { KafkaClient } from '../protocol/client.ts';
import { interruptible } from '../protocol/race.ts';
import { toFailure, unreachable } from '../protocol/errors.ts';
import type { KafkaOptions } from '../options.ts';
import { createErrorFromCode, UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/kafkajs.ts';
import { SendRun, type ProducerState } from './send-run.ts';

/** How long one `send` retries. */
const SEND_TIMEOUT_MS = 30_000;
const TRANSACTION_TIMEOUT_MS = 60_000;
const METADATA_AGE_MS = 60_000;
const SEQUENCE_LIMIT = 2 ** 31;

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

interface Topic {
  readonly leaders: readonly number[];
  readonly readAt: number;
}

/**
 * The idempotent producer of KIP-98: each partition's batches carry ascending sequence numbers, so that a batch sent
 * again after a lost answer is stored once.
 */
class KafkaProducer implements Producer, ProducerState {
  readonly client: KafkaClient;
  readonly #topics = new Map<string, Topic>();
  #id = { producerId: -1, producerEpoch: -1 };
  readonly #sequences = new Map<string, number>();
  #tail: Promise<unknown> = Promise.resolve();
  #round = 0;
  #begun = 0;
  /** A send was given up: its unanswered batches may have been stored under the sequence numbers that come next. */
  #gaveUp = false;
  readonly #closed = new AbortController();

  constructor(client: KafkaClient) {
    this.client = client;
  }

  async begin(): Promise<void> {
    const turn = ++this.#begun;
    await this.client.retry({ doing: 'start sending', signal: this.#closed.signal }, async () => {
      const { producerId, producerEpoch } = await this.client.ask((node) =>
        node.initProducerId({ transactionTimeout: TRANSACTION_TIMEOUT_MS }),
      );
      // The id for a send that was given up arrives too late.
      if (turn !== this.#begun) return;
      this.#id = { producerId: Number(producerId), producerEpoch };
      this.#sequences.clear();
    });
  }

  send(topic: string, records: readonly SendRecord[], options: SendOptions = {}): Promise<SendResult> {
    const sent = this.#tail.then(() => this.#send(topic, records, options));
    this.#tail = sent.catch(() => undefined);
    return sent;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.client.close();
  }

  async #send(topic: string, records: readonly SendRecord[], { signal }: SendOptions): Promise<SendResult> {
    if (records.length === 0) return { outcomes: [], failure: null };
    // Other records with those numbers would be taken for duplicates and lost.
    if (this.#gaveUp) {
      try {
        await interruptible(this.begin(), signal);
      } catch (error) {
        const { addresses } = this.client;
        const why = signal?.aborted === true ? unreachable(addresses, 'stopped while waiting') : error;
        const failure = toFailure(why, { addresses, doing: `send to topic ${topic}`, context: { topic } });
        return { outcomes: records.map(() => 'not_sent' as const), failure };
      }
    }
    this.#gaveUp = true;
    const closed = this.#closed.signal;
    const options = { topic, records, timeoutMs: SEND_TIMEOUT_MS, signal, closed };
    const result = await new SendRun(this, options).run();
    this.#gaveUp = result.failure !== null;
    return result;
  }

  id(): { producerId: number; producerEpoch: number } {
    return this.#id;
  }

  sequence(topic: string, partition: number): number {
    return this.#sequences.get(`${topic}/${partition}`) ?? 0;
  }

  stored(topic: string, partition: number, records: number): void {
    const next = (this.sequence(topic, partition) + records) % SEQUENCE_LIMIT;
    this.#sequences.set(`${topic}/${partition}`, next);
  }

  async leaders(topic: string, again: boolean): Promise<readonly number[]> {
    const known = this.#topics.get(topic);
    if (!again && known !== undefined && performance.now() - known.readAt < METADATA_AGE_MS)
      return known.leaders;
    const { topic: found } = await this.client.topic(topic);
    if (found === undefined) {
      // If it is recreated, it may have fewer partitions.
      this.#topics.delete(topic);
      throw createErrorFromCode(UNKNOWN_TOPIC_OR_PARTITION);
    }
    const leaders: number[] = [];
    for (const { partition, leader } of found.partitions) leaders[partition] = leader;
    this.#topics.set(topic, { leaders, readAt: performance.now() });
    return leaders;
  }

  /** Round robin. */
  nextPartition(partitions: number): number {
    return this.#round++ % partitions;
  }
}
