import { message, optional, TIME, type ValueOf } from '../message.ts';

export const ORDER_CANCEL = message({
  name: 'orders.cancel',
  summary: 'a request to cancel an order',
  key: 'order_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['API', 'order cancel'],
  readers: ['inventory'],
  schema: {
    type: 'record',
    name: 'OrderCancel',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      optional('reason', 'string', 'in words, from the requester'),
      { name: 'requested_at', type: TIME },
    ],
  },
});
export type OrderCancel = ValueOf<typeof ORDER_CANCEL.schema>;
