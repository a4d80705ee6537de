import type { Edit } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import { isName, NAME_RULE } from '../../domain/names.ts';
import {
  CATEGORY,
  ITEM_DETAILS,
  isPrice,
  leastStock,
  meantPrices,
  NAMED_DETAILS,
  NO_DETAILS,
  normalizePrice,
  USER_STATUSES,
  type Item,
  type ItemDetail,
  type ItemDetails,
  type User,
} from '../../domain/tables.ts';
import type { Sheet } from '../../ports/sheet.ts';
import type { CopiedTable } from '../../ports/table-copy.ts';
import { plainColumn } from './rename-columns.ts';

export type TableName = 'users' | 'inventory';
export type RowEdit = Extract<Edit, { kind: 'user' | 'item' }>;
export type Row = User | Item;

/** The result of importing a list into a table. */
export interface ImportPlan extends CopiedTable {
  readonly edits: readonly RowEdit[];
  readonly unchanged: number;
}

/** The most invalid cells that are named: a file of another kind has nothing else. */
const NAMED = 20;

/**
 * Merges a list into a table. Columns that the list does not have stay as they are; rows that the table does not have
 * are added; with `replace`, rows that the list does not have are removed.
 *
 * @throws Failure invalid_input, which names every invalid cell
 */
export function planImport(
  table: TableName,
  current: CopiedTable,
  sheet: Sheet,
  { replace }: { replace: boolean },
): ImportPlan {
  const reader = new SheetReader(table, sheet);
  const before = new Map(current.rows.map((row) => [nameOf(row), row]));
  const found = new Map<string, Row>();
  for (const { line, cells } of sheet.rows) {
    if (!reader.isWidthRight(line, cells)) continue;
    const name = reader.name(line, cells);
    if (found.has(name)) reader.wrong(line, `${name} is listed twice`);
    const row = reader.row(line, cells, name, before.get(name) ?? null);
    if (row !== null) found.set(name, row);
  }
  reader.end(found.size);
  const kept = current.rows.filter((row) => !replace || found.has(nameOf(row)));
  const rows = [
    ...kept.map((row) => found.get(nameOf(row)) ?? row),
    ...[...found].filter(([name]) => !before.has(name)).map(([, row]) => row),
  ];
  const edits = editsBetween(table, current.rows, rows);
  const columns = [...new Set([...current.columns, ...reader.columns])].filter((name) => name !== '');
  return {
    columns,
    rows,
    edits,
    unchanged: sheet.rows.length - edits.filter(({ after }) => after !== null).length,
  };
}

/** The edits that turn the current rows into the wanted ones. */
export function editsBetween(
  table: TableName,
  current: readonly Row[],
  wanted: readonly Row[],
): readonly RowEdit[] {
  const [before, after] = [current, wanted].map((rows) => new Map(rows.map((row) => [nameOf(row), row])));
  return [...new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])])].flatMap(
    (name) => editOf(table, name, before?.get(name) ?? null, after?.get(name) ?? null) ?? [],
  );
}

export function nameOf(row: Row): string {
  return 'item' in row ? row.item : row.user;
}

/** @returns null: nothing changes */
function editOf(table: TableName, name: string, before: Row | null, after: Row | null): RowEdit | null {
  if (isSame(before, after)) return null;
  return table === 'users'
    ? { kind: 'user', user: name, before: before as User | null, after: after as User | null }
    : { kind: 'item', item: name, before: before as Item | null, after: after as Item | null };
}

/** Compares rows as a reader of the file would: a missing column is an empty cell. */
function isSame(before: Row | null, after: Row | null): boolean {
  const cells = ({ extra, ...own }: Row): string =>
    JSON.stringify([
      Object.entries(own).sort(),
      Object.entries(extra)
        .filter(([, cell]) => cell !== '')
        .sort(),
    ]);
  return before === null || after === null ? before === after : cells(before) === cells(after);
}

/** Further columns of users, which notifications use; other columns are kept as well. */
export const CONTACT_COLUMNS = ['email', 'notify'] as const;

/** The columns that orderctl knows, by table; the first one names the row. */
export const COLUMNS: Readonly<Record<TableName, readonly string[]>> = {
  users: ['user', 'status'],
  inventory: ['item', 'quantity', ...NAMED_DETAILS.map(({ column }) => column)],
};

type Cells = readonly string[];

/** Reads the rows of a list, and collects their errors. */
class SheetReader {
  /** The names in the header, in the form of the tables: in lower case, words joined by `_`. */
  readonly columns: readonly string[];
  readonly #table: TableName;
  readonly #sheet: Sheet;
  /** The columns that orderctl knows; the first one names the row. */
  readonly #ours: readonly string[];
  readonly #wrong: { line: number; message: string }[] = [];

  constructor(table: TableName, sheet: Sheet) {
    this.#table = table;
    this.#sheet = sheet;
    this.#ours = COLUMNS[table];
    this.columns = sheet.header.map((given) => {
      const name = plainColumn(given);
      // Other columns keep their names.
      return this.#ours.includes(name) ? name : given;
    });
    const [key = ''] = this.#ours;
    const twice = this.columns.find((name, at) => name !== '' && this.columns.indexOf(name) !== at);
    if (!this.columns.includes(key)) this.#refuse(`no column is called ${key}`);
    if (twice !== undefined) this.#refuse(`two columns are called ${twice}`);
  }

  #refuse(what: string): never {
    const { file, line, header } = this.#sheet;
    const shown = header.join(', ').slice(0, 80);
    throw new Failure('invalid_input', `${file}:${line}: ${what}: the header is ${JSON.stringify(shown)}`, {
      fix: { kind: 'name_columns', columns: this.#ours },
      context: { file, line },
    });
  }

  wrong(line: number, message: string): null {
    this.#wrong.push({ line, message });
    return null;
  }

  /** The cells of a row that is too long may be under the wrong columns. */
  isWidthRight(line: number, cells: Cells): boolean {
    if (cells.length <= this.columns.length) return true;
    this.wrong(line, `it has ${cells.length} cells, but the header has ${this.columns.length}`);
    return false;
  }

  /** The name as it is in the list, valid or not. */
  name(line: number, cells: Cells): string {
    const name = this.#cell(cells, this.#ours[0] ?? '') ?? '';
    if (!isName(name)) this.wrong(line, `${JSON.stringify(name)} is not a name (${NAME_RULE})`);
    return name;
  }

  row(line: number, cells: Cells, name: string, before: Row | null): Row | null {
    const others = [...this.columns.entries()].filter(
      ([, name]) => name !== '' && (name === CATEGORY || !this.#ours.includes(name)),
    );
    const extra = Object.fromEntries([
      ...Object.entries(before?.extra ?? {}),
      ...others.map(([at, name]) => [name, cells[at] ?? ''] as const),
    ]);
    return this.#table === 'users'
      ? this.#user(line, cells, name, extra, before as User | null)
      : this.#item(line, cells, name, extra, before as Item | null);
  }

  #user(line: number, cells: Cells, user: string, extra: User['extra'], before: User | null): User | null {
    const text = this.#cell(cells, 'status') ?? '';
    if (text === '' && before !== null) return { ...before, extra };
    const status = USER_STATUSES.find((one) => one === text.toLowerCase());
    if (status !== undefined) return { user, status, extra };
    return this.wrong(line, `status of user ${user} is ${JSON.stringify(text)}, neither paid nor unpaid`);
  }

  #item(line: number, cells: Cells, item: string, extra: Item['extra'], before: Item | null): Item | null {
    // A quantity that stores have taken below zero may be listed as it is, or higher.
    const quantity = this.#number(line, cells, 'quantity', item, leastStock(before?.quantity));
    if (quantity === null && before === null) {
      const fill = this.columns.includes('quantity') ? 'fill in that cell' : 'add a column "quantity"';
      this.wrong(
        line,
        `${item} is new, and has no quantity: ${fill} (0 if there is none yet), or correct the name`,
      );
    }
    const found = ITEM_DETAILS.filter(({ column }) => this.columns.includes(column)).map(
      (detail) => [detail.field, this.#detail(line, cells, detail, item)] as const,
    );
    if (quantity === undefined || found.some(([, value]) => value === undefined)) return null;
    const details = Object.fromEntries(found) as Partial<ItemDetails>;
    return { item, ...NO_DETAILS, ...before, ...details, quantity: quantity ?? before?.quantity ?? 0, extra };
  }

  /** @returns null: the cell is empty; undefined: it is invalid */
  #detail(line: number, cells: Cells, { column, kind }: ItemDetail, item: string) {
    switch (kind) {
      case 'quantity':
        return this.#number(line, cells, column, item);
      case 'price':
        return this.#price(line, cells, column, item);
      case 'text':
        // Not trimmed: spaces are part of the value.
        return (cells[this.columns.indexOf(column)] ?? '') || null;
    }
  }

  /** @returns null: the cell is empty or missing; undefined: it is invalid */
  #number(line: number, cells: Cells, column: string, item: string, least = 0): number | null | undefined {
    const text = this.#cell(cells, column) ?? '';
    if (text === '') return null;
    const value = /^-?\d+$/.test(text) ? Number(text) + 0 : NaN;
    if (Number.isSafeInteger(value) && value >= least) return value;
    this.wrong(line, `${column} of ${item} is ${JSON.stringify(text)}, not a whole number from 0 up`);
    return undefined;
  }

  #price(line: number, cells: Cells, column: string, item: string): string | null | undefined {
    const text = this.#cell(cells, column) ?? '';
    if (text === '') return null;
    const plain = this.#sheet.hasDecimalComma ? text.replace(',', '.') : text;
    if (isPrice(plain)) return normalizePrice(plain);
    const meant = meantPrices(text);
    const instead = meant.length === 0 ? '' : `: write ${meant.join(' or ')}`;
    this.wrong(
      line,
      `${column} of ${item} is ${JSON.stringify(text)}, not an amount such as 12.50${instead}`,
    );
    return undefined;
  }

  #cell(cells: Cells, column: string): string | undefined {
    return cells[this.columns.indexOf(column)]?.trim();
  }

  /** @throws Failure invalid_input when there were errors */
  end(rows: number): void {
    const { file } = this.#sheet;
    const [first] = this.#wrong;
    if (first === undefined) {
      if (rows > 0) return;
      throw new Failure('invalid_input', `${file} has a header but no rows`, {
        fix: 'export the sheet that has the rows',
        context: { file },
      });
    }
    const lines = this.#wrong.slice(0, NAMED).map(({ line, message }) => `${file}:${line}: ${message}`);
    const more = this.#wrong.length - lines.length;
    throw new Failure('invalid_input', [...lines, ...(more > 0 ? [`and ${more} more`] : [])].join('\n'), {
      fix: 'correct them and import the file again: nothing was changed',
      context: { file, line: first.line },
    });
  }
}
