import { message, TIME, type ValueOf } from '../message.ts';

export const INVENTORY_REJECTED = message({
  name: 'inventory.rejected',
  summary: 'a paid order whose stock was sold to others in the meantime; it is refunded',
  key: 'order_id',
  partitions: 3,
  retentionDays: 30,
  writers: ['inventory'],
  readers: ['payment'],
  schema: {
    type: 'record',
    name: 'InventoryRejected',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      { name: 'reason', type: 'string', doc: 'a code' },
      { name: 'detail', type: 'string', doc: 'in words' },
      { name: 'rejected_at', type: TIME },
    ],
  },
});
export type InventoryRejected = ValueOf<typeof INVENTORY_REJECTED.schema>;
