import { INVENTORY_REJECTED } from './checkout/inventory-rejected.ts';
import { INVENTORY_RESERVED } from './checkout/inventory-reserved.ts';
import { NOTIFICATION } from './checkout/notification.ts';
import { ORDER_CANCEL } from './checkout/order-cancel.ts';
import { ORDER_CANCELLED } from './checkout/order-cancelled.ts';
import { ORDER_CREATED } from './checkout/order-created.ts';
import { ORDER_REJECTED } from './checkout/order-rejected.ts';
import { ORDER_VALIDATED } from './checkout/order-validated.ts';
import { PAYMENT_FAILED } from './checkout/payment-failed.ts';
import { PAYMENT_PROCESSED } from './checkout/payment-processed.ts';
import { PAYMENT_REFUNDED } from './checkout/payment-refunded.ts';
import { SHIPMENT_CREATED } from './checkout/shipment-created.ts';
import { SHIPMENT_DISPATCHED } from './checkout/shipment-dispatched.ts';
import { SHIPMENT_DISPATCH } from './checkout/shipment-dispatch.ts';
import type { DeclaredMessage } from './message.ts';
import { ALERT } from './shop/alert.ts';
import { INVENTORY_EVENT } from './shop/inventory-event.ts';
import { ORDER } from './shop/order.ts';
import { STOCK_DEAD_LETTERS } from './stock/dead-letters.ts';
import { INVENTORY_UPDATE } from './stock/inventory-update.ts';
import { ONLINE_ORDER } from './stock/online-order.ts';
import { STORE_SALE } from './stock/store-sale.ts';
import { SUPPLIER_RESTOCK } from './stock/supplier-restock.ts';

/** The catalogue: all messages, in the order in which an order passes through them. */
export const MESSAGES: readonly DeclaredMessage[] = [
  ORDER,
  INVENTORY_EVENT,
  ALERT,
  ORDER_CREATED,
  ORDER_VALIDATED,
  ORDER_REJECTED,
  PAYMENT_PROCESSED,
  PAYMENT_FAILED,
  PAYMENT_REFUNDED,
  INVENTORY_RESERVED,
  INVENTORY_REJECTED,
  SHIPMENT_CREATED,
  SHIPMENT_DISPATCH,
  SHIPMENT_DISPATCHED,
  ORDER_CANCEL,
  ORDER_CANCELLED,
  NOTIFICATION,
  ONLINE_ORDER,
  STORE_SALE,
  SUPPLIER_RESTOCK,
  INVENTORY_UPDATE,
  STOCK_DEAD_LETTERS,
];
