import { Type } from 'typebox';
import { nullable, object, Time, type Document } from '../shapes.ts';
import { StockCause } from './live.ts';

/** A change of what is on hand of an item. */
export const ItemChange = object({
  at: Time,
  cause: StockCause,
  before: nullable(Type.Integer(), 'on hand; null: there was no such item'),
  after: nullable(Type.Integer(), 'on hand; null: the item was removed'),
  order_id: nullable(Type.String(), 'the order that it was for'),
  event_id: nullable(Type.String(), 'the sale or delivery that it was'),
  by: nullable(Type.String(), 'who made the edit'),
  via: nullable(Type.String(), 'how: command, file, http, …'),
  why: nullable(Type.String(), 'the reason that was given for the edit'),
});
export type ItemChange = Document<typeof ItemChange>;

export const ItemChanges = object({
  changes: Type.Array(ItemChange, { description: 'the latest first' }),
  next: nullable(Type.String(), 'the cursor of the next page; null: there is none'),
});
export type ItemChanges = Document<typeof ItemChanges>;
