import type { CheckoutStep } from '../../domain/checkout/facts.ts';
import { INVENTORY_REJECTED } from '../../domain/messages/checkout/inventory-rejected.ts';
import { ORDER_CANCELLED } from '../../domain/messages/checkout/order-cancelled.ts';
import { ORDER_VALIDATED } from '../../domain/messages/checkout/order-validated.ts';
import { PAYMENT_PROCESSED } from '../../domain/messages/checkout/payment-processed.ts';
import { SHIPMENT_CREATED } from '../../domain/messages/checkout/shipment-created.ts';
import type { DeclaredMessage, ProcessorName } from '../../domain/messages/message.ts';

/** Steps of one order that exclude each other: at most one of each row. */
export const EITHER: readonly (readonly CheckoutStep[])[] = [
  ['validated', 'rejected'],
  ['paid', 'declined', 'not_charged'],
  ['reserved', 'gone'],
  ['cancelled', 'cancel_refused'],
  ['cancelled', 'dispatched'],
  ['cancelled', 'gone'],
];
/** A step, and the steps of which at least one must come before it. */
export const AFTER: readonly (readonly [CheckoutStep, readonly CheckoutStep[]])[] = [
  // After a store is restored, possible charges are looked up even when the order is now cancelled or rejected.
  ['charge_owed', ['validated', 'cancelled', 'rejected']],
  ['paid', ['charge_owed']],
  ['declined', ['charge_owed']],
  ['reserved', ['paid']],
  ['gone', ['paid']],
  ['dispatched', ['reserved']],
  ['refund_owed', ['paid']],
  ['refunded', ['refund_owed']],
];
/** Steps after which nothing else follows. */
export const ENDS: readonly CheckoutStep[] = ['rejected', 'declined', 'dispatched', 'refunded'];

/** What an order waits for after its last step `step`: that `reader` handles the message committed with that step. */
export interface Awaited {
  readonly step: CheckoutStep;
  readonly message: DeclaredMessage;
  readonly reader: ProcessorName;
}

/** Later steps come first. */
export const AWAITED: readonly Awaited[] = [
  { step: 'cancelled', message: ORDER_CANCELLED, reader: 'payment' },
  { step: 'gone', message: INVENTORY_REJECTED, reader: 'payment' },
  { step: 'reserved', message: SHIPMENT_CREATED, reader: 'warehouse' },
  { step: 'paid', message: PAYMENT_PROCESSED, reader: 'inventory' },
  { step: 'validated', message: ORDER_VALIDATED, reader: 'payment' },
];
