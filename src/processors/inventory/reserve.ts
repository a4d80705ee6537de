import { lackingStock } from '../../domain/orders/reasons.ts';
import { CHECKOUT, has, quantitiesOf } from '../../domain/checkout/facts.ts';
import { statusOf } from '../../domain/checkout/status.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { INVENTORY_REJECTED } from '../../domain/messages/checkout/inventory-rejected.ts';
import { INVENTORY_RESERVED } from '../../domain/messages/checkout/inventory-reserved.ts';
import type { PaymentProcessed } from '../../domain/messages/checkout/payment-processed.ts';
import { SHIPMENT_CREATED } from '../../domain/messages/checkout/shipment-created.ts';
import type { Draft, Handled } from '../draft.ts';
import type { Received } from '../processor.ts';
import type { StockEvents } from '../stock-events.ts';

/** Reserves the stock of all lines of a paid order, or none. Either outcome is final. */
export function reserve(received: Received<PaymentProcessed>, draft: Draft, stock: StockEvents): Handled {
  const { order_id } = received.message;
  const facts = draft.facts(CHECKOUT, order_id);
  // `rejected` is possible only if the order was paid before the store was restored.
  if (has(facts, 'cancelled', 'rejected')) {
    const detail = `it is ${statusOf(facts)}: it will be refunded`;
    return { kind: 'ignored', about: order_id, detail };
  }
  if (has(facts, 'reserved', 'gone')) {
    return { kind: 'seen', about: order_id, detail: 'its stock was reserved or refused before' };
  }
  const wanted = quantitiesOf(received.message.items);
  for (const [item, quantity] of wanted) {
    if (quantity > (draft.quantity(item) ?? 0)) return refuse(received, item, quantity, draft, stock);
  }
  for (const [item, quantity] of wanted) take(received, item, quantity, draft, stock);
  ship(received, draft);
  return { kind: 'handled', about: order_id, detail: 'its stock is reserved' };
}

function take(
  { message: { order_id }, traceparent }: Received<PaymentProcessed>,
  item: string,
  quantity: number,
  draft: Draft,
  stock: StockEvents,
): void {
  const { at } = draft.state;
  const movement = {
    item,
    delta: -quantity,
    cause: 'reservation',
    orderId: order_id,
    eventId: null,
  } as const;
  draft.move(movement);
  const revision = stock.moved(movement);
  const onHand = draft.quantity(item) ?? 0;
  const reserved = { order_id, product_id: item, quantity, on_hand: onHand, revision, reserved_at: at };
  draft.send(INVENTORY_RESERVED, reserved, [order_id, item], traceparent);
}

function ship({ message, record, traceparent }: Received<PaymentProcessed>, draft: Draft): void {
  const { order_id, customer_id, items, shipping_address } = message;
  const { at } = draft.state;
  draft.append(CHECKOUT, { order_id, at: isoTime(at), ...record, step: 'reserved', items });
  const shipment = { order_id, customer_id, items, shipping_address, created_at: at };
  draft.send(SHIPMENT_CREATED, shipment, [order_id], traceparent);
}

/** The order is paid, but its stock was sold to others: payment refunds it. */
function refuse(
  { message: { order_id, customer_id }, record, traceparent }: Received<PaymentProcessed>,
  item: string,
  quantity: number,
  draft: Draft,
  stock: StockEvents,
): Handled {
  const onHand = draft.quantity(item);
  const { at } = draft.state;
  const refusal =
    onHand === undefined
      ? { reason: 'unknown_item', detail: `item ${item} no longer exists` }
      : { reason: 'insufficient_stock', detail: lackingStock(`item ${item}`, onHand, quantity) };
  if (onHand !== undefined) stock.lacking(item, quantity, order_id);
  draft.append(CHECKOUT, { order_id, at: isoTime(at), ...record, step: 'gone', ...refusal });
  const rejected = { order_id, customer_id, ...refusal, rejected_at: at };
  draft.send(INVENTORY_REJECTED, rejected, [order_id], traceparent);
  return { kind: 'handled', about: order_id, detail: `not reserved: ${refusal.detail}` };
}
