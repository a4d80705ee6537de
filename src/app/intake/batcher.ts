import { Failure, isFailure } from '../../domain/failure.ts';
import { clientHeaders } from '../../domain/messages/headers.ts';
import type { Message } from '../../domain/messages/message.ts';
import type { Producer, SendOutcome } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';

/** The number of records in a request: larger requests are no faster. */
const BATCH_RECORDS = 2_000;

export interface BatcherPorts<T> {
  /** Called when there is no producer, and after opening one failed. */
  readonly openProducer: () => Promise<Producer>;
  readonly codec: Pick<Codec<T>, 'encode'>;
  /** What the topic carries. */
  readonly message: Message;
  readonly topic: string;
  readonly clock: Pick<Clock, 'now'>;
}

interface Waiting<T> {
  /** It identifies the record among those of its message. */
  readonly key: string;
  readonly value: T;
  /** The header `traceparent`; null: none is given. */
  readonly traceparent: string | null;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Sends records that many callers add one by one, in as few requests as possible: records that are added during a
 * request are sent in the next one, so that a single record never waits for others.
 */
export class RecordBatcher<T> implements AsyncDisposable {
  readonly #ports: BatcherPorts<T>;
  #producer: Promise<Producer> | null = null;
  #waiting: Waiting<T>[] = [];
  #sending: Promise<void> | null = null;

  constructor(ports: BatcherPorts<T>) {
    this.#ports = ports;
  }

  /**
   * Resolves once all in-sync replicas have the record.
   *
   * @throws Failure broker_unreachable, broker_refused, invalid_value (too large), and as the codec
   */
  send(record: Pick<Waiting<T>, 'key' | 'value' | 'traceparent'>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ ...record, resolve, reject });
      this.#sending ??= this.#sendAll();
    });
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_RECORDS);
      try {
        await this.#sendBatch(batch);
      } catch (error) {
        // A value that the schema cannot hold must not fail the others.
        if (batch.length > 1 && isFailure(error, 'invalid_value')) await this.#sendOneByOne(batch);
        else for (const { reject } of batch) reject(error);
      }
    }
    // In the same turn as the last check: records that are added later start another loop.
    this.#sending = null;
  }

  async #sendOneByOne(batch: readonly Waiting<T>[]): Promise<void> {
    for (const one of batch) await this.#sendBatch([one]).catch(one.reject);
  }

  async #sendBatch(batch: readonly Waiting<T>[]): Promise<void> {
    const { codec, message, topic, clock } = this.#ports;
    const values = await codec.encode(batch.map(({ value }) => value));
    const producer = await this.#open();
    const at = clock.now();
    const records = batch.map(({ key, traceparent }, index) => ({
      key,
      value: values[index] ?? null,
      headers: clientHeaders(message, key, { at, traceparent }),
    }));
    const { outcomes, failure } = await producer.send(topic, records);
    batch.forEach(({ key, resolve, reject }, index) => {
      const outcome = outcomes[index] ?? 'unknown';
      if (typeof outcome === 'object') resolve();
      else reject(notStored(key, topic, outcome, failure));
    });
  }

  async #open(): Promise<Producer> {
    this.#producer ??= this.#ports.openProducer();
    try {
      return await this.#producer;
    } catch (error) {
      this.#producer = null;
      throw error;
    }
  }

  /** Waits until all records are sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sending;
    const producer = await this.#producer?.catch(() => null);
    await producer?.[Symbol.asyncDispose]();
  }
}

function notStored(
  key: string,
  topic: string,
  outcome: Exclude<SendOutcome, object>,
  cause: Error | null,
): Failure {
  const context = { topic, orderId: key };
  switch (outcome) {
    case 'too_large':
      return new Failure('invalid_value', `${key} is larger than topic ${topic} allows`, {
        fix: 'split it into several, or raise max.message.bytes of the topic',
        context,
      });
    case 'refused':
      return new Failure('broker_refused', `the brokers refused ${key} for topic ${topic}`, {
        fix: 'check the configuration of the topic and the logs of the brokers',
        context,
      });
    case 'unknown':
      return new Failure('broker_unreachable', `it is unknown whether ${key} is stored in topic ${topic}`, {
        fix: 'send it again under the same id: it counts once',
        context,
        cause,
      });
    case 'not_sent':
      return new Failure('broker_unreachable', `${key} was not stored: ${cause?.message ?? 'no answer'}`, {
        fix: 'send it again later',
        context,
        cause,
      });
  }
}
