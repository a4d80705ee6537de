import { HOUR_MS } from '../../domain/iso-time.ts';
import { isLow, reorderLevelOf, type Item } from '../../domain/tables.ts';
import type { SalesLine, StoreReader } from '../../ports/store.ts';
import { sumOf, type SalesWindow } from '../../views/sales-window.ts';
import { SalesWindows } from '../../views/sales-windows.ts';
import { hoursOf, SALES_FACTS, takeLine } from '../analytics/sales.ts';
import { PastTables } from '../history/past-tables.ts';

/** A day in a time zone: 23, 24 or 25 hours. */
export interface Day {
  /** `2026-11-27`. */
  readonly date: string;
  readonly timeZone: string;
  /** Inclusive, milliseconds since the epoch. */
  readonly from: number;
  /** Exclusive. */
  readonly until: number;
}

export interface DailyReport {
  readonly day: Day;
  /** Whether the day is over. Orders of that day that are decided later still change the report. */
  readonly isComplete: boolean;
  readonly total: SalesWindow;
  /** By hour, from the start of the day; hours without an order are left out. */
  readonly hours: readonly SalesWindow[];
  /** By id, as they were at the end of the day; items that were added later, as they were then. */
  readonly items: ReadonlyMap<string, Item>;
  /** Items at or below their reorder level, at the end of the day or now, by name. */
  readonly low: readonly (Item & { readonly reorderLevel: number })[];
}

/**
 * The sales of a day, by the time at which orders were placed and events occurred, and the items that were low at its
 * end. Reads history once; memory depends on the number of products. For a day that is over the result stays the same,
 * unless orders or events of that day arrive late.
 *
 * @param lowStock the reorder level of items that have none
 * @throws the signal's reason
 */
export async function dailyReport(
  reader: Pick<StoreReader, 'salesHistory'>,
  day: Day,
  {
    now,
    lowStock,
    signal,
  }: { readonly now: number; readonly lowStock: number; readonly signal?: AbortSignal },
): Promise<DailyReport> {
  const { from, until } = day;
  const sales = new SalesWindows({ windowAt: (ms) => hourOf(ms, day), from, until });
  const tables = new PastTables();
  const later = new Map<string, Item>();
  let isOver = false;
  let seq: number | null = null;
  for await (const lines of reader.salesHistory(SALES_FACTS, hoursOf(day), until)) {
    signal?.throwIfAborted();
    for (const line of lines) {
      takeLine(sales, line);
      // Includes whole commits only, up to the first later one.
      if (line.seq === null || line.seq !== seq) isOver ||= isLater(line, until);
      seq = line.seq;
      if (!isOver) tables.take(line);
      else if (line.kind === 'edit' && line.edit.kind === 'item') {
        const { item, after } = line.edit;
        if (after !== null && !later.has(item)) later.set(item, after);
      }
    }
  }
  const hours = sales.all();
  const { items } = tables.rows();
  const low = items
    .filter((item) => isLow(item, lowStock))
    .map((item) => ({ ...item, reorderLevel: reorderLevelOf(item, lowStock) }))
    .sort((a, b) => (a.item < b.item ? -1 : 1));
  const total = sumOf(hours);
  const named = new Map([...later, ...items.map((item): [string, Item] => [item.item, item])]);
  return { day, isComplete: now >= until, total, hours, items: named, low };
}

function isLater({ at }: SalesLine, until: number): boolean {
  return at !== null && at >= until;
}

function hourOf(ms: number, { from, until }: Day): { start: number; end: number } {
  const start = from + Math.floor((ms - from) / HOUR_MS) * HOUR_MS;
  return { start, end: Math.min(start + HOUR_MS, until) };
}
