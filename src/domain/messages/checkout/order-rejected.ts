import { message, TIME, type ValueOf } from '../message.ts';

export const ORDER_REJECTED = message({
  name: 'orders.rejected',
  summary: 'an order that cannot be fulfilled as it was placed',
  key: 'order_id',
  partitions: 3,
  retentionDays: 30,
  writers: ['validation'],
  readers: ['notification'],
  schema: {
    type: 'record',
    name: 'OrderRejected',
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
export type OrderRejected = ValueOf<typeof ORDER_REJECTED.schema>;
