import { isoTimeOrNull } from '../../domain/iso-time.ts';
import type { CheckoutOrder as Order, MoneyState } from '../../views/checkout-order.ts';
import type { CheckoutOrder } from '../checkout/order.ts';

export function checkoutDocument(order: Order): CheckoutOrder {
  const { shipment, timeline } = order;
  return {
    order_id: order.orderId,
    flow: 'checkout',
    status: order.status,
    decision: null,
    reason: order.reason,
    detail: order.detail,
    user: order.customer,
    user_status: null,
    items: order.items.map(({ product_id: item, quantity, unit_price }) => {
      return { item, quantity, unit_price, stock: null };
    }),
    total_amount: order.total,
    shipping_address: order.address,
    created_at: order.createdAt,
    decided_at: order.decidedAt,
    ...(order.record ?? { topic: null, partition: null, offset: null }),
    payment: moneyDocument(order.payment),
    refund: moneyDocument(order.refund),
    shipment:
      shipment === null
        ? null
        : { status: shipment.status, carrier: shipment.carrier, tracking_number: shipment.trackingNumber },
    timeline: timeline.map(({ step, at, record, detail }) => ({ step, at, ...record, detail })),
  };
}

function moneyDocument(state: MoneyState | null): CheckoutOrder['payment'] {
  if (state === null) return null;
  const { nextTryAt, ...rest } = state;
  return { ...rest, next_try_at: isoTimeOrNull(nextTryAt) };
}
