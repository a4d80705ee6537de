import { Type } from 'typebox';
import { REASONS } from '../domain/orders/reasons.ts';
import { USER_STATUSES } from '../domain/tables.ts';
import { Count, LINE, nullable, object, PLACE, PLACE_OR_NULL, Time, type Document } from './shapes.ts';

const Line = object({
  ...LINE,
  stock: nullable(Type.Integer(), 'on hand before the decision; null for an unknown item'),
});

const USER = nullable(Type.String(), 'null: the order has no user');
const STATUS = Type.Enum(['accepted', 'rejected']);

/** A decision, as `order show` and `order list` print it. */
export const Order = object({
  order_id: Type.String(),
  status: STATUS,
  reason: nullable(Type.Enum(REASONS)),
  detail: nullable(Type.String(), 'the reason as a sentence'),
  user: USER,
  user_status: nullable(Type.Enum(USER_STATUSES), 'at the time of the decision; null for an unknown user'),
  items: Type.Array(Line),
  created_at: Time,
  decided_at: Time,
  ...PLACE,
});
export type Order = Document<typeof Order>;

/** `order explain`: a decision or an undecided order, with the known records of the order. */
export const Explanation = object({
  ...Order.properties,
  status: nullable(STATUS, 'null, like the fields that depend on it: not decided yet'),
  decided_at: nullable(Time),
  ...PLACE_OR_NULL,
  explanation: Type.String(),
  records: Type.Array(
    object({
      ...PLACE,
      timestamp: nullable(Time, 'null: the record has none, or was not read'),
      role: Type.Enum(['deciding', 'duplicate', 'conflict', 'unread']),
      replay_id: nullable(Type.String()),
    }),
  ),
  scanned: Type.Boolean({ description: 'whether the topic was searched for all records of the order' }),
  retry_of: nullable(Type.String(), 'the order that this one retries'),
  retries: Type.Array(object({ order_id: Type.String(), status: STATUS })),
  next: Type.Array(Type.String(), { description: 'what can be done now' }),
});
export type Explanation = Document<typeof Explanation>;

/** The outcome of a record, as `consume --each` prints it. */
export const Decision = object({
  type: Type.Literal('decision'),
  decision: Type.Enum(['accepted', 'rejected', 'duplicate', 'conflict', 'dead_letter']),
  order_id: nullable(Type.String(), 'null: the record is not an order'),
  user: USER,
  items: nullable(Type.Array(object(LINE))),
  reason: nullable(Type.String(), 'reason of a rejection, or error code of a dead letter'),
  detail: nullable(Type.String()),
  ...PLACE,
});
export type Decision = Document<typeof Decision>;

/** An order that `produce` or `replay` sent or would send; unknown: sent, but never acknowledged. */
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

/** An order that `replay --as-new` leaves out, because a retry of it was accepted. */
export const SkippedOrder = object({
  type: Type.Literal('skipped'),
  order_id: Type.String(),
  reason: Type.Literal('fulfilled'),
  fulfilled_as: Type.String(),
});
export type SkippedOrder = Document<typeof SkippedOrder>;
