import { message, optional, TIME, type ValueOf } from '../message.ts';

export const ALERT_KINDS = ['low_stock', 'out_of_stock', 'oversold', 'insufficient_stock'] as const;

export const ALERT = message({
  name: 'alerts',
  summary: "an alert that an item's stock needs attention; one each time that this begins",
  key: 'item',
  partitions: 3,
  retentionDays: 7,
  writers: ['orders', 'inventory', 'stock'],
  readers: ['delivery'],
  schema: {
    type: 'record',
    name: 'Alert',
    namespace: 'orderctl',
    fields: [
      { name: 'event_id', type: 'string', doc: 'the same whenever the alert is sent again' },
      {
        name: 'kind',
        type: {
          type: 'enum',
          name: 'AlertKind',
          symbols: ALERT_KINDS,
        },
      },
      { name: 'item', type: 'string' },
      {
        name: 'revision',
        type: 'long',
        doc: "counts the item's changes: one with a lower revision is older",
      },
      { name: 'on_hand', type: 'long' },
      optional('reorder_level', 'long', 'at which stock counts as low'),
      optional('order_id', 'string', 'the order that led to it'),
      { name: 'message', type: 'string', doc: 'in words' },
      { name: 'at', type: TIME },
    ],
  },
});
export type Alert = ValueOf<typeof ALERT.schema>;
