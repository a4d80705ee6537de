import { Type } from 'typebox';
import { USER_STATUSES } from '../../domain/tables.ts';
import { Count, Money, nullable, object, Time, type Document } from '../shapes.ts';

const Sum = Type.String({
  pattern: String.raw`^-?\d+\.\d{2}$`,
  description: 'a decimal number with two places',
});

/** The result of `what-if`: `was` is what happened, `would_be` what would have happened in the other circumstances. */
export const WhatIf = object({
  circumstances: object({
    stock: Type.Record(Type.String(), Count),
    price: Type.Record(Type.String(), Money),
    status: Type.Record(Type.String(), Type.Enum(USER_STATUSES)),
  }),
  until: object({
    seq: nullable(Count, 'number of the last commit taken into account'),
    at: nullable(Time),
  }),
  decided: Type.Integer({ minimum: 0, description: 'orders of both flows whose stock was checked' }),
  accepted_instead: Count,
  rejected_instead: Count,
  not_sent: Type.Integer({ minimum: 0, description: 'retries of orders that would not have been rejected' }),
  rejected_otherwise: Type.Integer({
    minimum: 0,
    description: 'rejected in both cases, for different reasons',
  }),
  unknown: Type.Integer({
    minimum: 0,
    description:
      'rejected by the checkout, but would not have been: whether they would have been paid is not known',
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
    { description: 'the first hundred with a different outcome' },
  ),
  items: Type.Array(
    object({
      item: Type.String(),
      quantity: object({ was: nullable(Type.Integer()), would_be: nullable(Type.Integer()) }, 'at the end'),
      sold_out_at: object({ was: nullable(Time), would_be: nullable(Time) }, 'for the first time'),
    }),
    { description: 'the items that differ' },
  ),
  revenue: object(
    { was: Sum, would_be: Sum },
    'of accepted orders, minus cancelled ones; without store and online sales',
  ),
  units_without_price: object({ was: Count, would_be: Count }),
});
export type WhatIf = Document<typeof WhatIf>;
