import { message, MONEY, TIME, type ValueOf } from '../message.ts';
import { LINES } from './lines.ts';

export const ORDER_VALIDATED = message({
  name: 'orders.validated',
  summary: 'a valid order, ready to be charged',
  key: 'order_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['validation'],
  readers: ['payment'],
  schema: {
    type: 'record',
    name: 'OrderValidated',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      { name: 'items', type: LINES },
      { name: 'total_amount', type: MONEY },
      { name: 'shipping_address', type: 'string' },
      { name: 'validated_at', type: TIME },
    ],
  },
});
export type OrderValidated = ValueOf<typeof ORDER_VALIDATED.schema>;
