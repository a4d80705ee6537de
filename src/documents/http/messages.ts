import { Type } from 'typebox';
import { DecodedValue, RecordBytes, RecordHeaders } from '../dead-letter.ts';
import { Count, nullable, object, PLACE, Time, type Document } from '../shapes.ts';

export const Notification = object({
  notification_id: Type.String({ description: 'the same if it is sent again' }),
  order_id: Type.String(),
  customer_id: Type.String(),
  cause: Type.String({ description: 'the message that it is about, such as payments.processed' }),
  channel: Type.Enum(['log', 'email', 'webhook']),
  recipient: nullable(Type.String(), 'an address; null where none is known'),
  subject: Type.String(),
  body: Type.String(),
  at: Time,
  deliveries: Type.Array(
    object({
      channel: Type.Enum(['log', 'mail', 'webhook']),
      step: Type.Enum(['owed', 'delivered', 'failed']),
      at: Time,
      attempts: Count,
      detail: nullable(Type.String(), "the receiver's answer"),
    }),
    { description: 'the last step per channel; empty: it was not yet read for delivery' },
  ),
});
export type Notification = Document<typeof Notification>;

export const NotificationPage = object({
  notifications: Type.Array(Notification, { description: 'newest first' }),
  next: nullable(Type.String(), 'cursor of the next page; null: this is the last page'),
});
export type NotificationPage = Document<typeof NotificationPage>;

export const OrderRecord = object({
  ...PLACE,
  timestamp: nullable(Time, 'null, like all fields below except problem: it is no longer in Kafka'),
  headers: RecordHeaders,
  key: nullable(RecordBytes),
  value: nullable(RecordBytes),
  decoded: nullable(DecodedValue),
  problem: nullable(Type.String(), 'why it could not be read or decoded'),
});
export type OrderRecord = Document<typeof OrderRecord>;

/** The records that caused the steps of an order. */
export const OrderRecords = object({ order_id: Type.String(), records: Type.Array(OrderRecord) });
export type OrderRecords = Document<typeof OrderRecords>;
