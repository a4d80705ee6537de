import type { Edit } from '../../../domain/edit.ts';
import {
  ITEM_DETAILS,
  isPrice,
  isQuantity,
  normalizePrice,
  USER_STATUSES,
  type DetailKind,
  type Item,
  type User,
} from '../../../domain/tables.ts';

/*
 * The columns of users.csv and inventory.csv, declared once: files are read and written, and rows stored, compared and
 * merged by these declarations. Those of an item follow from ITEM_DETAILS; a new one also needs a value in `row`.
 */

export type Row = User | Item;
export type TableName = 'users' | 'inventory';

/** Columns of the file that are not ours. */
export type Extra = Readonly<Record<string, string>>;

/** Shared by all rows without further columns. */
export const NO_EXTRA: Extra = Object.freeze({});

type RowEdit = Extract<Edit, { kind: 'user' | 'item' }>;

interface Column<V> {
  /** Its name in the header. */
  readonly name: string;
  /** @returns undefined: the text is not a value of this column */
  readonly read: (text: string) => V | undefined;
  /** What to write instead of such a text. */
  readonly fix: string;
}

/** A value of an optional column; null: unset. */
export type OwnValue = string | number | null;

/** The values of a row that has none. */
export const NO_VALUES: readonly OwnValue[] = Object.freeze([]);

/** A column that a table may lack, and in which a row may have no value. */
export interface OptionalColumn<R extends Row> extends Column<string | number> {
  readonly field: keyof R & string;
  /** Whether spaces around a value are part of it. */
  readonly isVerbatim?: true;
  /** A value without what a cut of the file at its end removes unnoticed, such as trailing zeros. */
  cut?(text: string): string;
}

/** The declaration of a table and its file. */
export interface TableKind<R extends Row> {
  readonly table: TableName;
  readonly file: string;
  /** The column of names; also the field of a row. */
  readonly key: 'user' | 'item';
  /** The column that decisions use, as a number; the field of a row has the same name. */
  readonly value: Column<number>;
  /** The name of a row in messages. */
  readonly label: (name: string) => string;
  readonly nameOf: (row: R) => string;
  readonly valueOf: (row: R) => number;
  /** The text of the value in the file. */
  readonly valueText: (row: R) => string;
  /** @param own values of the optional columns, in their order; missing ones at the end are unset */
  readonly row: (name: string, value: number, own: readonly OwnValue[], extra: Extra) => R;
  readonly withValue: (row: R, value: number) => R;
  readonly optional: readonly OptionalColumn<R>[];
  readonly edit: (name: string, before: R | null, after: R | null) => RowEdit;
}

/** A table as it is in its file: rows by name, in the order of the file, and the header. */
export interface CsvTable<R extends Row> {
  readonly kind: TableKind<R>;
  readonly columns: readonly string[];
  readonly rows: Pick<Map<string, R>, 'size' | 'has' | 'get' | 'keys' | typeof Symbol.iterator> & {
    values(): Iterable<R>;
  };
}

/** Below zero only where stores sold more than they had; what an edit may do is decided when it is merged. */
const STOCK = {
  read: (text: string): number | undefined =>
    /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) + 0 : undefined,
  fix: 'write a whole number in plain digits, such as 20',
};

export const COUNT = {
  read: (text: string): number | undefined =>
    /^\d+$/.test(text) && isQuantity(Number(text)) ? Number(text) : undefined,
  fix: 'write a whole number from 0 up in plain digits, such as 20',
};

/** @param value of a user's row: the index of the status in USER_STATUSES */
export function statusOf(value: number): User['status'] {
  return USER_STATUSES[value] ?? 'unpaid';
}

export const USERS: TableKind<User> = {
  table: 'users',
  file: 'users.csv',
  key: 'user',
  value: {
    name: 'status',
    read: (text) => {
      const place = (USER_STATUSES as readonly string[]).indexOf(text);
      return place === -1 ? undefined : place;
    },
    fix: 'write paid or unpaid, in lower case',
  },
  label: (name) => `user ${name}`,
  nameOf: ({ user }) => user,
  valueOf: ({ status }) => USER_STATUSES.indexOf(status),
  valueText: ({ status }) => status,
  row: (user, value, _own, extra) => ({ user, status: statusOf(value), extra }),
  withValue: (row, value) => ({ ...row, status: statusOf(value) }),
  optional: [],
  edit: (user, before, after) => ({ kind: 'user', user, before, after }),
};

/** How cells of the details of an item are read. */
const CELLS: Readonly<Record<DetailKind, Omit<OptionalColumn<Item>, 'name' | 'field'>>> = {
  text: { isVerbatim: true, read: (text) => text, fix: '' },
  price: {
    read: (text) => (isPrice(text) ? normalizePrice(text) : undefined),
    fix: 'write an amount such as 12.50 (a point, at most two decimals, no currency), or leave it empty',
    cut: (text) => text.replace(/\.?0+$/, ''),
  },
  quantity: COUNT,
};

export const INVENTORY: TableKind<Item> = {
  table: 'inventory',
  file: 'inventory.csv',
  key: 'item',
  value: { name: 'quantity', ...STOCK },
  label: (name) => name,
  nameOf: ({ item }) => item,
  valueOf: ({ quantity }) => quantity,
  valueText: ({ quantity }) => String(quantity),
  // Written out: a table has a row for each item.
  row: (item, quantity, [name = null, price = null, reorderLevel = null], extra) => ({
    item,
    quantity,
    name: name as string | null,
    price: price as string | null,
    reorderLevel: reorderLevel as number | null,
    extra,
  }),
  withValue: (row, quantity) => ({ ...row, quantity }),
  optional: ITEM_DETAILS.map(({ field, column, kind }) => ({ name: column, field, ...CELLS[kind] })),
  edit: (item, before, after) => ({ kind: 'item', item, before, after }),
};

/** The table that a row belongs to. */
export function kindOf<R extends Row>(row: R): TableKind<R> {
  return ('item' in row ? INVENTORY : USERS) as unknown as TableKind<R>;
}

/** The names of our columns, in the order of a file that orderctl creates. */
export function columnNames<R extends Row>({ key, value, optional }: TableKind<R>): readonly string[] {
  return [key, value.name, ...optional.map(({ name }) => name)];
}

/** A value of an optional column as text; an unset one is an empty cell. */
export function textOf<R extends Row>(row: R, field: keyof R): string {
  return String((row[field] as OwnValue) ?? '');
}

/** Own keys only: a column may be named `constructor`. */
export function extraCell(extra: Extra, key: string): string {
  return Object.hasOwn(extra, key) ? (extra[key] ?? '') : '';
}

/** Whether a row has nothing but its name and its status or quantity. */
export function isPlain(row: Row): boolean {
  for (const { field } of kindOf(row).optional) if ((row[field] as unknown) !== null) return false;
  const { extra } = row;
  if (extra === NO_EXTRA) return true;
  for (const key in extra) if (Object.hasOwn(extra, key)) return false;
  return true;
}
