import type { ProduceAgain } from '../../domain/advice.ts';
import { Failure } from '../../domain/failure.ts';
import type { Message } from '../../domain/messages/message.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import { isErased } from '../../domain/names.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { inDoubt, OrderSender, type Sendable, type Sent } from './sender.ts';
import { openProducer } from './open-producer.ts';
import type { TopicCreated } from '../topics/ensure.ts';

/** An order and its number in the source, from 1: the line of a file, or its place in the sequence of samples. */
export interface Numbered extends Sendable {
  readonly number: number;
}

export interface ProduceOptions {
  readonly topic: string;
  /** The message that the topic carries; left out: orders. */
  readonly message?: Message;
  /** Where the orders come from: `sampleOrders`, one given order, or a file. */
  readonly orders: AsyncIterable<Numbered> | Iterable<Numbered>;
  /** The total number of orders; null when it runs until stopped. */
  readonly count: number | null;
  /** How to continue an interrupted run. */
  readonly resume: ProduceAgain['resume'];
  /** Pause between two orders. */
  readonly delayMs: number;
  /** Orders per second, instead of a pause; null: no limit. */
  readonly perSecond?: number | null;
  readonly create: boolean;
  readonly signal: AbortSignal;
  readonly on: (event: ProduceEvent) => void;
}

export interface ProducePorts {
  readonly broker: Broker;
  readonly codec: Pick<OrderCodec, 'encode'>;
  readonly clock: Clock;
}

export type ProduceEvent =
  | TopicCreated
  | { readonly kind: 'sent'; readonly topic: string; readonly orders: readonly Sent<Sendable>[] }
  /** It is unknown whether these are stored. */
  | { readonly kind: 'unknown'; readonly topic: string; readonly orders: readonly Order[] }
  | { readonly kind: 'summary'; readonly summary: ProduceSummary };

export interface ProduceSummary {
  readonly topic: string;
  readonly sent: number;
  /** The number of orders that are not stored. */
  readonly failed: number;
  readonly interrupted: boolean;
  /** A failure follows. */
  readonly hasFailed: boolean;
  readonly seconds: number;
  /** Handed to the brokers, which did not answer: these orders may be stored, now or later. */
  readonly unknown: number;
}

interface Progress {
  sent: number;
  failed: number;
  unknown: number;
  /** The number of the first order that is not known to be sent. */
  next: number | null;
}

/**
 * Sends orders as Avro events, keyed by their id. The last event is the summary, even before a failure.
 *
 * @throws Failure as the ports and `orders`; interrupted when a finite run was stopped
 */
export async function produceOrders(ports: ProducePorts, options: ProduceOptions): Promise<void> {
  const { clock } = ports;
  const { topic, on, signal, count } = options;
  const startedAt = clock.elapsed();
  const progress: Progress = { sent: 0, failed: 0, unknown: 0, next: null };
  let finished = false;
  let hasFailed = true;
  try {
    await sendAll(ports, options, progress);
    hasFailed = false;
    finished = !signal.aborted || (count !== null && progress.sent >= count);
  } finally {
    const { sent, failed, unknown } = progress;
    const interrupted = !finished && signal.aborted && count !== null;
    const seconds = (clock.elapsed() - startedAt) / 1000;
    on({ kind: 'summary', summary: { topic, sent, failed, interrupted, hasFailed, seconds, unknown } });
  }
  if (!finished && count !== null) throw interruptedAfter(progress, options, '');
}

async function sendAll(
  { broker, codec, clock }: ProducePorts,
  options: ProduceOptions,
  progress: Progress,
): Promise<void> {
  const { topic, message = ORDER, on, signal, delayMs, perSecond = null, count } = options;
  await using producer = await openProducer(broker, options);
  if (producer === undefined) return;
  const sender = new OrderSender({
    producer,
    codec,
    clock,
    topic,
    message,
    delayMs,
    perSecond,
    count,
    signal,
  });
  for await (const step of sender.send(options.orders)) {
    progress.sent += step.sent.length;
    progress.failed += step.failed.length;
    progress.unknown += step.unknown.length;
    if (step.sent.length > 0) on({ kind: 'sent', topic, orders: step.sent });
    const left = [...step.unknown, ...step.failed];
    if (left.length === 0) {
      progress.next = (step.sent.at(-1)?.number ?? 0) + 1;
      continue;
    }
    progress.next = left.reduce((least, { number }) => Math.min(least, number), Infinity);
    if (step.unknown.length > 0) {
      on({ kind: 'unknown', topic, orders: step.unknown.map(({ order }) => order) });
    }
    const way = { ...resumeAdvice(progress, options), inDoubt: true, orderId: left[0]?.order.orderId ?? '' };
    const error = inDoubt(step, way);
    if (!signal.aborted || count === null || !(error instanceof Failure)) throw error;
    throw interruptedAfter(progress, options, `; ${error.message}`);
  }
}

function interruptedAfter(progress: Progress, options: ProduceOptions, why: string): Failure {
  const { sent } = progress;
  const { count, topic } = options;
  return new Failure('interrupted', `interrupted: ${sent} of ${count ?? 'endless'} orders sent${why}`, {
    fix: resumeAdvice(progress, options),
    context: { topic },
  });
}

function resumeAdvice({ sent, unknown, next }: Progress, { resume, count }: ProduceOptions): ProduceAgain {
  const rest = count === null ? 0 : count - sent - unknown;
  return { kind: 'produce_again', inDoubt: false, resume, next, unknown, rest, orderId: '' };
}

export interface SampleOptions {
  /** The length of the whole sequence; null: endless. */
  readonly count: number | null;
  /** The number of the first order to return; the orders before it are skipped. */
  readonly from: number;
  /** Returns a number from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
  readonly newOrderId: () => string;
  readonly clock: Clock;
  /** Only order items that have a price. */
  readonly withPrice?: boolean;
}

/**
 * Sample orders: one to three lines, each with a quantity of one to three, of random items for random known users,
 * including unpaid ones. The same `random` and `newOrderId` give the same orders.
 *
 * @throws Failure not_found when there are no users or no items
 */
export async function sampleOrders(access: StoreAccess, options: SampleOptions): Promise<Iterable<Numbered>> {
  await using reader = await access.read();
  // Erased users do not place orders.
  const users = [...(await reader.users())].filter(({ user }) => !isErased(user));
  const items = [...(await reader.items())];
  if (users.length === 0) {
    throw new Failure('not_found', `there are no users in ${access.name}`, {
      fix: { kind: 'add_first', table: 'users' },
    });
  }
  if (items.length === 0) {
    throw new Failure('not_found', `there are no items in ${access.name}`, {
      fix: { kind: 'add_first', table: 'items' },
    });
  }
  const sold = options.withPrice === true ? items.filter(({ price }) => price !== null) : items;
  if (sold.length === 0) {
    throw new Failure('not_found', `no item in ${access.name} has a price`, {
      fix: { kind: 'set_price', item: items[0]?.item ?? '' },
    });
  }
  return generate(users, sold, options);
}

function* generate(
  users: readonly User[],
  items: readonly Item[],
  options: SampleOptions,
): Iterable<Numbered> {
  const { count, from, random, newOrderId, clock } = options;
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let number = 1; count === null || number <= count; number++) {
    const user = users[below(users.length)];
    const lines = new Map<string, { item: string; quantity: number; unitPrice: string | null }>();
    for (let wanted = 1 + below(3); wanted > 0; wanted--) {
      const item = items[below(items.length)];
      const quantity = 1 + below(3);
      if (item !== undefined) lines.set(item.item, { item: item.item, quantity, unitPrice: item.price });
    }
    if (user === undefined) return;
    const orderId = newOrderId();
    if (number < from) continue;
    yield {
      order: { orderId, user: user.user, items: [...lines.values()], createdAt: clock.now() },
      number,
    };
  }
}

/** A small random number generator that is good enough for samples (mulberry32, public domain, by Tommy Ettinger). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
