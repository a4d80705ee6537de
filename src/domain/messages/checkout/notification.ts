import { message, optional, TIME, type ValueOf } from '../message.ts';

export const NOTIFICATION = message({
  name: 'notifications.outbound',
  summary: 'a notification to a customer; one per order and step',
  key: 'customer_id',
  partitions: 3,
  retentionDays: 1,
  writers: ['notification'],
  readers: ['delivery'],
  schema: {
    type: 'record',
    name: 'Notification',
    namespace: 'orderctl.checkout',
    fields: [
      { name: 'notification_id', type: 'string', doc: 'the same whenever it is sent again' },
      { name: 'customer_id', type: 'string' },
      { name: 'order_id', type: 'string' },
      {
        name: 'channel',
        type: { type: 'enum', name: 'Channel', symbols: ['log', 'email', 'webhook'] },
      },
      optional('recipient', 'string', 'an address; null where none is known'),
      { name: 'subject', type: 'string' },
      { name: 'body', type: 'string' },
      { name: 'cause', type: 'string', doc: 'the message that it is about, such as payments.processed' },
      { name: 'at', type: TIME },
    ],
  },
});
export type Notification = ValueOf<typeof NOTIFICATION.schema>;
