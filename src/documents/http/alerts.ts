import { Type } from 'typebox';
import { ALERT_KINDS } from '../../domain/messages/shop/alert.ts';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

export const Alert = object({
  event_id: Type.String({ description: 'the same if the alert is sent again' }),
  kind: Type.Enum(ALERT_KINDS),
  item: Type.String(),
  revision: Type.Integer({ description: "counts the item's changes" }),
  on_hand: Type.Integer(),
  reorder_level: nullable(Count, 'the stock at or below which the item is low'),
  order_id: nullable(Type.String(), 'the order that caused it'),
  message: Type.String({ description: 'the alert as a sentence' }),
  at: Time,
});
export type Alert = Document<typeof Alert>;

export const AlertPage = object({
  alerts: Type.Array(Alert, { description: 'newest first' }),
  next: nullable(Type.String(), 'cursor of the next page; null: this is the last page'),
});
export type AlertPage = Document<typeof AlertPage>;
