import type { ReplayAgain } from '../../domain/advice.ts';
import { Failure } from '../../domain/failure.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import type { Order } from '../../domain/orders/order.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OrderCodec } from '../../ports/codec.ts';
import type { Headers } from '../../ports/record.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { selectOrders, type ReplayFilter, type Selected } from './replay-selection.ts';
import { inDoubt, OrderSender, type Sendable, type Sent } from './sender.ts';
import { openProducer } from './open-producer.ts';
import type { TopicCreated } from '../topics/ensure.ts';

export interface ReplayOptions extends ReplayFilter {
  /** The topic that the orders are sent to. */
  readonly topic: string;
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
  readonly newReplayId: () => string;
}

export type ReplayEvent =
  | TopicCreated
  | { readonly kind: 'sent'; readonly topic: string; readonly orders: readonly Sent<Sendable>[] }
  /** It is unknown whether these are stored. */
  | { readonly kind: 'unknown'; readonly topic: string; readonly orders: readonly Order[] }
  /** In a dry run: orders that would be sent. */
  | { readonly kind: 'would_send'; readonly topic: string; readonly orders: readonly Order[] }
  | { readonly kind: 'not_sent'; readonly orderId: string; readonly why: string }
  /** An order whose last try was accepted, under the id `by`: it is not sent. */
  | { readonly kind: 'fulfilled'; readonly orderId: string; readonly by: string }
  | { readonly kind: 'summary'; readonly summary: ReplaySummary };

export interface ReplaySummary {
  readonly topic: string;
  readonly replayId: string;
  readonly dryRun: boolean;
  readonly selected: number;
  readonly sent: number;
  readonly failed: number;
  /** Handed to the brokers, which did not answer: these orders may be stored, now or later. */
  readonly unknown: number;
  /** Not sent, because their last try was accepted. */
  readonly fulfilled: number;
  /** Orders sent (or to be sent, in a dry run) whose id is already decided: consuming them changes nothing. */
  readonly alreadyDecided: number;
  /** Orders sent (or to be sent) under a new id, which will be decided. */
  readonly undecided: number;
  readonly interrupted: boolean;
  /** The last logged order that was sent, if the replay did not finish. */
  readonly resumeAfter: string | null;
  readonly seconds: number;
}

/**
 * Sends decided orders again, in the order of their log. The last event is the summary, even before a failure.
 *
 * @throws Failure as the ports; usage, not_found or already_decided for an invalid selection; interrupted;
 *   invalid_input when some orders cannot be sent, after all others were
 */
export async function replayOrders(ports: ReplayPorts, options: ReplayOptions): Promise<void> {
  const { access, broker, clock } = ports;
  const { topic, on, signal } = options;
  if (options.rejected && !options.asNew) {
    throw new Failure('usage', 'rejected orders can only be replayed with new ids: a decision is final', {
      fix: { kind: 'as_new' },
    });
  }
  if (options.again && !options.asNew) {
    throw new Failure('usage', 'only orders that are replayed under new ids can be tried again', {
      fix: { kind: 'as_new' },
    });
  }
  const startedAt = clock.elapsed();
  const replayId = ports.newReplayId();
  const progress: Progress = {
    selected: 0,
    sent: 0,
    failed: 0,
    fulfilled: 0,
    unknown: 0,
    last: null,
    unfit: null,
  };
  await using reader = await access.read();
  const orders = toSend(await selectOrders(reader, options, clock), progress, on);
  let finished = false;
  try {
    if (options.dryRun) {
      for await (const order of orders) {
        if (signal.aborted) break;
        on({ kind: 'would_send', topic, orders: [order.order] });
      }
    } else {
      await sendAll({ ports, options, broker, replayId, orders, progress });
    }
    finished = !signal.aborted;
  } finally {
    const interrupted = !finished && signal.aborted;
    const effective = options.dryRun
      ? progress.selected - progress.failed - progress.fulfilled
      : progress.sent;
    on({
      kind: 'summary',
      summary: {
        topic,
        replayId,
        dryRun: options.dryRun,
        selected: progress.selected,
        sent: progress.sent,
        failed: progress.failed,
        fulfilled: progress.fulfilled,
        unknown: progress.unknown,
        alreadyDecided: options.asNew ? 0 : effective,
        undecided: options.asNew ? effective : 0,
        interrupted,
        resumeAfter: finished ? null : (progress.last?.logged ?? null),
        seconds: (clock.elapsed() - startedAt) / 1000,
      },
    });
  }
  if (!finished) throw interruptedAfter(progress, options, '');
  if (progress.unfit !== null) throw notSent(progress.unfit, progress);
}

interface Progress {
  selected: number;
  sent: number;
  failed: number;
  fulfilled: number;
  unknown: number;
  /** The last order sent. */
  last: ToSend | null;
  /** The first order that cannot be sent at all. */
  unfit: string | null;
}

type ToSend = Extract<Selected, { kind: 'order' }>;

/** Counts the selected orders, reports the ones that are not sent, and yields the rest. */
async function* toSend(
  selected: AsyncIterable<Selected>,
  progress: Progress,
  on: (event: ReplayEvent) => void,
): AsyncGenerator<ToSend> {
  for await (const one of selected) {
    progress.selected += 1;
    if (one.kind === 'order') yield one;
    else if (one.kind === 'fulfilled') {
      progress.fulfilled += 1;
      on({ kind: 'fulfilled', orderId: one.logged, by: one.by });
    } else {
      progress.failed += 1;
      progress.unfit ??= one.logged;
      on({ kind: 'not_sent', orderId: one.logged, why: one.why });
    }
  }
}

async function sendAll(parts: {
  ports: ReplayPorts;
  options: ReplayOptions;
  broker: Broker;
  replayId: string;
  orders: AsyncGenerator<ToSend>;
  progress: Progress;
}): Promise<void> {
  const { ports, options, broker, replayId, orders, progress } = parts;
  const { topic, on } = options;
  // An empty log needs no broker.
  const first = await orders.next();
  if (first.done === true) return;
  await using producer = await openProducer(broker, options);
  if (producer === undefined) return;
  const headers: Headers = [
    ['x-replay-id', replayId],
    ['x-replay-count', '1'],
    ['x-replayed-at', isoTime(ports.clock.now())],
  ];
  const { codec, clock } = ports;
  const sender = new OrderSender({
    producer,
    codec,
    clock,
    topic,
    message: ORDER,
    delayMs: options.delayMs,
    count: null,
    signal: options.signal,
    headers,
  });
  for await (const step of sender.send(prepend(first.value, orders))) {
    progress.sent += step.sent.length;
    progress.failed += step.failed.length;
    progress.unknown += step.unknown.length;
    if (step.sent.length > 0) on({ kind: 'sent', topic, orders: step.sent });
    if (step.unknown.length > 0) {
      on({ kind: 'unknown', topic, orders: step.unknown.map(({ order }) => order) });
    }
    if (step.unknown.length + step.failed.length > 0) {
      const error = inDoubt(step, { ...resumeAdvice(progress, options), inDoubt: true });
      if (!options.signal.aborted || !(error instanceof Failure)) throw error;
      throw interruptedAfter(progress, options, `; ${error.message}`);
    }
    progress.last = step.sent.at(-1) ?? progress.last;
  }
}

async function* prepend<T>(first: T, rest: AsyncGenerator<T>): AsyncGenerator<T> {
  yield first;
  yield* rest;
}

/** All others were sent: an order that cannot be sent does not hold up the ones behind it. */
function notSent(orderId: string, { failed }: Progress): Failure {
  const more = failed === 1 ? '' : `, … (${failed} in all)`;
  return new Failure('invalid_input', `some orders cannot be sent: ${orderId}${more}`, {
    fix: 'ask their senders to send different orders',
    context: { orderId },
  });
}

function interruptedAfter(progress: Progress, options: ReplayOptions, why: string): Failure {
  const { sent } = progress;
  return new Failure('interrupted', `interrupted after ${sent} orders${why}`, {
    fix: resumeAdvice(progress, options),
    context: { topic: options.topic },
  });
}

function resumeAdvice({ last }: Progress, { limit }: ReplayOptions): ReplayAgain {
  const left = last === null || limit === null ? null : limit - last.taken;
  return { kind: 'replay_again', inDoubt: false, after: last?.logged ?? null, limit: left };
}
