import { Type } from 'typebox';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

/** Sums may be longer than prices, and below zero. */
export const Sum = Type.String({
  pattern: String.raw`^-?\d+\.\d{2}$`,
  description: 'a decimal number with two places',
});

const Mean = nullable(Type.Number({ minimum: 0 }), 'mean; null: none came so far');

const SALES = {
  order_count: Count,
  total_revenue: Type.String({
    ...Sum,
    description: 'of completed orders, less refunds; a line that names no price adds nothing',
  }),
  avg_order_value: nullable(Sum, 'total_revenue for each completed order; null: there is none'),
  completed: Count,
  rejected: Count,
  failed: Count,
  cancelled: Count,
  open: Type.Integer({ minimum: 0, description: 'in the checkout, not ended' }),
  refunded: Type.String({ ...Sum, description: 'of orders that had been completed' }),
  unpriced_lines: Type.Integer({ minimum: 0, description: 'lines sold that name no price' }),
  late: Type.Integer({
    minimum: 0,
    description: 'orders decided more than a minute after the window had ended',
  }),
  reasons: Type.Record(Type.String(), Count, { description: 'of rejections and failures' }),
  funnel: object(
    { validated: Count, paid: Count, reserved: Count },
    'how far orders of the checkout came, whatever became of them then',
  ),
  seconds: object(
    { validate: Mean, pay: Mean, reserve: Mean, dispatch: Mean },
    'that each step of the checkout took',
  ),
};

/** Orders placed in one hour, with all that has become of them since. */
export const HourlySales = object({
  windows: Type.Array(object({ window_start: Time, ...SALES })),
  total: object({ from: Time, until: Time, ...SALES }),
});
export type HourlySales = Document<typeof HourlySales>;
export type Sales = Omit<HourlySales['total'], 'from' | 'until'>;

/** What sold most, by revenue. */
export const TopProducts = object({
  from: nullable(Time, 'null: from the first order on'),
  until: nullable(Time),
  products: Type.Array(
    object({ product_id: Type.String(), total_quantity: Type.Integer(), total_revenue: Sum }),
  ),
});
export type TopProducts = Document<typeof TopProducts>;
