import type { Decided } from '../domain/decide.ts';
import { Failure } from '../domain/failure.ts';
import { fitsTheEvent, type Order } from '../domain/order.ts';
import type { Broker } from '../ports/broker.ts';
import type { Clock } from '../ports/clock.ts';
import type { OrderCodec } from '../ports/codec.ts';
import type { Headers } from '../ports/record.ts';
import type { StoreAccess, StoreReader } from '../ports/store.ts';
import { matchesOrder, type OrderFilter } from './order-filter.ts';
import { OrderSender, type SentOrder } from './send-orders.ts';
import { ensureTopic, type TopicCreated } from './topics.ts';

export interface ReplayFilter extends OrderFilter {
  readonly orderId: string | null;
  readonly limit: number | null;
  /** Leaves out everything up to and including this order: where an interrupted replay goes on. */
  readonly resumeAfter: string | null;
}

export interface ReplayOptions extends ReplayFilter {
  /** Where the orders go. */
  readonly topic: string;
  /** Rejected orders instead of accepted ones; only with `asNew`, because a decision is final. */
  readonly rejected: boolean;
  /** New ids, so that the orders are decided again. */
  readonly asNew: boolean;
  readonly dryRun: boolean;
  readonly delayMs: number;
  readonly create: boolean;
  readonly signal: AbortSignal;
  readonly on: (event: ReplayEvent) => void;
}

export interface ReplayPorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly codec: OrderCodec;
  readonly clock: Clock;
  readonly newOrderId: () => string;
  readonly newReplayId: () => string;
}

export type ReplayEvent =
  | TopicCreated
  | { readonly kind: 'sent'; readonly topic: string; readonly orders: readonly SentOrder[] }
  /** A dry run's answer for orders that would be sent. */
  | { readonly kind: 'would_send'; readonly topic: string; readonly orders: readonly Order[] }
  | { readonly kind: 'not_sent'; readonly orderId: string; readonly why: string }
  | { readonly kind: 'summary'; readonly summary: ReplaySummary };

export interface ReplaySummary {
  readonly topic: string;
  readonly replayId: string;
  readonly dryRun: boolean;
  readonly selected: number;
  readonly sent: number;
  readonly failed: number;
  /** Of those sent, or that a dry run would send: bear an id that is decided, so that consuming changes nothing. */
  readonly alreadyDecided: number;
  /** Of the same: bear a new id, so that consuming decides them. */
  readonly undecided: number;
  readonly interrupted: boolean;
  /** The last order of the log that was sent, when it did not come to its end. */
  readonly resumeAfter: string | null;
  readonly seconds: number;
}

/**
 * Sends decided orders again, in the order of their log. The last event is the summary, before a failure too.
 *
 * @throws Failure of the ports; usage, not_found or already_decided for what was asked; interrupted
 */
export async function replayOrders(ports: ReplayPorts, options: ReplayOptions): Promise<void> {
  const { access, broker, clock } = ports;
  const { topic, on, signal } = options;
  if (options.rejected && !options.asNew) {
    throw new Failure('usage', 'rejected orders can only be replayed with new ids: a decision is final', {
      fix: 'add --as-new',
    });
  }
  const startedAt = clock.now();
  const replayId = ports.newReplayId();
  const progress: Progress = { selected: 0, sent: 0, failed: 0, last: null };
  await using reader = await access.read();
  const orders = select(await decidedOrders(reader, options), options, ports, progress);
  let finished = false;
  try {
    if (options.dryRun) {
      for await (const order of orders) {
        if (signal.aborted) break;
        on({ kind: 'would_send', topic, orders: [order.sending] });
      }
    } else {
      await sendAll({ ports, options, broker, replayId, orders, progress });
    }
    finished = !signal.aborted;
  } finally {
    const interrupted = !finished && signal.aborted;
    const effective = options.dryRun ? progress.selected - progress.failed : progress.sent;
    on({
      kind: 'summary',
      summary: {
        topic,
        replayId,
        dryRun: options.dryRun,
        selected: progress.selected,
        sent: progress.sent,
        failed: progress.failed,
        alreadyDecided: options.asNew ? 0 : effective,
        undecided: options.asNew ? effective : 0,
        interrupted,
        resumeAfter: finished ? null : (progress.last?.logged ?? null),
        seconds: (clock.now() - startedAt) / 1000,
      },
    });
  }
  if (!finished) throw interruptedAfter(progress, options);
}

interface Progress {
  selected: number;
  sent: number;
  failed: number;
  /** The last order that was sent. */
  last: Selected | null;
}

/** An order of the log and what is sent for it: the same, or a copy with a new id. */
interface Selected {
  /** Its id in the log. */
  readonly logged: string;
  readonly sending: Order;
  /** How many were selected up to this one. */
  readonly selected: number;
}

async function sendAll(parts: {
  ports: ReplayPorts;
  options: ReplayOptions;
  broker: Broker;
  replayId: string;
  orders: AsyncIterable<Selected>;
  progress: Progress;
}): Promise<void> {
  const { ports, options, broker, replayId, orders, progress } = parts;
  const { topic, on } = options;
  const underWay: Selected[] = [];
  const sending = async function* (): AsyncGenerator<Order> {
    for await (const order of orders) {
      underWay.push(order);
      yield order.sending;
    }
  };
  // An empty log sends nothing, and needs no broker for that.
  const iterator = sending();
  const first = await iterator.next();
  if (first.done === true) return;
  {
    await using admin = await broker.admin();
    await ensureTopic(admin, topic, options.create, on);
  }
  await using producer = await broker.producer();
  const headers: Headers = [
    ['x-replay-id', replayId],
    ['x-replay-count', '1'],
    ['x-replayed-at', new Date(ports.clock.now()).toISOString()],
  ];
  const { codec, clock } = ports;
  const sender = new OrderSender({
    producer,
    codec,
    clock,
    topic,
    delayMs: options.delayMs,
    count: null,
    signal: options.signal,
    headers,
  });
  for await (const step of sender.send(prepend(first.value, iterator))) {
    progress.sent += step.sent.length;
    if (step.sent.length > 0) on({ kind: 'sent', topic, orders: step.sent });
    if (step.failed !== null) {
      progress.failed += step.failed.count;
      throw step.failed.error;
    }
    progress.last = underWay.splice(0, step.sent.length).at(-1) ?? progress.last;
  }
}

async function* prepend(first: Order, rest: AsyncGenerator<Order>): AsyncGenerator<Order> {
  yield first;
  yield* rest;
}

async function* select(
  decisions: AsyncIterable<readonly Decided[]>,
  options: ReplayOptions,
  ports: ReplayPorts,
  progress: Progress,
): AsyncGenerator<Selected> {
  let resumed = options.resumeAfter === null;
  for await (const chunk of decisions) {
    for (const decided of chunk) {
      const { order } = decided;
      if (!resumed) {
        resumed = order.orderId === options.resumeAfter;
        continue;
      }
      if (!matchesOrder(decided, options)) continue;
      if (options.limit !== null && progress.selected >= options.limit) return;
      progress.selected += 1;
      if (!order.items.every(({ quantity }) => fitsTheEvent(quantity))) {
        progress.failed += 1;
        options.on({ kind: 'not_sent', orderId: order.orderId, why: 'a quantity is not a whole number' });
        continue;
      }
      const sending = options.asNew
        ? { ...order, orderId: ports.newOrderId(), createdAt: ports.clock.now() }
        : order;
      yield { logged: order.orderId, sending, selected: progress.selected };
    }
  }
  if (!resumed) {
    throw new Failure('not_found', `order ${options.resumeAfter ?? ''} is not in the log`, {
      fix: 'give --resume-after the id that the interrupted replay named',
    });
  }
}

/**
 * What may be selected: the log, or the one order that is named, found by its index.
 *
 * @throws Failure not_found, already_decided
 */
async function decidedOrders(
  reader: StoreReader,
  options: ReplayOptions,
): Promise<AsyncIterable<readonly Decided[]>> {
  const { orderId } = options;
  if (orderId === null) return reader.decisions(options.rejected ? 'rejected' : 'accepted');
  const decided = await reader.decided(orderId);
  if (decided === undefined) {
    throw new Failure('not_found', `order ${orderId} was never decided here`, {
      fix: 'the ids are in orders.jsonl and rejections.jsonl',
      context: { orderId },
    });
  }
  if (decided.outcome.kind === 'rejected' && !options.rejected) {
    throw new Failure(
      'already_decided',
      `order ${orderId} was rejected: ${decided.outcome.detail}; a decision is final`,
      {
        fix: `to try it again under a new id: orderctl replay --rejected --order ${orderId} --as-new`,
        context: { orderId },
      },
    );
  }
  if (decided.outcome.kind === 'accepted' && options.rejected) {
    throw new Failure('already_decided', `order ${orderId} was accepted, not rejected`, {
      fix: 'leave out --rejected',
      context: { orderId },
    });
  }
  return only(decided);
}

async function* only(decided: Decided): AsyncGenerator<readonly Decided[]> {
  yield [decided];
}

function interruptedAfter({ sent, last }: Progress, { limit }: ReplayOptions): Failure {
  const left = limit === null || last === null ? '' : ` --limit ${limit - last.selected}`;
  return new Failure('interrupted', `interrupted after ${sent} orders`, {
    fix:
      last === null
        ? 'run the same command again'
        : `to go on, run the same command with --resume-after ${last.logged}${left}`,
  });
}
