import {
  CHECKOUT,
  factOf,
  has,
  placedOf,
  quantitiesOf,
  type CheckoutFact,
} from '../../domain/checkout/facts.ts';
import { statusOf } from '../../domain/checkout/status.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { OrderCancel } from '../../domain/messages/checkout/order-cancel.ts';
import { ORDER_CANCELLED } from '../../domain/messages/checkout/order-cancelled.ts';
import type { Draft, Handled } from '../draft.ts';
import type { Received } from '../processor.ts';
import type { StockEvents } from '../stock-events.ts';

/**
 * Cancels an order on request, unless it was dispatched or has already ended. Its stock is released here, and payment
 * refunds its money. Only the first request counts, and its outcome is final. An order that has not arrived yet is
 * cancelled in advance.
 */
export function cancel(received: Received<OrderCancel>, draft: Draft, stock: StockEvents): Handled {
  const { message, record, traceparent } = received;
  const { order_id } = message;
  const { at } = draft.state;
  const facts = draft.facts(CHECKOUT, order_id);
  if (has(facts, 'cancelled', 'cancel_refused')) {
    return { kind: 'seen', about: order_id, detail: 'a request to cancel it was processed before' };
  }
  const refusal =
    draft.state.decided(order_id) === undefined
      ? refusalOf(facts)
      : 'it is a direct order, which is accepted or rejected at once';
  const customer_id = placedOf(facts)?.customer_id ?? null;
  const decided = { order_id, customer_id, decided_at: at };
  const step = { order_id, at: isoTime(at), ...record };
  if (refusal !== null) {
    draft.append(CHECKOUT, { ...step, step: 'cancel_refused', detail: refusal });
    const refused = { ...decided, outcome: 'refused', detail: refusal } as const;
    draft.send(ORDER_CANCELLED, refused, [order_id], traceparent);
    return { kind: 'handled', about: order_id, detail: `not cancelled: ${refusal}` };
  }
  release(order_id, facts, draft, stock);
  const detail = message.reason ?? 'it was requested';
  draft.append(CHECKOUT, { ...step, step: 'cancelled', detail });
  draft.send(ORDER_CANCELLED, { ...decided, outcome: 'cancelled', detail }, [order_id], traceparent);
  return { kind: 'handled', about: order_id, detail: 'cancelled' };
}

function refusalOf(facts: readonly CheckoutFact[]): string | null {
  if (has(facts, 'dispatched')) return 'it was dispatched';
  if (has(facts, 'rejected', 'declined', 'gone')) return `it is already ${statusOf(facts)}`;
  return null;
}

function release(orderId: string, facts: readonly CheckoutFact[], draft: Draft, stock: StockEvents): void {
  for (const [item, quantity] of quantitiesOf(factOf(facts, 'reserved')?.items ?? [])) {
    // An item that was removed in the meantime has no stock to add to.
    if (draft.quantity(item) === undefined) continue;
    const movement = { item, delta: quantity, cause: 'release', orderId, eventId: null } as const;
    draft.move(movement);
    stock.moved(movement);
  }
}
