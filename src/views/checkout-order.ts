import { factOf, placedOf, type CheckoutFact, type Line } from '../domain/checkout/facts.ts';
import { statusOf, type OrderStatus } from '../domain/checkout/status.ts';
import type { Effect } from '../domain/effects.ts';
import type { RecordId } from '../domain/orders/order.ts';
import { timelineOf, type TimelineStep } from './order-timeline.ts';

/** The state of a charge or refund. */
export interface MoneyState {
  /**
   * `owed`: not requested yet; `trying`: requested, without an answer yet; `retrying`: a try failed; `parked`: all
   * tries failed, and its message is a dead letter; `none`: the order was cancelled before it was charged.
   */
  readonly status: 'owed' | 'trying' | 'retrying' | 'parked' | 'paid' | 'declined' | 'none';
  /** A decimal string with two places; null: none. */
  readonly amount: string | null;
  readonly reference: string | null;
  readonly attempts: number;
  /** Why it was declined or refunded. */
  readonly reason: string | null;
  /** Milliseconds since the epoch; null: no retry is scheduled. */
  readonly nextTryAt: number | null;
}

export interface ShipmentState {
  readonly status: 'created' | 'dispatched' | 'cancelled';
  readonly carrier: string | null;
  readonly trackingNumber: string | null;
}

/** A checkout order; null: not known. */
export interface CheckoutOrder {
  readonly orderId: string;
  readonly status: OrderStatus;
  /** The code of why it ended as it did. */
  readonly reason: string | null;
  readonly detail: string | null;
  readonly customer: string | null;
  readonly items: readonly Line[];
  readonly total: string | null;
  readonly address: string | null;
  /** ISO 8601, like the times of its steps. */
  readonly createdAt: string | null;
  /** When it was validated or rejected. */
  readonly decidedAt: string | null;
  readonly record: RecordId | null;
  readonly payment: MoneyState | null;
  readonly refund: MoneyState | null;
  readonly shipment: ShipmentState | null;
  readonly timeline: readonly TimelineStep[];
}

/** @param effects the pending effects of the order */
export function checkoutOrder(
  orderId: string,
  facts: readonly CheckoutFact[],
  effects: Readonly<Partial<Record<'charge' | 'refund', Effect>>>,
): CheckoutOrder {
  const placed = placedOf(facts);
  const status = statusOf(facts);
  const { reason, detail } = whyOf(status, facts);
  return {
    orderId,
    status,
    reason,
    detail,
    customer: placed?.customer_id ?? null,
    items: placed?.items ?? [],
    total: placed?.total_amount ?? null,
    address: placed?.shipping_address ?? null,
    createdAt: placed?.created_at ?? null,
    decidedAt: placed?.at ?? null,
    record:
      placed === undefined
        ? null
        : { topic: placed.topic, partition: placed.partition, offset: placed.offset },
    payment: chargeOf(facts, effects.charge),
    refund: refundOf(facts, effects.refund),
    shipment: shipmentOf(facts),
    timeline: timelineOf(facts),
  };
}

function whyOf(
  status: OrderStatus,
  facts: readonly CheckoutFact[],
): { reason: string | null; detail: string | null } {
  const cancelled = factOf(facts, 'cancelled');
  if (cancelled !== undefined) return { reason: 'cancelled', detail: cancelled.detail };
  const ended = factOf(facts, 'rejected') ?? factOf(facts, 'gone');
  if (ended !== undefined) return { reason: ended.reason, detail: ended.detail };
  const declined = factOf(facts, 'declined');
  if (declined === undefined || status !== 'FAILED') return { reason: null, detail: null };
  return { reason: declined.reason, detail: `the payment of ${declined.amount} was declined` };
}

function chargeOf(facts: readonly CheckoutFact[], pending: Effect | undefined): MoneyState | null {
  const paid = factOf(facts, 'paid');
  if (paid !== undefined) return moved('paid', paid, null);
  const declined = factOf(facts, 'declined');
  if (declined !== undefined) return moved('declined', declined, declined.reason);
  const requested = factOf(facts, 'charge_owed');
  if (pending !== undefined) return waiting(pending, requested?.amount ?? null, null);
  return facts.some(({ step }) => step === 'not_charged')
    ? { status: 'none', amount: null, reference: null, attempts: 0, reason: null, nextTryAt: null }
    : null;
}

function refundOf(facts: readonly CheckoutFact[], pending: Effect | undefined): MoneyState | null {
  const requested = factOf(facts, 'refund_owed');
  if (requested === undefined) return null;
  const refunded = factOf(facts, 'refunded');
  if (refunded !== undefined) return moved('paid', refunded, refunded.reason);
  return pending === undefined ? null : waiting(pending, requested.amount, requested.reason);
}

function moved(
  status: 'paid' | 'declined',
  { amount, reference, attempts }: { amount: string; reference: string | null; attempts: number },
  reason: string | null,
): MoneyState {
  return { status, amount, reference, attempts, reason, nextTryAt: null };
}

function waiting(
  { state, attempts, dueAt }: Effect,
  amount: string | null,
  reason: string | null,
): MoneyState {
  const due = attempts === 0 ? 'owed' : 'retrying';
  const status = state === 'due' ? due : state;
  const nextTryAt = status === 'retrying' ? dueAt : null;
  return { status, amount, reference: null, attempts, reason, nextTryAt };
}

function shipmentOf(facts: readonly CheckoutFact[]): ShipmentState | null {
  if (!facts.some(({ step }) => step === 'reserved')) return null;
  const dispatched = factOf(facts, 'dispatched');
  if (dispatched !== undefined) {
    const { carrier, tracking_number: trackingNumber } = dispatched;
    return { status: 'dispatched', carrier, trackingNumber };
  }
  const isCancelled = facts.some(({ step }) => step === 'cancelled');
  return { status: isCancelled ? 'cancelled' : 'created', carrier: null, trackingNumber: null };
}
