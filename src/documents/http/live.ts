import { Type } from 'typebox';
import { OrderStatus } from '../checkout/order.ts';
import { Count, nullable, object, PLACE, Time, type Document } from '../shapes.ts';
import { Alert } from './alerts.ts';
import { OrderState } from './order-state.ts';

/* The events of GET /events. Each event reports the changes that were committed or read together. */

export const Decisions = object({
  accepted: Count,
  rejected: Count,
  orders: Type.Array(OrderState, { description: 'the latest decisions' }),
});
export type Decisions = Document<typeof Decisions>;

export const Statuses = object({
  orders: Type.Array(
    object({
      order_id: Type.String(),
      status: OrderStatus,
      step: Type.String({ description: 'the step that led to it; some steps do not change the status' }),
      at: Time,
      ...PLACE,
    }),
    { description: 'checkout orders, in the order of their steps' },
  ),
});
export type Statuses = Document<typeof Statuses>;

export const StockCause = Type.Enum(['sale', 'reservation', 'release', 'restock', 'edit'], {
  description: 'the cause of a change of stock; sale: by an order, in a store, or online',
});

export const StockChanges = object({
  items: Type.Array(
    object({
      item: Type.String(),
      quantity: nullable(Type.Integer(), 'on hand after the latest change; null: the item was removed'),
      cause: StockCause,
      order_id: nullable(Type.String(), 'the order that caused it'),
      at: Time,
    }),
    { description: 'each item once' },
  ),
});
export type StockChanges = Document<typeof StockChanges>;

export const NewAlerts = object({ alerts: Type.Array(Alert) });
export type NewAlerts = Document<typeof NewAlerts>;

export const Lag = object({
  at: Time,
  processors: Type.Array(
    object({
      processor: Type.String(),
      lag: nullable(Count, 'records behind the end; null: not known'),
    }),
    { description: 'the running processors' },
  ),
});
export type Lag = Document<typeof Lag>;
