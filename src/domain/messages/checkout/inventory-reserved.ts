import { message, TIME, type ValueOf } from '../message.ts';

export const INVENTORY_RESERVED = message({
  name: 'inventory.reserved',
  summary: 'stock reserved for a paid order; one message per product',
  key: 'product_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['inventory'],
  readers: [],
  schema: {
    type: 'record',
    name: 'InventoryReserved',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'product_id', type: 'string' },
      { name: 'quantity', type: 'long', doc: 'of all lines of the order' },
      { name: 'on_hand', type: 'long', doc: 'after it was taken' },
      {
        name: 'revision',
        type: 'long',
        doc: "counts the product's changes: one with a lower revision is older",
      },
      { name: 'reserved_at', type: TIME },
    ],
  },
});
export type InventoryReserved = ValueOf<typeof INVENTORY_RESERVED.schema>;
