import { CHECKOUT, factOf, has, type CheckoutFact } from '../../domain/checkout/facts.ts';
import { statusOf, type OrderStatus } from '../../domain/checkout/status.ts';
import { Failure } from '../../domain/failure.ts';
import { clientHeaders } from '../../domain/messages/headers.ts';
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

/** A request to cancel or dispatch an order, which a processor fulfils or refuses. */
export type OrderRequest =
  | { readonly kind: 'cancel'; readonly reason: string | null }
  | { readonly kind: 'dispatch'; readonly carrier: string | null; readonly trackingNumber: string | null };

export interface RequestPorts {
  readonly access: StoreAccess;
  /** Called only if a record is sent. */
  readonly kafka: () => Promise<{ readonly broker: Broker; readonly codecOf: CodecOf }>;
  readonly clock: Clock;
}

export interface RequestOptions {
  readonly orderId: string;
  readonly request: OrderRequest;
  readonly names: TopicNames;
  readonly create: boolean;
  /** Send the request even for an order that is not known yet, to cancel it before it arrives. */
  readonly isUnknown: boolean;
  /** How long to wait for the outcome, if the processor that decides it runs. */
  readonly waitMs: number;
  /** The header traceparent; absent: none is given. */
  readonly traceparent?: string | null;
  readonly signal: AbortSignal;
  readonly on: (event: TopicCreated) => void;
}

export interface RequestOutcome {
  /** `pending`: not decided yet. */
  readonly outcome: 'done' | 'pending';
  /** null: no order with that id has arrived yet. */
  readonly status: OrderStatus | null;
  /** The record of the request; null: none was sent, since it was fulfilled before. */
  readonly record: RecordId | null;
  /** Whether the processor that decides it runs; null: not checked. */
  readonly isRunning: boolean | null;
}

const CHECK_EVERY_MS = 200;

/**
 * Sends a request and waits for its outcome. Sends nothing if it was fulfilled before.
 *
 * @throws Failure not_found: no such order; already_decided: it cannot be fulfilled any more; interrupted; those of the
 * ports
 */
export async function submitRequest(ports: RequestPorts, options: RequestOptions): Promise<RequestOutcome> {
  const { orderId, request } = options;
  const facts = await factsOf(ports.access, orderId);
  if (facts.length === 0) await refuseUnknown(ports.access, options);
  const before = answerOf(request, facts);
  const status = facts.length === 0 ? null : statusOf(facts);
  if (before === 'done') return { outcome: 'done', status, record: null, isRunning: null };
  if (before !== null) throw refusal(orderId, request, before);
  const record = await send(ports, options);
  return { record, ...(await outcome(ports, options, status)) };
}

async function factsOf(access: StoreAccess, orderId: string): Promise<readonly CheckoutFact[]> {
  await using reader = await access.read();
  return await reader.facts(CHECKOUT, orderId);
}

/** The refusal for an order of the direct flow, whether or not it has been read. */
export function ofTheDirectFlow(orderId: string): Failure {
  return new Failure('already_decided', `order ${orderId} is of the direct flow, which is decided at once`, {
    fix: { kind: 'show_order', orderId },
    context: { orderId },
  });
}

async function refuseUnknown(
  access: StoreAccess,
  { orderId, request, isUnknown }: RequestOptions,
): Promise<void> {
  const isCancel = request.kind === 'cancel';
  await using reader = await access.read();
  if ((await reader.decided(orderId)) !== undefined) {
    throw ofTheDirectFlow(orderId);
  }
  if (isCancel && isUnknown) return;
  throw new Failure('not_found', `no order ${orderId} of the checkout has arrived yet`, {
    fix: { kind: 'check_order', canCancelAhead: isCancel },
    context: { orderId },
  });
}

/** @returns `done`, the reason why it cannot be fulfilled, or null: not decided yet */
function answerOf(request: OrderRequest, facts: readonly CheckoutFact[]): 'done' | (string & {}) | null {
  const isCancelled = has(facts, 'cancelled');
  const isDispatched = has(facts, 'dispatched');
  const ended = has(facts, 'rejected', 'declined', 'gone') ? `it is ${statusOf(facts)}` : null;
  if (request.kind === 'cancel') {
    if (isCancelled) return 'done';
    return isDispatched ? 'it was dispatched' : (ended ?? factOf(facts, 'cancel_refused')?.detail ?? null);
  }
  if (isDispatched) return 'done';
  if (isCancelled) return 'it was cancelled';
  return ended ?? (has(facts, 'reserved') ? null : `it is ${statusOf(facts)}: nothing is packed yet`);
}

function refusal(orderId: string, { kind }: OrderRequest, why: string): Failure {
  const what = kind === 'cancel' ? 'cancelled' : 'dispatched';
  return new Failure('already_decided', `order ${orderId} cannot be ${what}: ${why}`, {
    fix: { kind: 'show_order', orderId },
    context: { orderId },
  });
}

async function send(ports: RequestPorts, options: RequestOptions): Promise<RecordId> {
  const { names, signal, orderId, request, traceparent = null } = options;
  const message = messageOf(request);
  const topic = topicOf(message, names);
  const { broker, codecOf } = await ports.kafka();
  const codec = await codecOf(message);
  const at = ports.clock.now();
  // An order may be requested to be cancelled twice, with two reasons: these are two messages.
  const headers = clientHeaders(message, `${orderId}@${at}`, { at, traceparent });
  const [value] = await codec.encode([fieldsOf(options, at)]);
  await using producer = await openProducer(broker, { ...options, topic, message });
  const sent = await producer?.send(topic, [{ key: orderId, value: value ?? null, headers }], { signal });
  const [outcome] = sent?.outcomes ?? [];
  if (typeof outcome === 'object') return { topic, partition: outcome.partition, offset: outcome.offset };
  if (signal.aborted || sent === undefined) {
    throw new Failure(
      'interrupted',
      `interrupted: the request to ${request.kind} ${orderId} may have been sent`,
      {
        fix: 'run the same command again: it changes nothing if the request was sent',
      },
    );
  }
  throw sent.failure ?? new Failure('broker_refused', `the brokers did not accept the request in ${topic}`);
}

function messageOf({ kind }: OrderRequest): Message {
  return kind === 'cancel' ? ORDER_CANCEL : SHIPMENT_DISPATCH;
}

function fieldsOf({ orderId: order_id, request }: RequestOptions, requested_at: number): object {
  if (request.kind === 'cancel') return { order_id, reason: request.reason, requested_at };
  return { order_id, carrier: request.carrier, tracking_number: request.trackingNumber, requested_at };
}

async function outcome(
  { access, clock }: RequestPorts,
  { orderId, request, waitMs, signal }: RequestOptions,
  status: OrderStatus | null,
): Promise<Pick<RequestOutcome, 'outcome' | 'status' | 'isRunning'>> {
  const decider: ProcessorName = request.kind === 'cancel' ? 'inventory' : 'warehouse';
  const running = waitMs === 0 ? null : await access.consumerStatus();
  const isRunning = running?.status.processors.some(({ name }) => name === decider) ?? false;
  const until = isRunning ? clock.elapsed() + waitMs : 0;
  while (clock.elapsed() < until && !signal.aborted) {
    await clock.sleep(CHECK_EVERY_MS, signal);
    const facts = await factsOf(access, orderId);
    const answer = answerOf(request, facts);
    if (answer === 'done') return { outcome: 'done', status: statusOf(facts), isRunning };
    if (answer !== null) throw refusal(orderId, request, answer);
  }
  return { outcome: 'pending', status, isRunning: waitMs === 0 ? null : isRunning };
}
