import type { ListRow, Lists } from '../../ports/whole/lists.ts';

/** What the list of reports has of one: the lists within as JSON. */
export interface KeptReport {
  readonly report_date: string;
  readonly time_zone: string;
  readonly total_sales: string;
  readonly top_sellers: readonly object[];
  readonly low_stock: readonly object[];
}

/** Writes a report down, one row a day: made again, it replaces what was there. @throws Failure of the lists */
export async function keepReport(lists: Lists, report: KeptReport): Promise<void> {
  const { report_date, time_zone, total_sales, top_sellers, low_stock } = report;
  const row: ListRow = {
    report_date,
    time_zone,
    total_sales,
    top_sellers: JSON.stringify(top_sellers),
    low_stock: JSON.stringify(low_stock),
  };
  await lists.change('reports', (rows) => {
    const others = rows.filter((other) => other.report_date !== report_date);
    return [...others, row].sort((a, b) => ((a.report_date ?? '') < (b.report_date ?? '') ? -1 : 1));
  });
}
