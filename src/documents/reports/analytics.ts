import { Type } from 'typebox';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';

/** Unlike a price, a sum may have more digits and may be negative. */
export const Sum = Type.String({
  pattern: String.raw`^-?\d+\.\d{2}$`,
  description: 'a decimal number with two places',
});

const Mean = nullable(Type.Number({ minimum: 0 }), 'mean; null: no order has completed this step');

const SALES = {
  order_count: Count,
  total_revenue: Type.String({
    ...Sum,
    description: 'of completed orders, minus refunds; lines without a price do not count',
  }),
  avg_order_value: nullable(Sum, 'total_revenue per completed order; null: no order is completed'),
  completed: Count,
  rejected: Count,
  failed: Count,
  cancelled: Count,
  open: Type.Integer({ minimum: 0, description: 'unfinished checkout orders' }),
  refunded: Type.String({ ...Sum, description: 'to orders that had been completed' }),
  unpriced_lines: Type.Integer({ minimum: 0, description: 'sold lines without a price' }),
  late: Type.Integer({
    minimum: 0,
    description: 'orders decided more than a minute after the end of the window',
  }),
  reasons: Type.Record(Type.String(), Count, { description: 'of rejections and failures' }),
  funnel: object(
    { validated: Count, paid: Count, reserved: Count },
    'checkout orders that reached each step, whatever their outcome',
  ),
  seconds: object(
    { validate: Mean, pay: Mean, reserve: Mean, dispatch: Mean },
    'duration of each step of the checkout',
  ),
};

/** Orders by the hour in which they were placed, with their outcomes so far. */
export const HourlySales = object({
  windows: Type.Array(object({ window_start: Time, ...SALES })),
  total: object({ from: Time, until: Time, ...SALES }),
});
export type HourlySales = Document<typeof HourlySales>;
export type Sales = Omit<HourlySales['total'], 'from' | 'until'>;

/** The best-selling products, by revenue. */
export const TopProducts = object({
  from: nullable(Time, 'null: from the first order on'),
  until: nullable(Time),
  products: Type.Array(
    object({ product_id: Type.String(), total_quantity: Type.Integer(), total_revenue: Sum }),
  ),
});
export type TopProducts = Document<typeof TopProducts>;
