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
    description: 'parked: no longer tried, until "dlq redrive" tries once more; none: no money has moved',
  }),
  amount: nullable(Money),
  reference: nullable(Type.String(), "the gateway's reference"),
  attempts: Count,
  reason: nullable(Type.String(), 'why it was declined or refunded'),
  next_try_at: nullable(Time),
});

/** A checkout order, as `order show` prints it; null: not known yet. */
export const CheckoutOrder = object({
  order_id: Type.String(),
  flow: Type.Literal('checkout'),
  status: OrderStatus,
  decision: Type.Null({ description: 'for direct orders only' }),
  reason: nullable(Type.String(), 'code of why it ended as it did'),
  detail: nullable(Type.String(), 'the reason as a sentence'),
  user: nullable(Type.String()),
  user_status: Type.Null({ description: 'for direct orders only' }),
  items: Type.Array(
    object({
      ...LINE,
      unit_price: nullable(
        Type.String(),
        'null: the request named none, and no processor has read the order yet',
      ),
      stock: Type.Null({ description: 'for direct orders only' }),
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
      detail: Type.String({ description: 'the step as a sentence' }),
    }),
    { description: 'each step with the record that caused it' },
  ),
});
export type CheckoutOrder = Document<typeof CheckoutOrder>;

/** `order explain` for a checkout order: each record once, with the steps that it caused. */
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
  scanned: Type.Literal(false, { description: 'its records are known from its steps' }),
  retry_of: Type.Null({ description: 'for direct orders only' }),
  retries: Type.Array(Type.Never(), { description: 'for direct orders only' }),
  next: Type.Array(Type.String(), { description: 'what can be done now' }),
});
export type CheckoutExplanation = Document<typeof CheckoutExplanation>;

/** `order cancel`, `order dispatch`: the outcome of a request. */
export const Wish = object({
  order_id: Type.String(),
  wish: Type.Enum(['cancel', 'dispatch']),
  outcome: Type.Enum(['done', 'pending'], {
    description: 'pending: it takes effect when "orderctl run" reads it',
  }),
  status: nullable(OrderStatus, 'null: no order with this id has arrived yet'),
  ...PLACE_OR_NULL,
});
export type Wish = Document<typeof Wish>;
