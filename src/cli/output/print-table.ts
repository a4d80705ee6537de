import type { Printer } from './printer.ts';
import { renderTable, type Column } from './table.ts';

export async function printTable<Row>(
  printer: Printer,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
): Promise<void> {
  const options = { width: printer.dataColumns, title: (text: string) => printer.dataColours.bold(text) };
  for (const text of renderTable(rows, columns, options)) {
    if (printer.closed.aborted) return;
    await printer.data(text);
  }
}

/** Columns of the file that are not ours, under the names that they have there. */
export function extraColumns<Row extends { readonly extra: Readonly<Record<string, string>> }>(
  rows: readonly Row[],
): Column<Row>[] {
  return Object.keys(rows[0]?.extra ?? {}).map((title) => ({ title, cell: (row) => row.extra[title] ?? '' }));
}
