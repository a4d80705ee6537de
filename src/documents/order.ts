import { Type } from 'typebox';
import { REASONS } from '../domain/orders/reasons.ts';
import { USER_STATUSES } from '../domain/tables.ts';
import { Count, LINE, nullable, object, PLACE, PLACE_OR_NULL, Time, type Document } from './shapes.ts';

const Line = object({
  ...LINE,
  stock: nullable(Type.Integer(), 'on hand before the decision; null for an unknown item'),
});

const USER = nullable(Type.String(), 'null: it has none');
const STATUS = Type.Enum(['accepted', 'rejected']);

/** A decision, as `order show` and `order list` print it. */
export const Order = object({
  order_id: Type.String(),
  status: STATUS,
  reason: nullable(Type.Enum(REASONS)),
  detail: nullable(Type.String(), 'the reason in words'),
  user: USER,
  user_status: nullable(Type.Enum(USER_STATUSES), 'when it was decided; null for an unknown user'),
  items: Type.Array(Line),
  created_at: Time,
  decided_at: Time,
  ...PLACE,
});
export type Order = Document<typeof Order>;

/** `order explain`: a decision, or an order that waits for one, and what is known of its records. */
export const Explanation = object({
  ...Order.properties,
  status: nullable(STATUS, 'null: it is not decided, and neither are the nulls that follow from it'),
  decided_at: nullable(Time),
  ...PLACE_OR_NULL,
  explanation: Type.String(),
  records: Type.Array(
    object({
      ...PLACE,
      timestamp: nullable(Time, 'null: it has none, or the record was not read'),
      role: Type.Enum(['deciding', 'duplicate', 'conflict', 'unread']),
      replay_id: nullable(Type.String()),
    }),
  ),
  scanned: Type.Boolean({ description: 'whether the topic was searched for all records of the order' }),
  retry_of: nullable(Type.String(), 'the order that this is another try of'),
  retries: Type.Array(object({ order_id: Type.String(), status: STATUS })),
  next: Type.Array(Type.String(), { description: 'what can be done now' }),
});
export type Explanation = Document<typeof Explanation>;

/** What became of a record, as `consume --each` prints it. */
export const Decision = object({
  type: Type.Literal('decision'),
  decision: Type.Enum(['accepted', 'rejected', 'duplicate', 'conflict', 'dead_letter']),
  order_id: nullable(Type.String(), 'null: the record holds no order'),
  user: USER,
  items: nullable(Type.Array(object(LINE))),
  reason: nullable(Type.String(), 'of a rejection, or the code of a dead letter'),
  detail: nullable(Type.String()),
  ...PLACE,
});
export type Decision = Document<typeof Decision>;

/** An order that `produce` and `replay` sent or would send, or of which nobody knows whether it was sent. */
export const Sent = object({
  type: Type.Enum(['sent', 'would_send', 'unknown']),
  order_id: Type.String(),
  user: USER,
  items: Type.Array(object(LINE)),
  topic: Type.String(),
  partition: nullable(Count),
  offset: nullable(Type.Integer()),
});
export type Sent = Document<typeof Sent>;

/** An order that `replay --as-new` leaves out, because a try of it was accepted. */
export const SkippedOrder = object({
  type: Type.Literal('skipped'),
  order_id: Type.String(),
  reason: Type.Literal('fulfilled'),
  fulfilled_as: Type.String(),
});
export type SkippedOrder = Document<typeof SkippedOrder>;
