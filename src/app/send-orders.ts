import { Failure } from '../domain/failure.ts';
import type { Order } from '../domain/order.ts';
import type { Producer, SentRecord } from '../ports/broker.ts';
import type { Headers } from '../ports/record.ts';
import type { Clock } from '../ports/clock.ts';
import type { OrderCodec } from '../ports/codec.ts';
import { inBatches } from './in-batches.ts';

/** Orders to a send: beyond this a larger request is no faster, and a stop waits for no more than one. */
const BATCH_ORDERS = 2_000;
const LINGER_MS = 50;

export interface SentOrder extends SentRecord {
  readonly order: Order;
}

export interface SenderParts {
  readonly producer: Producer;
  readonly codec: OrderCodec;
  readonly clock: Clock;
  readonly topic: string;
  readonly delayMs: number;
  /** How many orders there will be, where that is known: then no pause follows the last. */
  readonly count: number | null;
  readonly signal: AbortSignal;
  readonly headers?: Headers;
}

export interface SendStep {
  /** What was acknowledged. */
  readonly sent: readonly SentOrder[];
  /** What was not, and why: nothing is sent after that. */
  readonly failed: { readonly count: number; readonly error: unknown } | null;
}

/** Encodes and sends orders in their order: batch by batch, or one by one with a pause. Ends when the signal aborts. */
export class OrderSender {
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /**
   * Yields what came of each send; the first that failed ends it. When `orders` fails, what came before is sent
   * first, so that whoever is told where it failed knows what went.
   */
  async *send(orders: AsyncIterable<Order> | Iterable<Order>): AsyncGenerator<SendStep> {
    const { clock, delayMs, signal } = this.#parts;
    const stopped = (): boolean => signal.aborted;
    const batches =
      delayMs > 0
        ? this.#paced(orders)
        : inBatches(orders, { size: BATCH_ORDERS, lingerMs: LINGER_MS, clock });
    for await (const batch of batches) {
      if (stopped()) return;
      const step = await this.#sendBatch(batch);
      yield step;
      if (step.failed !== null) return;
    }
  }

  /** One by one, each taken from its source when it is due: then it bears the time at which it is sent. */
  async *#paced(orders: AsyncIterable<Order> | Iterable<Order>): AsyncGenerator<readonly Order[]> {
    const { clock, delayMs, signal, count } = this.#parts;
    const source =
      Symbol.asyncIterator in orders ? orders[Symbol.asyncIterator]() : orders[Symbol.iterator]();
    for (let taken = 1; ; taken++) {
      const next = await source.next();
      if (next.done === true) return;
      yield [next.value];
      if (taken !== count) await clock.sleep(delayMs, signal);
    }
  }

  async #sendBatch(orders: readonly Order[]): Promise<SendStep> {
    const { producer, codec, topic, headers } = this.#parts;
    try {
      const values = await codec.encode(orders);
      const records = orders.map((order, i) => ({
        key: order.orderId,
        value: values[i] ?? null,
        ...(headers === undefined ? {} : { headers }),
      }));
      const answers = await producer.send(topic, records);
      const sent = orders.flatMap((order, i) => {
        const answer = answers[i];
        return answer === undefined || typeof answer === 'string' ? [] : [{ order, ...answer }];
      });
      const at = answers.findIndex((answer) => typeof answer === 'string');
      const refused = orders[at];
      if (refused === undefined) return { sent, failed: null };
      const error = answers[at] === 'too_large' ? tooLarge(refused, topic) : refusedBy(refused, topic);
      return { sent, failed: { count: orders.length - sent.length, error } };
    } catch (error) {
      return { sent: [], failed: { count: orders.length, error } };
    }
  }
}

function tooLarge(order: Order, topic: string): Failure {
  return new Failure('invalid_value', `order ${order.orderId} is larger than topic ${topic} allows`, {
    fix: 'split it into several orders, or raise max.message.bytes of the topic',
    context: { topic, orderId: order.orderId },
  });
}

function refusedBy({ orderId }: Order, topic: string): Failure {
  return new Failure('broker_refused', `the brokers do not take order ${orderId} into topic ${topic}`, {
    fix: 'see the configuration of the topic, and the log of the brokers',
    context: { topic, orderId },
  });
}
