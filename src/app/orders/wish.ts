import { CHECKOUT, factOf, has, type CheckoutFact } from '../../domain/checkout/facts.ts';
import { statusOf, type OrderStatus } from '../../domain/checkout/status.ts';
import { Failure } from '../../domain/failure.ts';
import { traceHeaders } from '../../domain/messages/headers.ts';
import { ORDER_CANCEL } from '../../domain/messages/checkout/order-cancel.ts';
import { SHIPMENT_DISPATCH } from '../../domain/messages/checkout/shipment-dispatch.ts';
import type { Message, ProcessorName } from '../../domain/messages/message.ts';
import { topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { RecordId } from '../../domain/orders/order.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CodecOf } from '../run/events.ts';
import { openProducer } from '../send/open-producer.ts';
import type { TopicCreated } from '../topics/ensure.ts';

/** Something that is wished of an order, and that a processor decides. */
export type Wish =
  | { readonly kind: 'cancel'; readonly reason: string | null }
  | { readonly kind: 'dispatch'; readonly carrier: string | null; readonly trackingNumber: string | null };

export interface WishPorts {
  readonly access: StoreAccess;
  /** Opened only where something is sent. */
  readonly kafka: () => Promise<{ readonly broker: Broker; readonly codecOf: CodecOf }>;
  readonly clock: Clock;
}

export interface WishOptions {
  readonly orderId: string;
  readonly wish: Wish;
  readonly names: TopicNames;
  readonly create: boolean;
  /** Send it for an order that nobody knows yet: it is cancelled before it comes. */
  readonly isUnknown: boolean;
  /** Wait so long for what becomes of it, where a processor runs that decides it. */
  readonly waitMs: number;
  /** The header of that name; absent: the record has none. */
  readonly traceparent?: string | null;
  readonly signal: AbortSignal;
  readonly on: (event: TopicCreated) => void;
}

export interface Wished {
  /** `pending`: it is decided once a run reads it. */
  readonly outcome: 'done' | 'pending';
  /** null: no order of that id has come yet. */
  readonly status: OrderStatus | null;
  /** Where the wish is; null: it was fulfilled before. */
  readonly record: RecordId | null;
  /** Whether the processor that decides it runs; null where that did not matter. */
  readonly isRunning: boolean | null;
}

const LOOK_EVERY_MS = 200;

/**
 * Sends a wish, and waits for what becomes of it. What has happened already is not wished again.
 *
 * @throws Failure not_found (no such order), already_decided (it cannot be any more), those of the ports; interrupted
 */
export async function wishFor(ports: WishPorts, options: WishOptions): Promise<Wished> {
  const { orderId, wish } = options;
  const facts = await factsOf(ports.access, orderId);
  if (facts.length === 0) await refuseUnknown(ports.access, options);
  const before = answerOf(wish, facts);
  const status = facts.length === 0 ? null : statusOf(facts);
  if (before === 'done') return { outcome: 'done', status, record: null, isRunning: null };
  if (before !== null) throw refusal(orderId, wish, before);
  const record = await send(ports, options);
  return { record, ...(await outcome(ports, options, status)) };
}

async function factsOf(access: StoreAccess, orderId: string): Promise<readonly CheckoutFact[]> {
  await using reader = await access.read();
  return await reader.facts(CHECKOUT, orderId);
}

/** Why an order of the direct flow cannot be cancelled, whether it was read already or not. */
export function ofTheDirectFlow(orderId: string): Failure {
  return new Failure('already_decided', `order ${orderId} is of the direct flow, which is decided at once`, {
    fix: { kind: 'show_order', orderId },
    context: { orderId },
  });
}

async function refuseUnknown(access: StoreAccess, { orderId, wish, isUnknown }: WishOptions): Promise<void> {
  const isCancel = wish.kind === 'cancel';
  await using reader = await access.read();
  if ((await reader.decided(orderId)) !== undefined) {
    throw ofTheDirectFlow(orderId);
  }
  if (isCancel && isUnknown) return;
  throw new Failure('not_found', `no order ${orderId} of the checkout has come yet`, {
    fix: { kind: 'check_order', canCancelAhead: isCancel },
    context: { orderId },
  });
}

/** @returns `done`, why not, or null: it is yet to be decided */
function answerOf(wish: Wish, facts: readonly CheckoutFact[]): 'done' | (string & {}) | null {
  const isCancelled = has(facts, 'cancelled');
  const isDispatched = has(facts, 'dispatched');
  const ended = has(facts, 'rejected', 'declined', 'gone') ? `it is ${statusOf(facts)}` : null;
  if (wish.kind === 'cancel') {
    if (isCancelled) return 'done';
    return isDispatched ? 'it was dispatched' : (ended ?? factOf(facts, 'cancel_refused')?.detail ?? null);
  }
  if (isDispatched) return 'done';
  if (isCancelled) return 'it was cancelled';
  return ended ?? (has(facts, 'reserved') ? null : `it is ${statusOf(facts)}: nothing is packed yet`);
}

function refusal(orderId: string, { kind }: Wish, why: string): Failure {
  const what = kind === 'cancel' ? 'cancelled' : 'dispatched';
  return new Failure('already_decided', `order ${orderId} cannot be ${what}: ${why}`, {
    fix: { kind: 'show_order', orderId },
    context: { orderId },
  });
}

async function send(ports: WishPorts, options: WishOptions): Promise<RecordId> {
  const { names, signal, orderId, wish, traceparent = null } = options;
  const headers = traceHeaders(traceparent);
  const message = messageOf(wish);
  const topic = topicOf(message, names);
  const { broker, codecOf } = await ports.kafka();
  const codec = await codecOf(message);
  const [value] = await codec.encode([fieldsOf(options, ports.clock.now())]);
  await using producer = await openProducer(broker, { ...options, topic, message });
  const sent = await producer?.send(topic, [{ key: orderId, value: value ?? null, headers }], { signal });
  const [outcome] = sent?.outcomes ?? [];
  if (typeof outcome === 'object') return { topic, partition: outcome.partition, offset: outcome.offset };
  if (signal.aborted || sent === undefined) {
    throw new Failure('interrupted', `interrupted: the wish to ${wish.kind} ${orderId} may have been sent`, {
      fix: 'run the same command again: it changes nothing where it was',
    });
  }
  throw sent.failure ?? new Failure('broker_refused', `the brokers do not take the wish into ${topic}`);
}

function messageOf({ kind }: Wish): Message {
  return kind === 'cancel' ? ORDER_CANCEL : SHIPMENT_DISPATCH;
}

function fieldsOf({ orderId: order_id, wish }: WishOptions, requested_at: number): object {
  if (wish.kind === 'cancel') return { order_id, reason: wish.reason, requested_at };
  return { order_id, carrier: wish.carrier, tracking_number: wish.trackingNumber, requested_at };
}

async function outcome(
  { access, clock }: WishPorts,
  { orderId, wish, waitMs, signal }: WishOptions,
  status: OrderStatus | null,
): Promise<Pick<Wished, 'outcome' | 'status' | 'isRunning'>> {
  const decider: ProcessorName = wish.kind === 'cancel' ? 'inventory' : 'warehouse';
  const running = waitMs === 0 ? null : await access.consumerStatus();
  const isRunning = running?.status.processors.some(({ name }) => name === decider) ?? false;
  const until = isRunning ? clock.elapsed() + waitMs : 0;
  while (clock.elapsed() < until && !signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    const facts = await factsOf(access, orderId);
    const answer = answerOf(wish, facts);
    if (answer === 'done') return { outcome: 'done', status: statusOf(facts), isRunning };
    if (answer !== null) throw refusal(orderId, wish, answer);
  }
  return { outcome: 'pending', status, isRunning: waitMs === 0 ? null : isRunning };
}
