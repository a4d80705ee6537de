import { message, MONEY, TIME, type ValueOf } from '../message.ts';
import { LINES } from './lines.ts';

export const PAYMENT_PROCESSED = message({
  name: 'payments.processed',
  summary: 'an order that was paid',
  key: 'order_id',
  partitions: 6,
  retentionDays: 7,
  writers: ['payment'],
  readers: ['inventory', 'notification'],
  schema: {
    type: 'record',
    name: 'PaymentProcessed',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      { name: 'items', type: LINES },
      { name: 'shipping_address', type: 'string' },
      { name: 'amount', type: MONEY },
      { name: 'reference', type: 'string', doc: "the gateway's name of the charge" },
      { name: 'attempts', type: 'int', doc: 'until the gateway answered' },
      { name: 'processed_at', type: TIME },
    ],
  },
});
export type PaymentProcessed = ValueOf<typeof PAYMENT_PROCESSED.schema>;
