import type { Session } from '../session.ts';
import { openCsv } from './csv.ts';
import type { Printer } from './printer.ts';
import { isPlain, renderTable, tableWidth, type Column } from './table.ts';

/**
 * Prints rows as text.
 *
 * @param narrower the columns for a terminal that is too narrow for the usual ones
 * @returns whether all columns are shown in full
 */
export async function printTable<Row>(
  printer: Printer,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  ...narrower: readonly (readonly Column<Row>[])[]
): Promise<boolean> {
  const width = printer.dataColumns;
  const options = {
    width,
    title: (text: string) => printer.dataColours.bold(text),
    // Most tables are plain ASCII and need no library.
    widthOf: isPlain(rows, columns) ? undefined : (await import('string-width')).default,
  };
  const fits = (some: readonly Column<Row>[]): boolean =>
    width === null || tableWidth(rows, some, options.widthOf) <= width;
  const fitting = [columns, ...narrower].find(fits);
  const shown = fitting ?? narrower.at(-1) ?? columns;
  for (const text of renderTable(rows, shown, options)) {
    if (printer.closed.aborted) break;
    await printer.data(text);
  }
  return fitting === columns;
}

/** Columns that the user added to the file, under their own names. */
export function extraColumns<Row extends { readonly extra: Readonly<Record<string, string>> }>(
  rows: readonly Row[],
): Column<Row>[] {
  const titles = new Set<string>();
  for (const { extra } of rows) for (const title in extra) titles.add(title);
  return [...titles].map((title) => ({ title, cell: (row) => row.extra[title] ?? '' }));
}

/**
 * Prints a list as JSON or as CSV; entry by entry, since a table may be large.
 *
 * @param columns of the CSV
 * @returns false, with nothing printed, if neither was requested
 */
export async function printList<Row>(
  { printer, isJson, isCsv }: Session,
  list: {
    readonly key: 'users' | 'items';
    readonly rows: readonly Row[];
    readonly entry: (row: Row) => object;
    readonly columns: readonly string[];
  },
): Promise<boolean> {
  const { key, rows, entry, columns } = list;
  if (isCsv) await (await openCsv(printer, columns))(rows.map(entry));
  if (!isJson) return isCsv;
  await printer.data(`{${JSON.stringify(key)}:[`);
  for (let from = 0; from < rows.length; from += 1_000) {
    const chunk = rows.slice(from, from + 1_000).map((row) => JSON.stringify(entry(row)));
    await printer.data(`${from === 0 ? '' : ','}${chunk.join(',')}`);
  }
  await printer.data(']}\n');
  return true;
}
