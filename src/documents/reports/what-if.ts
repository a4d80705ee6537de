import { Type } from 'typebox';
import { USER_STATUSES } from '../../domain/tables.ts';
import { Count, Money, nullable, object, Time, type Document } from '../shapes.ts';

const Sum = Type.String({
  pattern: String.raw`^-?\d+\.\d{2}$`,
  description: 'a decimal number with two places',
});

/** What `what-if` found: `was` is what happened, `would_be` what would have under the other circumstances. */
export const WhatIf = object({
  circumstances: object({
    stock: Type.Record(Type.String(), Count),
    price: Type.Record(Type.String(), Money),
    status: Type.Record(Type.String(), Type.Enum(USER_STATUSES)),
  }),
  until: object({
    seq: nullable(Count, 'of the last commit that was looked at'),
    at: nullable(Time),
  }),
  decided: Type.Integer({ minimum: 0, description: 'orders of both flows whose stock was decided on' }),
  accepted_instead: Count,
  rejected_instead: Count,
  not_sent: Type.Integer({ minimum: 0, description: 'tries of orders that would not have been rejected' }),
  rejected_otherwise: Type.Integer({ minimum: 0, description: 'rejected too, for another reason' }),
  unknown: Type.Integer({
    minimum: 0,
    description:
      'rejected by the checkout, and would not have been: whether they would have been paid is not known',
  }),
  orders: Type.Array(
    object({
      order_id: Type.String(),
      flow: Type.Enum(['direct', 'checkout']),
      was: Type.Enum(['accepted', 'rejected']),
      would_be: Type.Enum(['accepted', 'rejected', 'not_sent']),
      detail: nullable(Type.String(), 'why it was rejected, or would be'),
      decided_at: Time,
    }),
    { description: 'the first hundred that would have come out otherwise' },
  ),
  items: Type.Array(
    object({
      item: Type.String(),
      quantity: object({ was: nullable(Type.Integer()), would_be: nullable(Type.Integer()) }, 'at the end'),
      sold_out_at: object({ was: nullable(Time), would_be: nullable(Time) }, 'for the first time'),
    }),
    { description: 'of which something differs' },
  ),
  revenue: object(
    { was: Sum, would_be: Sum },
    'of accepted orders, less what was cancelled; without sales in stores and on line',
  ),
  units_without_price: object({ was: Count, would_be: Count }),
});
export type WhatIf = Document<typeof WhatIf>;
