import { message, optional, TIME, type ValueOf } from '../message.ts';
import { STOCK_FIELDS } from './stock-fields.ts';

export const INVENTORY_UPDATE = message({
  name: 'inventory_updates',
  summary: 'the outcome of a stock event',
  key: 'product_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['stock'],
  readers: [],
  schema: {
    type: 'record',
    name: 'InventoryUpdate',
    namespace: 'orderctl.stock',
    fields: [
      ...STOCK_FIELDS,
      {
        name: 'source',
        type: {
          type: 'enum',
          name: 'StockSource',
          symbols: ['online_orders', 'store_sales', 'supplier_restocks'],
        },
      },
      optional('order_id', 'string', 'as in the event'),
      optional('store_id', 'string', 'as in the event'),
      optional('supplier_id', 'string', 'as in the event'),
      { name: 'outcome', type: { type: 'enum', name: 'StockOutcome', symbols: ['applied', 'rejected'] } },
      optional('reason', 'string', 'why it was rejected: a code'),
      { name: 'delta', type: 'long', doc: '0 where it was rejected' },
      { name: 'on_hand', type: 'long', doc: 'after the event' },
      {
        name: 'revision',
        type: 'long',
        doc: "counts the product's changes: one with a lower revision is older",
      },
      { name: 'processed_at', type: TIME },
    ],
  },
});
export type InventoryUpdate = ValueOf<typeof INVENTORY_UPDATE.schema>;
