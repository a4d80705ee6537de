import type { ListRow, Lists } from '../../ports/whole/lists.ts';

/** A report in the list of reports; its lists are stored as JSON. */
export interface KeptReport {
  readonly report_date: string;
  readonly time_zone: string;
  readonly total_sales: string;
  readonly top_sellers: readonly object[];
  readonly low_stock: readonly object[];
}

/**
 * Saves a report, one row per day; a report that is made again replaces the previous one.
 *
 * @throws Failure as the lists
 */
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
