import { isoTime } from '../../domain/iso-time.ts';
import { checkoutOrder } from '../../views/checkout-order.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import { userOf, type Order } from '../../domain/orders/order.ts';
import type { CheckoutOrder } from '../checkout/order.ts';
import type { OrderState } from '../http/order-state.ts';
import { checkoutDocument } from './checkout.ts';
import { orderDocument } from './order.ts';

export function decidedState(decided: Decided): OrderState {
  const { order_id, status: decision, ...rest } = orderDocument(decided);
  return { order_id, status: decision === 'accepted' ? 'COMPLETED' : 'REJECTED', decision, ...rest };
}

export function pendingState(order: Order): OrderState {
  const { orderId, items, createdAt } = order;
  return {
    order_id: orderId,
    status: 'PENDING',
    decision: null,
    reason: null,
    detail: null,
    user: userOf(order),
    user_status: null,
    items: items.map(({ item, quantity }) => ({ item, quantity, stock: null })),
    created_at: isoTime(createdAt),
    decided_at: null,
    topic: null,
    partition: null,
    offset: null,
  };
}

/** The state of a checkout order that no processor has read yet. */
export function pendingCheckout({ orderId, user, items }: Order): CheckoutOrder {
  return {
    ...checkoutDocument(checkoutOrder(orderId, [], {})),
    user,
    items: items.map(({ item, quantity, unitPrice }) => {
      return { item, quantity, unit_price: unitPrice, stock: null };
    }),
  };
}
