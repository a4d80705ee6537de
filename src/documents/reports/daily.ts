import { Type } from 'typebox';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';
import { Sum } from './analytics.ts';

const Product = {
  product_id: Type.String(),
  name: nullable(Type.String(), 'when the day ended, or when it was added later'),
  category: nullable(Type.String(), 'likewise'),
  total_quantity: Type.Integer(),
  total_revenue: Sum,
};

/** The sales of one day, and what is low at its end. */
export const DailyReport = object({
  report_date: Type.String({ pattern: String.raw`^\d{4}-\d{2}-\d{2}$` }),
  time_zone: Type.String(),
  from: Time,
  until: Time,
  complete: Type.Boolean({ description: 'the day is over' }),
  total_sales: Type.String({ ...Sum, description: 'revenue of completed orders, less refunds' }),
  order_count: Count,
  avg_order_value: nullable(Sum),
  completed: Count,
  rejected: Count,
  failed: Count,
  cancelled: Count,
  open: Count,
  refunded: Sum,
  unpriced_lines: Count,
  late: Count,
  by_source: Type.Array(
    object({
      source: Type.Enum(['direct', 'checkout', 'online', 'store']),
      orders: Type.Integer(),
      total_quantity: Type.Integer(),
      total_revenue: Sum,
    }),
  ),
  by_hour: Type.Array(object({ from: Time, order_count: Count, total_revenue: Sum }), {
    description: 'hours without an order are left out',
  }),
  sales: Type.Array(object({ ...Product, source: Type.String() }), {
    description: 'by product, then by source',
  }),
  top_sellers: Type.Array(object(Product)),
  low_stock: Type.Array(
    object({
      product_id: Type.String(),
      name: nullable(Type.String()),
      on_hand: Type.Integer(),
      reorder_level: Type.Integer(),
    }),
    { description: 'when the day ended' },
  ),
});
export type DailyReport = Document<typeof DailyReport>;

/** What `report daily` has written. */
export const WrittenReport = object({
  report_date: Type.String(),
  time_zone: Type.String(),
  complete: Type.Boolean(),
  total_sales: Sum,
  order_count: Count,
  to: Type.String(),
  files: Type.Array(
    object({ file: Type.String(), state: Type.Enum(['written', 'unchanged']), size_bytes: Count }),
  ),
});
export type WrittenReport = Document<typeof WrittenReport>;
