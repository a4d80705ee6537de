import { CHECKOUT, type CheckoutFact } from '../../domain/checkout/facts.ts';
import type { HistoryLine, StoreReader } from '../../ports/store.ts';
import {
  emptyWindow,
  SalesWindows,
  type ProductSales,
  type SalesWindow,
  type WindowOptions,
} from '../../views/sales-windows.ts';

const HOUR_MS = 3_600_000;

/** Whole hours, UTC. */
export interface Hours {
  /** Inclusive, milliseconds since the epoch. */
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

/** The last so many hours, the one that has not ended included. */
export function lastHours(count: number, now: number): Hours {
  const until = (Math.floor(now / HOUR_MS) + 1) * HOUR_MS;
  return { from: until - count * HOUR_MS, until };
}

/** Sales hour by hour, hours without an order included. */
export async function hourlySales(
  reader: Pick<StoreReader, 'history'>,
  { from, until }: Hours,
): Promise<readonly SalesWindow[]> {
  const sales = await readSales(reader, { windowAt: hourAt, from, until });
  const placed = new Map(sales.map((window) => [window.start, window]));
  const windows: SalesWindow[] = [];
  for (let start = from; start < until; start += HOUR_MS) {
    windows.push(placed.get(start) ?? emptyWindow(start, start + HOUR_MS));
  }
  return windows;
}

/**
 * What sold most: by revenue, then by quantity, then by name.
 *
 * @param hours in which the orders were placed; null: all
 */
export async function topProducts(
  reader: Pick<StoreReader, 'history'>,
  hours: Hours | null,
  limit: number,
): Promise<readonly (readonly [string, ProductSales])[]> {
  const windowAt = () => ({ start: 0, end: Infinity });
  const [all] = await readSales(reader, { windowAt, ...hours });
  return [...(all?.products ?? [])]
    .filter(([, { quantity }]) => quantity > 0)
    .sort(([a, left], [b, right]) => {
      if (left.revenue !== right.revenue) return left.revenue > right.revenue ? -1 : 1;
      return right.quantity - left.quantity || (a < b ? -1 : 1);
    })
    .slice(0, limit);
}

/** Sales by window, as far as they are committed; windows without an order are left out. */
async function readSales(
  reader: Pick<StoreReader, 'history'>,
  options: WindowOptions,
): Promise<readonly SalesWindow[]> {
  const sales = new SalesWindows(options);
  for await (const lines of reader.history([CHECKOUT])) for (const line of lines) takeLine(sales, line);
  return sales.all();
}

function takeLine(sales: SalesWindows, line: HistoryLine): void {
  if (line.kind === 'decision') sales.takeDecided(line.decided);
  // Of the facts that were asked for there are no others.
  else if (line.kind === 'fact') sales.takeFact(line.fact as unknown as CheckoutFact);
}

function hourAt(ms: number): { start: number; end: number } {
  const start = Math.floor(ms / HOUR_MS) * HOUR_MS;
  return { start, end: start + HOUR_MS };
}
