import { Type } from 'typebox';
import { nullable, object, Time, type Document } from '../shapes.ts';
import { StockCause } from './live.ts';

/** A change of the stock on hand of an item. */
export const ItemChange = object({
  at: Time,
  cause: StockCause,
  before: nullable(Type.Integer(), 'on hand; null: the item did not exist'),
  after: nullable(Type.Integer(), 'on hand; null: the item was removed'),
  order_id: nullable(Type.String(), 'the order that caused it'),
  event_id: nullable(Type.String(), 'the sale or delivery that caused it'),
  by: nullable(Type.String(), 'the user who made the edit'),
  via: nullable(Type.String(), 'how the edit was made: command, file, http, …'),
  why: nullable(Type.String(), 'the reason given for the edit'),
});
export type ItemChange = Document<typeof ItemChange>;

export const ItemChanges = object({
  changes: Type.Array(ItemChange, { description: 'newest first' }),
  next: nullable(Type.String(), 'cursor of the next page; null: this is the last page'),
});
export type ItemChanges = Document<typeof ItemChanges>;
