import { message, optional, TIME, type ValueOf } from '../message.ts';

export const ORDER_CANCELLED = message({
  name: 'orders.cancelled',
  summary: 'the outcome of a cancellation request',
  key: 'order_id',
  partitions: 3,
  retentionDays: 30,
  writers: ['inventory'],
  readers: ['payment', 'notification'],
  schema: {
    type: 'record',
    name: 'OrderCancelled',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      optional('customer_id', 'string', 'null: no order with this id had come'),
      {
        name: 'outcome',
        type: { type: 'enum', name: 'CancelOutcome', symbols: ['cancelled', 'refused'] },
        doc: 'refused: it was dispatched, or had ended otherwise',
      },
      { name: 'detail', type: 'string', doc: 'in words' },
      { name: 'decided_at', type: TIME },
    ],
  },
});
export type OrderCancelled = ValueOf<typeof ORDER_CANCELLED.schema>;
