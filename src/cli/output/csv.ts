import type { Printer } from './printer.ts';

type Cell = string | number | boolean | null;

/** Rows per write. */
const CHUNK_ROWS = 1_000;
/** Characters that start a formula in a spreadsheet: the list of csv-stringify, full-width forms included. */
const FORMULA = /^[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/;
const PLAIN_NUMBER = /^[+-]?\d+(?:\.\d+)?$/;

/**
 * Prints a header and returns a function that prints documents of `-o json` as rows of a CSV (RFC 4180). null is an
 * empty cell; a nested object has a column per key, prefixed with its name (`original_topic`), except the keys of
 * `extra`, which have no prefix; the lines of an order are one cell. A cell that a spreadsheet would take for a formula
 * gets an apostrophe.
 *
 * @param columns names of the columns, by the keys of the documents
 */
export async function openCsv(
  printer: Printer,
  columns: readonly string[],
): Promise<(documents: readonly object[]) => Promise<void>> {
  const text = await csvRenderer();
  await printer.data(text([columns]));
  return async (documents) => {
    for (let from = 0; from < documents.length && !printer.closed.aborted; from += CHUNK_ROWS) {
      await printer.data(text(rowsOf(documents.slice(from, from + CHUNK_ROWS), columns)));
    }
  };
}

/** Like openCsv, but returns the CSV as a string. */
export async function csvText(columns: readonly string[], documents: readonly object[]): Promise<string> {
  return (await csvRenderer())([columns, ...rowsOf(documents, columns)]);
}

async function csvRenderer(): Promise<(rows: readonly (readonly Cell[])[]) => string> {
  const { stringify } = await import('csv-stringify/sync');
  return (rows) =>
    stringify(
      rows.map((row) => [...row]),
      { cast: { string: escaped, boolean: String } },
    );
}

function rowsOf(documents: readonly object[], columns: readonly string[]): Cell[][] {
  return documents.map((document) => {
    const cells = cellsOf(document);
    return columns.map((name) => cells.get(name) ?? null);
  });
}

function escaped(text: string): string {
  return FORMULA.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;
}

function cellsOf(document: object): Map<string, Cell> {
  const cells = new Map<string, Cell>();
  for (const [key, value] of Object.entries(document) as [string, unknown][]) {
    if (Array.isArray(value)) cells.set(key, value.map(lineInWords).join(', '));
    else if (typeof value === 'object' && value !== null) {
      const prefix = key === 'extra' ? '' : `${key}_`;
      for (const [name, inner] of cellsOf(value)) cells.set(`${prefix}${name}`, inner);
    } else cells.set(key, value as Cell);
  }
  return cells;
}

/** `book×2` */
function lineInWords({ item, quantity }: { item: string; quantity: number | null }): string {
  return `${item}×${quantity ?? ''}`;
}
