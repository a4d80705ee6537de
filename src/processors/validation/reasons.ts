import { lackingStock } from '../../domain/orders/reasons.ts';
import type { OrderCreated } from '../../domain/messages/checkout/order-created.ts';
import { amountFrom, hundredths } from '../../domain/orders/money.ts';
import type { PlacingReason, Reason } from '../../domain/orders/reasons.ts';
import { quantitiesOf } from '../../domain/checkout/facts.ts';
import type { State } from '../../domain/state.ts';

/** Why an order cannot be fulfilled as it was placed. */
export interface Refusal {
  readonly reason: Exclude<Reason, 'user_not_paid'> | PlacingReason;
  /** The reason as a sentence. */
  readonly detail: string;
}

/** The first reason that applies; null: none. Stock is only checked here; it is reserved when the order is paid. */
export function refuse(order: OrderCreated, state: Pick<State, 'status' | 'item'>): Refusal | null {
  const { customer_id, items, total_amount } = order;
  if (state.status(customer_id) === undefined) {
    return { reason: 'unknown_user', detail: `user ${customer_id} does not exist` };
  }
  if (items.length === 0) return { reason: 'invalid_quantity', detail: 'the order has no lines' };
  const invalid = items.find(({ quantity }) => quantity < 1);
  if (invalid !== undefined) {
    const detail = `quantity of ${invalid.product_id} is ${invalid.quantity}, not a whole number from 1`;
    return { reason: 'invalid_quantity', detail };
  }
  for (const { product_id } of items) {
    if (state.item(product_id) !== undefined) continue;
    return { reason: 'unknown_item', detail: `item ${product_id} does not exist` };
  }
  return refusePrices(order, state) ?? refuseTotal(items, total_amount) ?? refuseStock(order, state);
}

function refusePrices({ items }: OrderCreated, state: Pick<State, 'item'>): Refusal | null {
  for (const { product_id, unit_price } of items) {
    const price = state.item(product_id)?.price ?? null;
    // Zero in an order of an item without a price: the order had no price, and none could be filled in. The price of a
    // free item is 0.00.
    if (price === null && hundredths(unit_price) === 0n) {
      return { reason: 'no_price', detail: `item ${product_id} has no price` };
    }
    if (price !== null && hundredths(price) !== hundredths(unit_price)) {
      const detail = `item ${product_id} costs ${price}, not ${unit_price}`;
      return { reason: 'price_mismatch', detail };
    }
    if (hundredths(unit_price) < 0n) {
      return { reason: 'price_mismatch', detail: `unit_price of ${product_id} is ${unit_price}, below zero` };
    }
  }
  return null;
}

function refuseTotal(items: OrderCreated['items'], total: string): Refusal | null {
  let sum = 0n;
  for (const { quantity, unit_price } of items) sum += BigInt(quantity) * hundredths(unit_price);
  if (sum === hundredths(total)) return null;
  return { reason: 'total_mismatch', detail: `the lines add up to ${amountFrom(sum)}, not ${total}` };
}

function refuseStock({ items }: OrderCreated, state: Pick<State, 'item'>): Refusal | null {
  for (const [item, quantity] of quantitiesOf(items)) {
    const onHand = state.item(item)?.quantity ?? 0;
    if (quantity <= onHand) continue;
    return { reason: 'insufficient_stock', detail: lackingStock(`item ${item}`, onHand, quantity) };
  }
  return null;
}
