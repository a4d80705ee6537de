import type { FactLog } from '../facts.ts';
import type { OnlineOrder } from '../messages/stock/online-order.ts';
import type { StoreSale } from '../messages/stock/store-sale.ts';
import type { SupplierRestock } from '../messages/stock/supplier-restock.ts';

export const STOCK_SOURCES = ['online_orders', 'store_sales', 'supplier_restocks'] as const;
/** By the name of the message. */
export type StockSource = (typeof STOCK_SOURCES)[number];

/** Of any source: the fields that it does not have are absent. */
export type SourceMessage = OnlineOrder & Partial<StoreSale> & Partial<SupplierRestock>;

/** What is known of each event that changed the stock, or was refused: one line for each event id, ever. */
export type StockEvent = Readonly<{
  event_id: string;
  source: StockSource;
  product_id: string;
  quantity: number;
  /** A decimal string with two places; null: the event names none. */
  unit_price: string | null;
  order_id: string | null;
  store_id: string | null;
  supplier_id: string | null;
  /** ISO 8601. */
  occurred_at: string;
  /** `rejected`: it was read, and changes nothing. */
  status: 'applied' | 'rejected';
  /** Why it was rejected: a code. */
  reason: string | null;
  delta: number;
  /** After it. */
  on_hand: number;
  /** ISO 8601: when it was committed. */
  at: string;
  topic: string;
  partition: number;
  offset: number;
  /** The value of its record in base64. */
  raw: string;
}>;

export const EVENTS_LOG: FactLog<StockEvent> = { name: 'events_log', key: 'event_id' };
