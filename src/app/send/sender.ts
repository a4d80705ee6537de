import type { Advice } from '../../domain/advice.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { clientHeaders } from '../../domain/messages/headers.ts';
import type { Message } from '../../domain/messages/message.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { Producer, SentRecord } from '../../ports/broker.ts';
import type { Headers } from '../../ports/record.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import { atPace, type Pace } from './pace.ts';
import { unlessStopped } from '../run/wait.ts';

/** At most this many orders are named in a message. */
const NAMED = 5;

/** An entry of a source: the order to send, and other data that the source has about it. */
export interface Sendable {
  readonly order: Order;
  /** The `traceparent` of the trace to link to; left out: none. */
  readonly traceparent?: string;
}

export type Sent<T extends Sendable> = T & SentRecord;

export interface SenderParts extends Pace {
  readonly producer: Producer;
  readonly codec: Pick<OrderCodec, 'encode'>;
  readonly topic: string;
  /** What the orders are sent as. */
  readonly message: Message;
  /** Of each record, beside those of a client's message. */
  readonly headers?: Headers;
}

export interface SendStep<T extends Sendable> {
  /** The acknowledged entries. */
  readonly sent: readonly Sent<T>[];
  /** Entries handed to the brokers, which did not answer: these may be stored, now or later. */
  readonly unknown: readonly T[];
  /** The entries that are not stored. */
  readonly failed: readonly T[];
  /** Why entries are unknown or failed: nothing is sent after that. */
  readonly error: unknown;
}

/** Encodes and sends orders in sequence, in batches or one by one with a pause. Ends when the signal aborts. */
export class OrderSender {
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /**
   * Yields the outcome of each send, up to the first that fails. When `source` fails, the entries before the failure
   * are sent first, so that its place shows how much was sent.
   */
  async *send<T extends Sendable>(source: AsyncIterable<T> | Iterable<T>): AsyncGenerator<SendStep<T>> {
    const { signal } = this.#parts;
    const stopped = (): boolean => signal.aborted;
    for await (const batch of atPace(source, this.#parts)) {
      if (stopped()) return;
      const step = await this.#sendBatch(batch);
      if (step === undefined) return;
      yield step;
      if (step.unknown.length + step.failed.length > 0) return;
    }
  }

  /** @returns undefined when stopped before anything was sent */
  async #sendBatch<T extends Sendable>(batch: readonly T[]): Promise<SendStep<T> | undefined> {
    const { producer, codec, topic, message, headers, clock, signal } = this.#parts;
    let values: readonly Uint8Array[] | undefined;
    try {
      const encoding = codec.encode(batch.map(({ order }) => order));
      values = await unlessStopped(encoding, signal);
    } catch (error) {
      return { sent: [], unknown: [], failed: batch, error };
    }
    if (values === undefined) return undefined;
    const encoded = values;
    const at = clock.now();
    const records = batch.map(({ order: { orderId }, traceparent }, i) => {
      const own = clientHeaders(message, orderId, { at });
      const all = headers === undefined ? own : [...own, ...headers];
      const link = traceparent === undefined ? {} : { link: traceparent };
      return { key: orderId, value: encoded[i] ?? null, headers: all, ...link };
    });
    const { outcomes, failure } = await producer.send(topic, records, { signal });
    const sent: Sent<T>[] = [];
    const unknown: T[] = [];
    const failed: T[] = [];
    let refused: Failure | undefined;
    batch.forEach((item, i) => {
      const outcome = outcomes[i] ?? 'unknown';
      if (typeof outcome === 'object') sent.push({ ...item, ...outcome });
      else if (outcome === 'unknown') unknown.push(item);
      else {
        failed.push(item);
        if (outcome === 'too_large') refused ??= tooLarge(item.order, topic);
        if (outcome === 'refused') refused ??= refusedBy(item.order, topic);
      }
    });
    return { sent, unknown, failed, error: failure ?? refused ?? null };
  }
}

function tooLarge(order: Order, topic: string): Failure {
  return new Failure('invalid_value', `order ${order.orderId} is larger than topic ${topic} allows`, {
    fix: 'split it into several orders, or raise max.message.bytes of the topic',
    context: { topic, orderId: order.orderId },
  });
}

function refusedBy({ orderId }: Order, topic: string): Failure {
  return new Failure('broker_refused', `the brokers refused order ${orderId} for topic ${topic}`, {
    fix: 'check the configuration of the topic and the logs of the brokers',
    context: { topic, orderId },
  });
}

/**
 * Adds to the failure of a send which orders may be stored.
 *
 * @param way how to send those orders again under the same ids
 */
export function inDoubt<T extends Sendable>({ error, unknown, failed }: SendStep<T>, way: Advice): unknown {
  const [first] = [...unknown, ...failed];
  if (!isFailure(error, 'broker_unreachable', 'broker_refused') || first === undefined) return error;
  const ids = unknown.map(({ order }) => order.orderId);
  return withDoubt(error, { ids, what: 'orders', way, context: { orderId: first.order.orderId } });
}

/** Adds to the failure of a send what may be stored. */
export function withDoubt(
  failure: Failure,
  doubt: {
    readonly ids: readonly string[];
    readonly what: 'orders' | 'events';
    /** How to send it again under the same ids. */
    readonly way: Advice;
    readonly context?: Failure['context'];
  },
): Failure {
  const { ids, what, way } = doubt;
  const more = ids.length > NAMED ? `, … (${ids.length} in all)` : '';
  const named = ids.slice(0, NAMED).join(', ');
  const text = ids.length === 0 ? '' : `; whether these ${what} are stored is unknown: ${named}${more}`;
  const fix: Advice = failure.fix === null ? way : { kind: 'in_turn', steps: [failure.fix, way] };
  const context = { ...failure.context, ...doubt.context };
  return new Failure(failure.code, failure.message + text, { fix, context, cause: failure });
}
