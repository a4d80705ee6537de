import { isoTime, isoTimeOrNull } from '../../domain/iso-time.ts';
import { amountFrom } from '../../domain/orders/money.ts';
import type { ProductSales, SalesWindow, Stage } from '../../views/sales-window.ts';
import type { HourlySales, Sales, TopProducts } from '../reports/analytics.ts';

/** @param total the sum of the windows */
export function hourlyDocument(windows: readonly SalesWindow[], total: SalesWindow): HourlySales {
  return {
    windows: windows.map((window) => ({ window_start: isoTime(window.start), ...salesOf(window) })),
    total: { from: isoTime(total.start), until: isoTime(total.end), ...salesOf(total) },
  };
}

export function salesOf(window: SalesWindow): Sales {
  const { placed, completed, rejected, failed, cancelled, revenue, stages } = window;
  const mean = (stage: Stage): number | null => {
    const { count, ms } = stages[stage];
    return count === 0 ? null : Math.round(ms / count) / 1_000;
  };
  return {
    order_count: placed,
    total_revenue: amountFrom(revenue),
    avg_order_value: averageOf(window),
    completed,
    rejected,
    failed,
    cancelled,
    open: placed - completed - rejected - failed - cancelled,
    refunded: amountFrom(window.refunded),
    unpriced_lines: window.unpriced,
    late: window.late,
    // Sorted, since stores return them in different orders.
    reasons: Object.fromEntries([...window.reasons].sort(([a], [b]) => (a < b ? -1 : 1))),
    funnel: window.reached,
    seconds: {
      validate: mean('validate'),
      pay: mean('pay'),
      reserve: mean('reserve'),
      dispatch: mean('dispatch'),
    },
  };
}

/** Revenue per completed order, rounded half up; null if there is none. */
function averageOf({ revenue, completed }: SalesWindow): string | null {
  if (completed === 0) return null;
  const orders = BigInt(completed);
  return amountFrom((2n * revenue + orders) / (2n * orders));
}

/** @param hours the range of time; null: all time, or unbounded at that end */
export function topProductsDocument(
  products: readonly (readonly [string, ProductSales])[],
  hours: { readonly from: number | null; readonly until: number | null } | null,
): TopProducts {
  return {
    from: isoTimeOrNull(hours?.from),
    until: isoTimeOrNull(hours?.until),
    products: products.map(([product, { quantity, revenue }]) => ({
      product_id: product,
      total_quantity: quantity,
      total_revenue: amountFrom(revenue),
    })),
  };
}
