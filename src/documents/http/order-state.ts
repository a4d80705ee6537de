import { Type } from 'typebox';
import { CheckoutOrder, OrderStatus } from '../checkout/order.ts';
import { Order } from '../order.ts';
import { LINE, nullable, object, Time, type Document } from '../shapes.ts';

/** An order that was placed: Kafka has stored it, and it will be processed. */
export const TakenOrder = object({
  order_id: Type.String(),
  status: OrderStatus,
});
export type TakenOrder = Document<typeof TakenOrder>;

/** The state of an order: the document of `order show`, once it is decided. */
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
  orders: Type.Array(Type.Union([OrderState, CheckoutOrder]), { description: 'newest first' }),
  next: nullable(Type.String(), 'cursor of the next page; null: this is the last page'),
});
export type OrderList = Document<typeof OrderList>;
