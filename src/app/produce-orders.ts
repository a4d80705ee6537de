import { Failure } from '../domain/failure.ts';
import type { Order } from '../domain/order.ts';
import type { Item, User } from '../domain/tables.ts';
import type { Broker } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { OrderCodec } from '../ports/codec.ts';
import type { StoreAccess } from '../ports/store.ts';
import { OrderSender, type SentOrder } from './send-orders.ts';
import { ensureTopic, type TopicCreated } from './topics.ts';

export interface ProduceOptions {
  readonly topic: string;
  /** Where the orders come from: `sampleOrders`, one given order, or a file. */
  readonly orders: AsyncIterable<Order> | Iterable<Order>;
  /** How many there will be; null when nobody knows (a file) or it runs until stopped. */
  readonly count: number | null;
  /** Runs until stopped: being stopped is then its proper end. */
  readonly endless: boolean;
  /** Pause between two orders. */
  readonly delayMs: number;
  readonly create: boolean;
  readonly signal: AbortSignal;
  readonly on: (event: ProduceEvent) => void;
}

export interface ProducePorts {
  readonly broker: Broker;
  readonly codec: OrderCodec;
  readonly clock: Clock;
}

export type ProduceEvent =
  | TopicCreated
  | { readonly kind: 'sent'; readonly topic: string; readonly orders: readonly SentOrder[] }
  | { readonly kind: 'summary'; readonly summary: ProduceSummary };

export interface ProduceSummary {
  readonly topic: string;
  readonly sent: number;
  /** Given to the broker without an answer: they may be there or not. */
  readonly failed: number;
  readonly interrupted: boolean;
  readonly seconds: number;
}

/**
 * Sends orders as Avro events, keyed by their id. The last event is the summary, before a failure too.
 *
 * @throws Failure of the ports and of `orders`; interrupted when a finite run was stopped
 */
export async function produceOrders(ports: ProducePorts, options: ProduceOptions): Promise<void> {
  const { broker, codec, clock } = ports;
  const { topic, on, signal } = options;
  const startedAt = clock.now();
  let sent = 0;
  let failed = 0;
  let finished = false;
  try {
    {
      await using admin = await broker.admin();
      await ensureTopic(admin, topic, options.create, on);
    }
    await using producer = await broker.producer();
    const sender = new OrderSender({
      producer,
      codec,
      clock,
      topic,
      delayMs: options.delayMs,
      count: options.count,
      signal,
    });
    for await (const step of sender.send(options.orders)) {
      sent += step.sent.length;
      if (step.sent.length > 0) on({ kind: 'sent', topic, orders: step.sent });
      if (step.failed === null) continue;
      failed += step.failed.count;
      throw step.failed.error;
    }
    finished = !signal.aborted || (options.count !== null && sent >= options.count);
  } finally {
    const interrupted = !finished && signal.aborted && !options.endless;
    const seconds = (clock.now() - startedAt) / 1000;
    on({ kind: 'summary', summary: { topic, sent, failed, interrupted, seconds } });
  }
  if (!finished && !options.endless) throw interruptedAfter(sent, options.count);
}

function interruptedAfter(sent: number, count: number | null): Failure {
  if (count === null) {
    return new Failure('interrupted', `interrupted after ${sent} orders`, {
      fix: `to go on, produce the rest of the file: leave out its first ${sent} orders`,
    });
  }
  return new Failure('interrupted', `interrupted: ${sent} of ${count} orders sent`, {
    fix: `to go on: the same command with --count ${count - sent}`,
  });
}

export interface SampleOptions {
  /** null: without end. */
  readonly count: number | null;
  /** From 0 inclusive to 1 exclusive. */
  readonly random: () => number;
  readonly newOrderId: () => string;
  readonly clock: Clock;
}

/**
 * Sample orders: one to three lines of quantity one to three, for random known users, unpaid ones too, and items.
 * The same `random` and `newOrderId` give the same orders.
 *
 * @throws Failure not_found when there are no users or no items
 */
export async function sampleOrders(access: StoreAccess, options: SampleOptions): Promise<Iterable<Order>> {
  await using reader = await access.read();
  const users = [...(await reader.users())];
  const items = [...(await reader.items())];
  if (users.length === 0) {
    throw new Failure('not_found', `there are no users in ${access.folder}`, {
      fix: 'add one: orderctl user add --user alice --status paid',
    });
  }
  if (items.length === 0) {
    throw new Failure('not_found', `there are no items in ${access.folder}`, {
      fix: 'add one: orderctl inventory add --item book --quantity 10',
    });
  }
  return generate(users, items, options);
}

function* generate(users: readonly User[], items: readonly Item[], options: SampleOptions): Iterable<Order> {
  const { count, random, newOrderId, clock } = options;
  const below = (limit: number): number => Math.floor(random() * limit);
  for (let made = 0; count === null || made < count; made++) {
    const user = users[below(users.length)];
    const lines = new Map<string, { item: string; quantity: number; unitPrice: string | null }>();
    for (let wanted = 1 + below(3); wanted > 0; wanted--) {
      const item = items[below(items.length)];
      const quantity = 1 + below(3);
      if (item !== undefined) lines.set(item.item, { item: item.item, quantity, unitPrice: item.price });
    }
    if (user === undefined) return;
    yield { orderId: newOrderId(), user: user.user, items: [...lines.values()], createdAt: clock.now() };
  }
}

/** A small generator of good quality for samples (mulberry32, public domain, by Tommy Ettinger). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
