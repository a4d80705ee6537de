import type { FactLog } from '../facts.ts';
import type { OnlineOrder } from '../messages/stock/online-order.ts';
import type { StoreSale } from '../messages/stock/store-sale.ts';
import type { SupplierRestock } from '../messages/stock/supplier-restock.ts';

export const STOCK_SOURCES = ['online_orders', 'store_sales', 'supplier_restocks'] as const;
/** The name of the message. */
export type StockSource = (typeof STOCK_SOURCES)[number];

/** A message of any source; fields that the source does not have are absent. */
export type SourceMessage = OnlineOrder & Partial<StoreSale> & Partial<SupplierRestock>;

/** A stock event that was applied or rejected. The log never has more than one line per event id. */
export type StockEvent = Readonly<{
  event_id: string;
  source: StockSource;
  product_id: string;
  quantity: number;
  /** A decimal string with two places; null: the event has none. */
  unit_price: string | null;
  order_id: string | null;
  store_id: string | null;
  supplier_id: string | null;
  /** ISO 8601. */
  occurred_at: string;
  /** `rejected`: the event was read and changed nothing. */
  status: 'applied' | 'rejected';
  /** The code of why it was rejected. */
  reason: string | null;
  delta: number;
  /** Stock after the event. */
  on_hand: number;
  /** When the event was committed, in ISO 8601. */
  at: string;
  topic: string;
  partition: number;
  offset: number;
  /** The value of the record, in base64. */
  raw: string;
}>;

export const EVENTS_LOG: FactLog<StockEvent> = { name: 'events_log', key: 'event_id' };
