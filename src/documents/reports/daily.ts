import { Type } from 'typebox';
import { Count, nullable, object, Time, type Document } from '../shapes.ts';
import { Sum } from './analytics.ts';

const Product = {
  product_id: Type.String(),
  name: nullable(Type.String(), 'at the end of the day, or when it was added if that was later'),
  category: nullable(Type.String(), 'the same'),
  total_quantity: Type.Integer(),
  total_revenue: Sum,
};

/** The sales of one day, and the items that were low at its end. */
export const DailyReport = object({
  report_date: Type.String({ pattern: String.raw`^\d{4}-\d{2}-\d{2}$` }),
  time_zone: Type.String(),
  from: Time,
  until: Time,
  complete: Type.Boolean({ description: 'the day is over' }),
  total_sales: Type.String({ ...Sum, description: 'revenue of completed orders, minus refunds' }),
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
    description: 'hours without orders are left out',
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
    { description: 'at the end of the day' },
  ),
});
export type DailyReport = Document<typeof DailyReport>;

/** The files written by `report daily`. */
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
