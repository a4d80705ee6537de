import { isUtf8 } from 'node:buffer';
import { isName, NAME_RULE } from '../../../domain/names.ts';
import { corrupt, PlainRecords, QUOTE, QuotedRecords } from './records.ts';
import { firstLine, otherSeparator, SEPARATE_BY_COMMAS } from './separator.ts';
import {
  columnNames,
  COUNT,
  NO_EXTRA,
  NO_VALUES,
  type Extra,
  type OwnValue,
  type CsvTable,
  type Row,
  type TableKind,
} from '../tables/columns.ts';
import { Rows } from '../tables/rows-by-name.ts';

const SHOWN_CHARACTERS = 40;
/** How much of the file is searched for the header, to see what separates its cells. */
const HEADER_BYTES = 64 * 1024;

type Fail = (message: string, fix: string) => never;

/**
 * Reads `users.csv` or `inventory.csv`: RFC 4180 in UTF-8. A BOM and any line ending are accepted; blank lines, and
 * rows whose cells are all empty (spreadsheets leave them), are skipped. Spaces around our own values are ignored,
 * since they are invisible in a spreadsheet; verbatim and other columns are kept as they are.
 *
 * @param file its name in messages
 * @param isOversold whether the stock of that item may be below zero; for other items that is an error
 * @throws Failure corrupt_file with file and line (1-based, the header is line 1)
 */
export function parseTable<R extends Row>(
  kind: TableKind<R>,
  bytes: Buffer,
  file: string,
  isOversold: (name: string) => boolean = () => true,
): CsvTable<R> {
  const required = [kind.key, kind.value.name];
  checkText(bytes, file);
  checkSeparator(bytes, file, required);
  const records = bytes.includes(QUOTE) ? new QuotedRecords(bytes, file) : new PlainRecords(bytes);
  const fail: Fail = (message, fix) => {
    throw corrupt(file, records.line, message, fix);
  };
  let header = records.next();
  while (header !== undefined && isBlank(header)) header = records.next();
  if (header === undefined) {
    const fix = `write the header ${required.join(',')}, or remove the file`;
    throw corrupt(file, 1, 'the file is empty', fix);
  }
  const columns = readHeader(header, required, fail);
  const readRow = rowReader(kind, columns, isOversold, fail);
  const rows = new Rows(kind);
  for (let cells = records.next(); cells !== undefined; cells = records.next()) {
    if (isBlank(cells)) continue;
    checkWidth(cells, columns, fail);
    const row = readRow(cells);
    const name = kind.nameOf(row);
    if (rows.has(name)) fail(`${show(name)} appears twice`, 'keep one of the two rows');
    rows.set(name, row);
  }
  return { kind, columns, rows };
}

/** @returns a function that makes a row from the cells of one record */
function rowReader<R extends Row>(
  kind: TableKind<R>,
  columns: readonly string[],
  isOversold: (name: string) => boolean,
  fail: Fail,
): (cells: readonly string[]) => R {
  const place = (name: string): number => columns.indexOf(name);
  const [keyAt, valueAt] = [place(kind.key), place(kind.value.name)];
  const optional = kind.optional.map((column) => ({ column, at: place(column.name) }));
  const hasOptional = optional.some(({ at }) => at !== -1);
  const ours = columnNames(kind);
  const others = [...columns.entries()].filter(([, name]) => !ours.includes(name));
  const ownOf = (cells: readonly string[], name: string): readonly OwnValue[] =>
    optional.map(({ column, at }) => {
      const cell = cells[at] ?? '';
      const text = column.isVerbatim === true ? cell : cell.trim();
      return text === '' ? null : (column.read(text) ?? wrong(kind, column, name, text, fail));
    });
  const extraOf = (cells: readonly string[]): Extra =>
    Object.fromEntries(others.map(([at, column]) => [column, cells[at] ?? '']));
  return (cells) => {
    const name = readName(cells[keyAt], kind.key, fail);
    const text = cells[valueAt]?.trim() ?? '';
    const value = kind.value.read(text) ?? wrong(kind, kind.value, name, text, fail);
    if (value < 0 && !isOversold(name))
      wrong(kind, { name: kind.value.name, fix: COUNT.fix }, name, text, fail);
    const own = hasOptional ? ownOf(cells, name) : NO_VALUES;
    return kind.row(name, value, own, others.length === 0 ? NO_EXTRA : extraOf(cells));
  };
}

function wrong<R extends Row>(
  { label }: TableKind<R>,
  { name: column, fix }: { readonly name: string; readonly fix: string },
  name: string,
  text: string,
  fail: Fail,
): never {
  return fail(`${column} of ${label(name)} is ${show(text)}`, fix);
}

function checkWidth(cells: readonly string[], columns: readonly string[], fail: Fail): void {
  if (cells.length === columns.length) return;
  const separator = cells.length === 1 ? otherSeparator(cells[0] ?? '') : undefined;
  if (separator !== undefined)
    fail(`its cells are separated by ${separator}, not commas`, SEPARATE_BY_COMMAS);
  fail(
    `the row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}, the header ${columns.length}`,
    `give each of ${columns.join(', ')} one cell; a value with a comma in it needs "quotes"`,
  );
}

/** An empty line, or a row whose cells a spreadsheet has cleared. */
function isBlank(cells: readonly string[]): boolean {
  return cells[0] === '' && cells.every((cell) => cell === '');
}

function checkText(bytes: Buffer, file: string): void {
  if (isUtf8(bytes)) return;
  let line = 1;
  for (let from = 0; from < bytes.length; line += 1) {
    const newline = bytes.indexOf(10, from);
    const end = newline === -1 ? bytes.length : newline;
    if (!isUtf8(bytes.subarray(from, end))) {
      const text = show(bytes.subarray(from, end).toString('latin1').trim());
      throw corrupt(file, line, `the text ${text} is not UTF-8`, 'save the file as CSV in UTF-8');
    }
    from = end + 1;
  }
}

/** Runs before quotes are parsed: next to another separator they seem to be in the middle of a cell. */
function checkSeparator(bytes: Buffer, file: string, required: readonly string[]): void {
  const { text, number } = firstLine(bytes.toString('utf8', 0, HEADER_BYTES));
  if (/^"?sep=.?"?$/i.test(text)) {
    const fix = `remove that line, start the file with ${required.join(',')}, and separate cells with commas`;
    throw corrupt(file, number, `the line ${show(text)} is understood only by Excel`, fix);
  }
  const separator = otherSeparator(text);
  if (separator === undefined) return;
  throw corrupt(file, number, `its cells are separated by ${separator}, not commas`, SEPARATE_BY_COMMAS);
}

function readHeader(cells: readonly string[], required: readonly string[], fail: Fail): readonly string[] {
  const columns = cells.map((cell) => cell.trim());
  const wanted = required.join(',');
  for (const name of required) {
    if (columns.includes(name)) continue;
    fail(`the header ${show(cells.join(','))} has no column ${name}`, `start the file with ${wanted}`);
  }
  columns.forEach((name, at) => {
    if (name === '') fail(`column ${at + 1} of the header has no name`, 'name it or remove it');
    if (columns.indexOf(name) !== at) {
      fail(`the header has the column ${show(name)} twice`, 'keep one of the two columns');
    }
  });
  return columns;
}

function readName(cell: string | undefined, column: string, fail: Fail): string {
  const name = cell?.trim() ?? '';
  if (!isName(name)) fail(`${show(name)} is not a name for ${column}`, `use ${NAME_RULE}`);
  return name;
}

function show(text: string): string {
  return JSON.stringify(text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`);
}
