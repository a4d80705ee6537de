import type { Decided } from '../../domain/orders/decided.ts';
import type { CheckoutOrder } from '../../views/checkout-order.ts';

/** An order of either flow, in a list. */
export type ListedOrder = Decided | CheckoutOrder;

export function isCheckout(order: ListedOrder): order is CheckoutOrder {
  return 'timeline' in order;
}

export function orderIdOf(order: ListedOrder): string {
  return isCheckout(order) ? order.orderId : order.order.orderId;
}

/** When it was decided, or processed by validation, in milliseconds since the epoch. */
export function decidedMs(order: ListedOrder): number {
  return isCheckout(order) ? Date.parse(order.decidedAt ?? '') : order.decidedAt;
}
