import { Type } from 'typebox';
import { CheckoutOrder, OrderStatus } from '../checkout/order.ts';
import { Order } from '../order.ts';
import { LINE, nullable, object, Time, type Document } from '../shapes.ts';

/** An order that was taken: stored by Kafka, to be decided. */
export const TakenOrder = object({
  order_id: Type.String(),
  status: OrderStatus,
});
export type TakenOrder = Document<typeof TakenOrder>;

/** What is known of an order: what `order show` prints, once it is decided. */
export const OrderState = object({
  ...Order.properties,
  status: Type.Enum(['PENDING', 'COMPLETED', 'REJECTED']),
  decision: nullable(Type.Enum(['accepted', 'rejected']), 'null: not decided yet'),
  items: Type.Array(
    object({
      ...LINE,
      stock: nullable(Type.Integer(), 'on hand before the decision; null: unknown item, or not decided'),
    }),
  ),
  decided_at: nullable(Time),
  topic: nullable(Type.String()),
  partition: nullable(Type.Integer({ minimum: 0 })),
  offset: nullable(Type.Integer({ minimum: 0 })),
});
export type OrderState = Document<typeof OrderState>;

export const OrderList = object({
  orders: Type.Array(Type.Union([OrderState, CheckoutOrder]), { description: 'the latest first' }),
  next: nullable(Type.String(), 'the cursor of the next page; null: there is none'),
});
export type OrderList = Document<typeof OrderList>;
