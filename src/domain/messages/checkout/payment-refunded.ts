import { message, MONEY, TIME, type ValueOf } from '../message.ts';

export const PAYMENT_REFUNDED = message({
  name: 'payments.refunded',
  summary: 'an order that was refunded',
  key: 'order_id',
  partitions: 3,
  retentionDays: 30,
  writers: ['payment'],
  readers: ['notification'],
  schema: {
    type: 'record',
    name: 'PaymentRefunded',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      { name: 'amount', type: MONEY },
      { name: 'reference', type: 'string', doc: "the gateway's name of the refund" },
      { name: 'reason', type: 'string', doc: 'a code: what made the refund necessary' },
      { name: 'attempts', type: 'int', doc: 'until the gateway answered' },
      { name: 'refunded_at', type: TIME },
    ],
  },
});
export type PaymentRefunded = ValueOf<typeof PAYMENT_REFUNDED.schema>;
