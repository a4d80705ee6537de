import { ORDER_CANCELLED, type OrderCancelled } from '../../domain/messages/checkout/order-cancelled.ts';
import { ORDER_REJECTED, type OrderRejected } from '../../domain/messages/checkout/order-rejected.ts';
import { PAYMENT_FAILED, type PaymentFailed } from '../../domain/messages/checkout/payment-failed.ts';
import {
  PAYMENT_PROCESSED,
  type PaymentProcessed,
} from '../../domain/messages/checkout/payment-processed.ts';
import { PAYMENT_REFUNDED, type PaymentRefunded } from '../../domain/messages/checkout/payment-refunded.ts';
import { SHIPMENT_CREATED, type ShipmentCreated } from '../../domain/messages/checkout/shipment-created.ts';
import {
  SHIPMENT_DISPATCHED,
  type ShipmentDispatched,
} from '../../domain/messages/checkout/shipment-dispatched.ts';
import { isOf, type Received } from '../processor.ts';

export type Step =
  | OrderRejected
  | PaymentProcessed
  | PaymentFailed
  | PaymentRefunded
  | ShipmentCreated
  | ShipmentDispatched
  | OrderCancelled;

/** What a customer reads. */
export interface Text {
  readonly subject: string;
  readonly body: string;
}

/** The text for a step of an order. */
export function textFor(received: Received<Step>): Text {
  const { order_id: id } = received.message;
  if (isOf(received, ORDER_REJECTED)) {
    return text(
      `Order ${id} cannot be fulfilled`,
      `We cannot fulfil order ${id}: ${received.message.detail}.`,
    );
  }
  if (isOf(received, PAYMENT_PROCESSED)) {
    const { amount } = received.message;
    return text(`Order ${id} is paid`, `We have received ${amount} for order ${id}. Thank you.`);
  }
  if (isOf(received, PAYMENT_FAILED)) {
    const { amount } = received.message;
    return text(`Payment of order ${id} failed`, `Your payment of ${amount} for order ${id} was declined.`);
  }
  if (isOf(received, PAYMENT_REFUNDED)) {
    const { amount } = received.message;
    return text(`Order ${id} is refunded`, `We have refunded the ${amount} that you paid for order ${id}.`);
  }
  if (isOf(received, SHIPMENT_CREATED)) {
    const { items, shipping_address } = received.message;
    const lines = items.map(({ product_id, quantity }) => `${quantity} × ${product_id}`);
    return text(
      `Order ${id} is being packed`,
      `We are packing order ${id}:\n\n${lines.join('\n')}\n\nIt goes to:\n${shipping_address}`,
    );
  }
  if (isOf(received, SHIPMENT_DISPATCHED)) {
    const { carrier, tracking_number } = received.message;
    return text(
      `Order ${id} is on its way`,
      `Order ${id} has left us (${carrier}, number ${tracking_number}).`,
    );
  }
  const { outcome, detail } = received.message as OrderCancelled;
  return outcome === 'cancelled'
    ? text(`Order ${id} is cancelled`, `Order ${id} is cancelled. What you paid for it will be refunded.`)
    : text(`Order ${id} cannot be cancelled`, `Order ${id} cannot be cancelled: ${detail}.`);
}

function text(subject: string, body: string): Text {
  return { subject, body: `${body}\n` };
}

/** In the order of the catalogue. */
export const STEPS = [
  ORDER_REJECTED,
  PAYMENT_PROCESSED,
  PAYMENT_FAILED,
  PAYMENT_REFUNDED,
  SHIPMENT_CREATED,
  SHIPMENT_DISPATCHED,
  ORDER_CANCELLED,
] as const;
