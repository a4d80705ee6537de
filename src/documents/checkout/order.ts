import { Type } from 'typebox';
import { ORDER_STATUSES } from '../../domain/checkout/status.ts';
import {
  Count,
  LINE,
  Money,
  nullable,
  object,
  PLACE,
  PLACE_OR_NULL,
  Time,
  type Document,
} from '../shapes.ts';

export const OrderStatus = Type.Enum(ORDER_STATUSES);

const MoneyState = object({
  status: Type.Enum(['owed', 'trying', 'retrying', 'parked', 'paid', 'declined', 'none'], {
    description: 'parked: the tries have ended, and "dlq redrive" is one more; none: nothing has moved',
  }),
  amount: nullable(Money),
  reference: nullable(Type.String(), "the gateway's name of it"),
  attempts: Count,
  reason: nullable(Type.String(), 'of a decline, or of a refund'),
  next_try_at: nullable(Time),
});

/** An order of the checkout, as `order show` prints it: what is not known yet is null. */
export const CheckoutOrder = object({
  order_id: Type.String(),
  flow: Type.Literal('checkout'),
  status: OrderStatus,
  decision: Type.Null({ description: 'of direct orders' }),
  reason: nullable(Type.String(), 'a code: why it ended as it did'),
  detail: nullable(Type.String(), 'the reason in words'),
  user: nullable(Type.String()),
  user_status: Type.Null({ description: 'of direct orders' }),
  items: Type.Array(
    object({
      ...LINE,
      unit_price: Type.String(),
      stock: Type.Null({ description: 'of direct orders' }),
    }),
  ),
  total_amount: nullable(Type.String()),
  shipping_address: nullable(Type.String()),
  created_at: nullable(Time),
  decided_at: nullable(Time, 'when it was validated or rejected'),
  ...PLACE_OR_NULL,
  payment: nullable(MoneyState),
  refund: nullable(MoneyState),
  shipment: nullable(
    object({
      status: Type.Enum(['created', 'dispatched', 'cancelled']),
      carrier: nullable(Type.String()),
      tracking_number: nullable(Type.String()),
    }),
  ),
  timeline: Type.Array(
    object({
      step: Type.String(),
      at: Time,
      ...PLACE,
      detail: Type.String({ description: 'in words' }),
    }),
    { description: 'each step with the record that led to it' },
  ),
});
export type CheckoutOrder = Document<typeof CheckoutOrder>;

/** `order explain` of one: each record once, with the steps that it led to. */
export const CheckoutExplanation = object({
  ...CheckoutOrder.properties,
  explanation: Type.String(),
  records: Type.Array(
    object({
      ...PLACE,
      timestamp: Type.Null(),
      role: Type.Literal('deciding'),
      replay_id: Type.Null(),
      steps: Type.Array(Type.String()),
    }),
  ),
  scanned: Type.Literal(false, { description: 'its records are those of its steps' }),
  retry_of: Type.Null({ description: 'of direct orders' }),
  retries: Type.Array(Type.Never(), { description: 'of direct orders' }),
  next: Type.Array(Type.String(), { description: 'what can be done now' }),
});
export type CheckoutExplanation = Document<typeof CheckoutExplanation>;

/** `order cancel`, `order dispatch`: what became of a wish. */
export const Wish = object({
  order_id: Type.String(),
  wish: Type.Enum(['cancel', 'dispatch']),
  outcome: Type.Enum(['done', 'pending'], {
    description: 'pending: it is decided once "orderctl run" reads it',
  }),
  status: nullable(OrderStatus, 'null: no order of that id has come yet'),
  ...PLACE_OR_NULL,
});
export type Wish = Document<typeof Wish>;
