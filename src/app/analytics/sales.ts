import { HOUR_MS } from '../../domain/iso-time.ts';
import { CHECKOUT, type CheckoutFact } from '../../domain/checkout/facts.ts';
import { EVENTS_LOG, type StockEvent } from '../../domain/stock/events.ts';
import type { PlacedWindows } from '../../domain/orders/decision-sums.ts';
import type { SalesLine, StoreReader } from '../../ports/store.ts';
import { emptyWindow, sumOf, type ProductSales, type SalesWindow } from '../../views/sales-window.ts';
import { GRACE_MS, SalesWindows } from '../../views/sales-windows.ts';

/** The number of hours on a board: 31 days. */
export const BOARD_HOURS = 31 * 24;

/** A range of whole hours, UTC. */
export interface Hours {
  /** Inclusive, milliseconds since the epoch. */
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

/** The last `count` hours, including the current one. */
export function lastHours(count: number, now: number): Hours {
  const until = (Math.floor(now / HOUR_MS) + 1) * HOUR_MS;
  return { from: until - count * HOUR_MS, until };
}

/** The whole hours that contain a time range. */
export function wholeHours(since: number, until: number): Hours {
  return { from: Math.floor(since / HOUR_MS) * HOUR_MS, until: Math.ceil(until / HOUR_MS) * HOUR_MS };
}

/** Sales by hour, including hours without an order. */
export async function hourlySales(
  reader: Pick<StoreReader, 'salesHistory'>,
  hours: Hours,
): Promise<readonly SalesWindow[]> {
  const sales = new SalesWindows({ windowAt: hourAt, ...hours });
  await takeAll(reader.salesHistory(SALES_FACTS, hoursOf(hours)), [sales]);
  return everyHour(sales, hours);
}

/** The sales of a time range. @param time when the orders were placed, any range; null: all time */
export async function salesIn(
  reader: Pick<StoreReader, 'salesHistory'>,
  time: Partial<Hours> | null,
): Promise<SalesWindow> {
  const { from = -Infinity, until = Infinity } = time ?? {};
  const sales = new SalesWindows({ windowAt: () => ({ start: 0, end: until }), from, until });
  const windows = { edges: [from, until], graceMs: GRACE_MS };
  await takeAll(reader.salesHistory(SALES_FACTS, windows), [sales]);
  return sumOf(sales.all());
}

/** Each hour of a time range as a window; the last one may be shorter. */
export function hoursOf(time: Hours): PlacedWindows {
  return { edges: [...startsOf(time), time.until], graceMs: GRACE_MS };
}

/** The start of each hour in a time range. */
function startsOf({ from, until }: Hours): readonly number[] {
  const starts: number[] = [];
  for (let start = from; start < until; start += HOUR_MS) starts.push(start);
  return starts;
}

/** Sales of all time, and by hour for the last `BOARD_HOURS` hours. */
export interface SalesBoard {
  readonly hours: readonly SalesWindow[];
  readonly all: SalesWindow;
}

/** The best-selling products: by revenue, then by quantity, then by name. */
export function topProducts(
  { products }: SalesWindow,
  limit: number,
): readonly (readonly [string, ProductSales])[] {
  return [...products]
    .filter(([, { quantity }]) => quantity > 0)
    .sort(([a, left], [b, right]) => {
      if (left.revenue !== right.revenue) return left.revenue > right.revenue ? -1 : 1;
      return right.quantity - left.quantity || (a < b ? -1 : 1);
    })
    .slice(0, limit);
}

/** The sales of every hour, including hours without an order. */
export function everyHour(sales: SalesWindows, time: Hours): readonly SalesWindow[] {
  const placed = new Map(sales.all().map((window) => [window.start, window]));
  return startsOf(time).map((start) => placed.get(start) ?? emptyWindow(start, start + HOUR_MS));
}

/** @param history with SALES_FACTS @throws the signal's reason */
export async function takeAll(
  history: AsyncIterable<readonly SalesLine[]>,
  views: readonly SalesWindows[],
  signal?: AbortSignal,
): Promise<void> {
  for await (const lines of history) {
    signal?.throwIfAborted();
    for (const line of lines) for (const sales of views) takeLine(sales, line);
  }
}

/** The logs of facts that sales are computed from, in addition to decisions. */
export const SALES_FACTS = [CHECKOUT, EVENTS_LOG] as const;

/** @param line a line of a history with SALES_FACTS */
export function takeLine(sales: SalesWindows, line: SalesLine): void {
  if (line.kind === 'decision') sales.takeDecided(line.decided);
  else if (line.kind === 'decisions') sales.takeSums(line.sums);
  else if (line.kind !== 'fact') return;
  else if (line.log.name === CHECKOUT.name) sales.takeFact(line.fact as unknown as CheckoutFact);
  else sales.takeStockEvent(line.fact as unknown as StockEvent);
}

export function allTime(): { start: number; end: number } {
  return { start: 0, end: Infinity };
}

export function hourAt(ms: number): { start: number; end: number } {
  const start = Math.floor(ms / HOUR_MS) * HOUR_MS;
  return { start, end: start + HOUR_MS };
}
