/**
 * What a store keeps beside its history: lists on which no order depends, in a folder a CSV each, in a database a table.
 * Their columns; the first names a row.
 */
export const LISTS = {
  /** Who delivers, written down by people. */
  suppliers: ['supplier_id', 'name', 'contact'],
  /** What the reports of days have said, each of them once: the last one counts. The lists within are JSON. */
  reports: ['report_date', 'time_zone', 'total_sales', 'top_sellers', 'low_stock'],
} as const;
export type ListName = keyof typeof LISTS;

/** By the names of the columns; of a CSV also those that it has beside them. An empty text is no value. */
export type ListRow = Readonly<Record<string, string>>;

export interface Lists {
  /**
   * In a folder in the order of the file, in a database by their names.
   *
   * @throws Failure not_found there is no store; invalid_input of a CSV that is broken
   */
  rows(list: ListName): Promise<readonly ListRow[]>;
  /**
   * The whole list is what `change` makes of it, or stays as it is. Durable when this resolves; two changes at the same
   * moment come one after the other.
   *
   * @param change pure; may run again
   * @throws Failure as `rows`, and what `change` throws; folder_in_use (sealed, or changed without end), write_failed
   */
  change(list: ListName, change: (rows: readonly ListRow[]) => readonly ListRow[]): Promise<void>;
}

/** @returns the key of a row */
export function keyIn(list: ListName, row: ListRow): string {
  return row[LISTS[list][0]] ?? '';
}
