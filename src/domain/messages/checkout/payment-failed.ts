import { message, MONEY, optional, TIME, type ValueOf } from '../message.ts';

export const PAYMENT_FAILED = message({
  name: 'payments.failed',
  summary: 'an order whose payment was declined',
  key: 'order_id',
  partitions: 3,
  retentionDays: 30,
  writers: ['payment'],
  readers: ['notification'],
  schema: {
    type: 'record',
    name: 'PaymentFailed',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      { name: 'amount', type: MONEY },
      optional('reference', 'string', "the gateway's name of the charge that it declined"),
      { name: 'reason', type: 'string', doc: 'a code' },
      { name: 'attempts', type: 'int', doc: 'until the gateway answered' },
      { name: 'failed_at', type: TIME },
    ],
  },
});
export type PaymentFailed = ValueOf<typeof PAYMENT_FAILED.schema>;
