import type { DailyReport as Report } from '../reports/daily.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { amountFrom } from '../../domain/orders/money.ts';
import { categoryOf, type Item } from '../../domain/tables.ts';
import type { ProductSales, SalesWindow } from '../../views/sales-window.ts';
import { salesOf } from './analytics.ts';

const SOURCES = ['direct', 'checkout', 'online', 'store'] as const;

interface Reported {
  readonly day: {
    readonly date: string;
    readonly timeZone: string;
    readonly from: number;
    readonly until: number;
  };
  readonly isComplete: boolean;
  readonly total: SalesWindow;
  readonly hours: readonly SalesWindow[];
  readonly items: ReadonlyMap<string, Item>;
  readonly low: readonly (Item & { readonly reorderLevel: number })[];
}

/** @param top the best-selling products, in order */
export function dailyDocument(
  { day, isComplete, total, hours, items, low }: Reported,
  top: readonly (readonly [string, ProductSales])[],
): Report {
  const sales = salesOf(total);
  const { order_count, avg_order_value, completed, rejected, failed, cancelled } = sales;
  const { total_revenue: total_sales, open, refunded, unpriced_lines, late } = sales;
  return {
    report_date: day.date,
    time_zone: day.timeZone,
    from: isoTime(day.from),
    until: isoTime(day.until),
    complete: isComplete,
    total_sales,
    order_count,
    avg_order_value,
    completed,
    rejected,
    failed,
    cancelled,
    open,
    refunded,
    unpriced_lines,
    late,
    by_source: SOURCES.flatMap((source) => {
      const sold = total.sources.get(source);
      if (sold === undefined) return [];
      let [quantity, revenue] = [0, 0n];
      for (const one of sold.products.values()) {
        quantity += one.quantity;
        revenue += one.revenue;
      }
      return [{ source, orders: sold.orders, total_quantity: quantity, total_revenue: amountFrom(revenue) }];
    }),
    by_hour: hours.map(({ start, placed, revenue }) => {
      return { from: isoTime(start), order_count: placed, total_revenue: amountFrom(revenue) };
    }),
    sales: [...total.products.keys()].sort(inOrder).flatMap((product) =>
      SOURCES.flatMap((source) => {
        const sold = total.sources.get(source)?.products.get(product);
        return sold === undefined ? [] : [{ ...productDocument(product, sold, items), source }];
      }),
    ),
    top_sellers: top.map(([product, sold]) => productDocument(product, sold, items)),
    low_stock: low.map(({ item, name, quantity, reorderLevel }) => {
      return { product_id: item, name, on_hand: quantity, reorder_level: reorderLevel };
    }),
  };
}

function productDocument(
  product_id: string,
  { quantity, revenue }: ProductSales,
  items: ReadonlyMap<string, Item>,
) {
  const item = items.get(product_id);
  const named = { name: item?.name ?? null, category: item === undefined ? null : categoryOf(item) };
  return { product_id, ...named, total_quantity: quantity, total_revenue: amountFrom(revenue) };
}

/** Compares by code units, so that the order is the same on every machine. */
function inOrder(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
