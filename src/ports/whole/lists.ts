/**
 * The columns of the lists that a store keeps in addition to its history, and on which no order depends. A folder has a
 * CSV for each list, a database a table. The first column is the key of a row.
 */
export const LISTS = {
  /** Suppliers, entered by people. */
  suppliers: ['supplier_id', 'name', 'contact'],
  /** The latest report of each day. The lists in it are JSON. */
  reports: ['report_date', 'time_zone', 'total_sales', 'top_sellers', 'low_stock'],
} as const;
export type ListName = keyof typeof LISTS;

/** Cells by column; for a CSV, including its additional columns. An empty string means no value. */
export type ListRow = Readonly<Record<string, string>>;

export interface Lists {
  /**
   * The rows: from a folder in the order of the file, from a database in the order of their keys.
   *
   * @throws Failure not_found (the store does not exist), invalid_input (the CSV is broken)
   */
  rows(list: ListName): Promise<readonly ListRow[]>;
  /**
   * Replaces the list with the result of `change`, atomically. Durable when this resolves; simultaneous changes are
   * made one after the other.
   *
   * @param change must be pure; may run again
   * @throws Failure as `rows` and `change`; folder_in_use (the store is sealed, or the list changes constantly),
   * write_failed
   */
  change(list: ListName, change: (rows: readonly ListRow[]) => readonly ListRow[]): Promise<void>;
}

/** The key of a row. */
export function keyIn(list: ListName, row: ListRow): string {
  return row[LISTS[list][0]] ?? '';
}
