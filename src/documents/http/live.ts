import { Type } from 'typebox';
import { OrderStatus } from '../checkout/order.ts';
import { Count, nullable, object, PLACE, Time, type Document } from '../shapes.ts';
import { Alert } from './alerts.ts';
import { OrderState } from './order-state.ts';

/* What GET /events sends, by the name of the event. Each is what came together. */

export const Decisions = object({
  accepted: Count,
  rejected: Count,
  orders: Type.Array(OrderState, { description: 'the latest of them' }),
});
export type Decisions = Document<typeof Decisions>;

export const Statuses = object({
  orders: Type.Array(
    object({
      order_id: Type.String(),
      status: OrderStatus,
      step: Type.String({ description: 'what led to it; some steps leave the status as it is' }),
      at: Time,
      ...PLACE,
    }),
    { description: 'of the checkout, in the order in which they moved' },
  ),
});
export type Statuses = Document<typeof Statuses>;

export const StockCause = Type.Enum(['sale', 'reservation', 'release', 'restock', 'edit'], {
  description: 'of a change of stock; sale: of an order, in a store, or on line',
});

export const StockChanges = object({
  items: Type.Array(
    object({
      item: Type.String(),
      quantity: nullable(Type.Integer(), 'on hand after the latest change; null: the item was removed'),
      cause: StockCause,
      order_id: nullable(Type.String(), 'the order that it was for'),
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
    { description: 'those that run' },
  ),
});
export type Lag = Document<typeof Lag>;
