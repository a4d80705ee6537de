import { isUtf8 } from 'node:buffer';
import { isName, NAME_RULE } from '../../../domain/names.ts';
import {
  isPrice,
  isQuantity,
  normalizePrice,
  type Item,
  type User,
  type UserStatus,
} from '../../../domain/tables.ts';
import {
  BYTE_ORDER_MARK,
  corrupt,
  OWN_STYLE,
  PlainRecords,
  QUOTE,
  QuotedRecords,
  type CsvStyle,
} from './records.ts';
import { firstLine, otherSeparator, SEPARATE_BY_COMMAS } from './separator.ts';
import { isPlain, ITEM_PARTS, NO_EXTRA, Rows, USER_PARTS, type Row, type RowParts } from '../tables/rows.ts';

/**
 * A table as its file has it. Rows by name in the order of the file; `columns` are the header's names in its
 * order, ours and others.
 */
export interface CsvTable<R extends Row> {
  columns: readonly string[];
  rows: Pick<Map<string, R>, 'size' | 'has' | 'get' | 'keys' | typeof Symbol.iterator> & {
    values(): Iterable<R>;
  };
}

/** What of a table is written to its file. */
type WrittenTable<R extends Row> = Pick<CsvTable<R>, 'columns'> & { rows: { values(): Iterable<R> } };

export const USER_COLUMNS = ['user', 'status'] as const;
export const ITEM_COLUMNS = ['item', 'quantity', 'name', 'price', 'reorder_level'] as const;

const CHUNK_CHARACTERS = 256 * 1024;
const SHOWN_CHARACTERS = 40;
/** Where the header ends at the latest, for a look at what separates its cells. */
const HEADER_BYTES = 64 * 1024;

/**
 * Reads `users.csv`: RFC 4180, UTF-8, BOM and any line ending accepted, blank lines (and rows whose cells are all
 * empty, as a spreadsheet leaves them) skipped. Spaces around our own values do not count, since nobody sees them
 * in a spreadsheet; item names and other columns are kept as they are.
 *
 * @param file how messages name it
 * @throws Failure corrupt_file with file and line (1-based, the header is line 1)
 */
export function parseUsers(bytes: Buffer, file: string): CsvTable<User> {
  return parseTable<User>(
    bytes,
    USER_PARTS,
    { file, required: ['user', 'status'], ours: USER_COLUMNS },
    (place) => {
      const userAt = place.indexOf('user');
      const statusAt = place.indexOf('status');
      return (cells, fail) => {
        const user = readName(cells[userAt], 'user', fail);
        const status = cells[statusAt]?.trim() ?? '';
        if (!isStatus(status)) {
          return fail(`status of user ${user} is ${show(status)}`, 'write paid or unpaid, in small letters');
        }
        return { name: user, row: (extra) => ({ user, status, extra }) };
      };
    },
  );
}

/** Reads `inventory.csv`; otherwise as parseUsers. */
export function parseItems(bytes: Buffer, file: string): CsvTable<Item> {
  return parseTable<Item>(
    bytes,
    ITEM_PARTS,
    { file, required: ['item', 'quantity'], ours: ITEM_COLUMNS },
    (place) => {
      const [itemAt, quantityAt, nameAt, priceAt, levelAt] = ITEM_COLUMNS.map((name) => place.indexOf(name));
      return (cells, fail) => {
        const item = readName(cells[itemAt ?? -1], 'item', fail);
        const quantity = readCount(cells[quantityAt ?? -1], `quantity of ${item}`, fail);
        const level = cells[levelAt ?? -1]?.trim() ?? '';
        const reorderLevel = level === '' ? null : readCount(level, `reorder_level of ${item}`, fail);
        const amount = cells[priceAt ?? -1]?.trim() ?? '';
        if (amount !== '' && !isPrice(amount)) {
          fail(
            `price of ${item} is ${show(amount)}`,
            'write an amount such as 12.50 (a point, at most two decimals, no currency), or leave it empty',
          );
        }
        const price = amount === '' ? null : normalizePrice(amount);
        const text = cells[nameAt ?? -1] ?? '';
        const name = text === '' ? null : text;
        return { name: item, row: (extra) => ({ item, quantity, name, price, reorderLevel, extra }) };
      };
    },
  );
}

/** Writes `users.csv`, in chunks of about 256 KiB. Rows hold names and statuses of our alphabet. */
export function renderUsers(table: WrittenTable<User>, style = OWN_STYLE): Iterable<Buffer> {
  const columns = writtenColumns(table);
  return render(columns, table.rows.values(), columns.map(userCell), style);
}

/** Writes `inventory.csv`. An optional column that the header lacks is added when a row has a value for it. */
export function renderItems(table: WrittenTable<Item>, style = OWN_STYLE): Iterable<Buffer> {
  const columns = writtenColumns(table);
  return render(columns, table.rows.values(), columns.map(itemCell), style);
}

type Fail = (message: string, fix: string) => never;
interface ReadRow<R> {
  name: string;
  row: (extra: Readonly<Record<string, string>>) => R;
}
interface Expected {
  file: string;
  required: readonly string[];
  ours: readonly string[];
}

function parseTable<R extends Row>(
  bytes: Buffer,
  parts: RowParts<R>,
  expected: Expected,
  rowReader: (columns: readonly string[]) => (cells: readonly string[], fail: Fail) => ReadRow<R>,
): CsvTable<R> {
  const { file } = expected;
  checkText(bytes, file);
  checkSeparator(bytes, expected);
  const records = bytes.includes(QUOTE) ? new QuotedRecords(bytes, file) : new PlainRecords(bytes);
  const fail: Fail = (message, fix) => {
    throw corrupt(file, records.line, message, fix);
  };
  let header = records.next();
  while (header !== undefined && isBlank(header)) header = records.next();
  if (header === undefined) {
    const fix = `write the header ${expected.required.join(',')}, or remove the file`;
    throw corrupt(file, 1, 'the file is empty', fix);
  }
  const columns = readHeader(header, expected, fail);
  const readRow = rowReader(columns);
  const others = [...columns.entries()].filter(([, name]) => !expected.ours.includes(name));
  const rows = new Rows(parts);
  for (let cells = records.next(); cells !== undefined; cells = records.next()) {
    if (isBlank(cells)) continue;
    if (cells.length !== columns.length) {
      const separator = cells.length === 1 ? otherSeparator(cells[0] ?? '') : undefined;
      if (separator !== undefined)
        fail(`its cells are separated by ${separator}, not commas`, SEPARATE_BY_COMMAS);
      fail(
        `the row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}, the header ${columns.length}`,
        `give each of ${columns.join(', ')} one cell; a value with a comma in it needs "quotes"`,
      );
    }
    const { name, row } = readRow(cells, fail);
    if (rows.has(name)) fail(`${show(name)} is there twice`, 'keep one of the two rows');
    const extra =
      others.length === 0
        ? NO_EXTRA
        : Object.fromEntries(others.map(([place, column]) => [column, cells[place] ?? '']));
    rows.set(name, row(extra));
  }
  return { columns, rows };
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

/** Before quotes are looked at: beside another separator they seem to be in the middle of a cell. */
function checkSeparator(bytes: Buffer, { file, required }: Expected): void {
  const { text, number } = firstLine(bytes.toString('utf8', 0, HEADER_BYTES));
  if (/^"?sep=.?"?$/i.test(text)) {
    const fix = `remove that line, begin the file with ${required.join(',')}, and separate cells by commas`;
    throw corrupt(file, number, `the line ${show(text)} is for Excel alone`, fix);
  }
  const separator = otherSeparator(text);
  if (separator === undefined) return;
  throw corrupt(file, number, `its cells are separated by ${separator}, not commas`, SEPARATE_BY_COMMAS);
}

function readHeader(cells: readonly string[], expected: Expected, fail: Fail): readonly string[] {
  const columns = cells.map((cell) => cell.trim());
  const wanted = expected.required.join(',');
  for (const name of expected.required) {
    if (columns.includes(name)) continue;
    fail(`the header ${show(cells.join(','))} has no column ${name}`, `begin the file with ${wanted}`);
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

function readCount(cell: string | undefined, what: string, fail: Fail): number {
  const text = cell?.trim() ?? '';
  const value = Number(text);
  if (!/^\d+$/.test(text) || !isQuantity(value)) {
    fail(`${what} is ${show(text)}`, 'write a whole number from 0 up in plain digits, such as 20');
  }
  return value;
}

function isStatus(text: string): text is UserStatus {
  return text === 'paid' || text === 'unpaid';
}

function show(text: string): string {
  return JSON.stringify(text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}…`);
}

/** The columns that a table is written with: its header, and what that lacks of the values that are there. */
export function writtenColumns(table: WrittenTable<User> | WrittenTable<Item>): readonly string[] {
  const columns = [...table.columns];
  let missing = ITEM_COLUMNS.filter((name) => !columns.includes(name)).map(
    (name) => [name, itemCell(name)] as const,
  );
  for (const row of table.rows.values()) {
    if (isPlain(row)) continue;
    for (const name in row.extra) if (!columns.includes(name)) columns.push(name);
    if (!('item' in row)) continue;
    for (const [name, cell] of missing) {
      if (cell(row) === '') continue;
      columns.push(name);
      missing = missing.filter(([other]) => other !== name);
    }
  }
  return columns;
}

function userCell(column: string): (row: User) => string {
  if (column === 'user') return (row) => row.user;
  if (column === 'status') return (row) => row.status;
  return (row) => extraCell(row, column);
}

function itemCell(column: string): (row: Item) => string {
  if (column === 'item') return (row) => row.item;
  if (column === 'quantity') return (row) => String(row.quantity);
  if (column === 'name') return (row) => (row.name === null ? '' : quote(row.name));
  if (column === 'price') return (row) => row.price ?? '';
  if (column === 'reorder_level') return (row) => (row.reorderLevel === null ? '' : String(row.reorderLevel));
  return (row) => extraCell(row, column);
}

function extraCell(row: User | Item, column: string): string {
  // Own keys only: a column may be called `constructor`.
  return Object.hasOwn(row.extra, column) ? quote(row.extra[column] ?? '') : '';
}

function quote(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** csv-stringify takes 2.3 s for 10^6 rows, this 0.2 s: a running consumer rewrites its inventory all the time. */
function* render<Row>(
  columns: readonly string[],
  rows: Iterable<Row>,
  cellsOf: readonly ((row: Row) => string)[],
  { isMarked, lineEnd }: CsvStyle,
): Generator<Buffer> {
  let text = `${isMarked ? BYTE_ORDER_MARK : ''}${columns.map(quote).join(',')}${lineEnd}`;
  for (const row of rows) {
    let separator = '';
    for (const cell of cellsOf) {
      text += separator + cell(row);
      separator = ',';
    }
    text += lineEnd;
    if (text.length >= CHUNK_CHARACTERS) {
      yield Buffer.from(text);
      text = '';
    }
  }
  if (text !== '') yield Buffer.from(text);
}
