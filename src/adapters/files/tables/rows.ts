import { USER_STATUSES, type Item, type User, type UserStatus } from '../../../domain/tables.ts';

export type Row = User | Item;

/** What every row without further columns shares. */
export const NO_EXTRA: Readonly<Record<string, string>> = Object.freeze({});

const FIRST_ROWS = 64;

/** How rows of one kind are taken apart: the number that decisions look at, and the rest, which few rows have. */
export interface RowParts<R extends Row> {
  /** Stock, or the place of the status in USER_STATUSES. */
  value(row: R): number;
  /** null: nothing but name and value. */
  rest(row: R): Partial<R> | null;
  row(name: string, value: number, rest: Partial<R> | null): R;
}

/** @param value of a user's row */
export function statusOf(value: number): UserStatus {
  return USER_STATUSES[value] ?? 'unpaid';
}

export const USER_PARTS: RowParts<User> = {
  value: ({ status }) => USER_STATUSES.indexOf(status),
  rest: ({ extra }) => (isEmpty(extra) ? null : { extra }),
  row: (user, value, rest) => ({
    user,
    status: statusOf(value),
    extra: rest?.extra ?? NO_EXTRA,
  }),
};

export const ITEM_PARTS: RowParts<Item> = {
  value: ({ quantity }) => quantity,
  rest: (item) => {
    if (isPlain(item)) return null;
    const { name, price, reorderLevel, extra } = item;
    return { name, price, reorderLevel, extra };
  },
  row: (item, quantity, rest) => ({
    item,
    quantity,
    name: rest?.name ?? null,
    price: rest?.price ?? null,
    reorderLevel: rest?.reorderLevel ?? null,
    extra: rest?.extra ?? NO_EXTRA,
  }),
};

/** Whether a row has nothing but its name and its status or quantity. */
export function isPlain(row: Row): boolean {
  if ('item' in row && (row.name !== null || row.price !== null || row.reorderLevel !== null)) return false;
  return isEmpty(row.extra);
}

function isEmpty(extra: Readonly<Record<string, string>>): boolean {
  if (extra === NO_EXTRA) return true;
  for (const key in extra) if (Object.hasOwn(extra, key)) return false;
  return true;
}

/** The rows of a table at one moment, in the order of the file. */
export interface FrozenRows<R extends Row> {
  values(): Generator<R>;
  /** undefined: it was removed. */
  nameAt(place: number): string | undefined;
  /** The row as it would be with another value; undefined: it was removed. */
  rowWith(place: number, value: number): R | undefined;
}

/** By place, all three. */
interface Columns<R extends Row> {
  /** undefined: the row was removed. */
  readonly names: (string | undefined)[];
  values: Float64Array;
  readonly rests: (Partial<R> | null)[];
}

class PlacedRows<R extends Row> implements FrozenRows<R> {
  protected readonly parts: RowParts<R>;
  protected readonly columns: Columns<R>;

  constructor(parts: RowParts<R>, columns: Columns<R>) {
    this.parts = parts;
    this.columns = columns;
  }

  nameAt(place: number): string | undefined {
    return this.columns.names[place];
  }

  rowWith(place: number, value: number): R | undefined {
    const { names, rests } = this.columns;
    const name = names[place];
    return name === undefined ? undefined : this.parts.row(name, value, rests[place] ?? null);
  }

  *values(): Generator<R> {
    const { names, values } = this.columns;
    for (let place = 0; place < names.length; place++) {
      const row = this.rowWith(place, values[place] ?? NaN);
      if (row !== undefined) yield row;
    }
  }
}

/**
 * Rows by name, in the order in which they came; otherwise as a Map of rows. What every order looks at and changes, the
 * value, lies in an array of numbers: with a million rows that are objects each look at one is a look at cold memory
 * more, and each sale one more object for the collector. A place once given is given to no other row.
 */
export class Rows<R extends Row> extends PlacedRows<R> {
  readonly #places = new Map<string, number>();

  constructor(parts: RowParts<R>) {
    super(parts, { names: [], values: new Float64Array(FIRST_ROWS), rests: [] });
  }

  get size(): number {
    return this.#places.size;
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  get(name: string): R | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.rowWith(place, this.valueAt(place));
  }

  /** Stock or status alone, without making a row. */
  value(name: string): number | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.columns.values[place];
  }

  placeOf(name: string): number | undefined {
    return this.#places.get(name);
  }

  /** How many places there are, those of removed rows included. */
  get places(): number {
    return this.columns.names.length;
  }

  valueAt(place: number): number {
    return this.columns.values[place] ?? NaN;
  }

  setValueAt(place: number, value: number): void {
    this.columns.values[place] = value;
  }

  /** A new row goes to the end. */
  set(name: string, row: R): this {
    const { columns, parts } = this;
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.places;
      this.#places.set(name, place);
      columns.names.push(name);
      columns.rests.push(null);
      if (place >= columns.values.length) columns.values = grown(columns.values, place + 1);
    }
    columns.values[place] = parts.value(row);
    columns.rests[place] = parts.rest(row);
    return this;
  }

  delete(name: string): boolean {
    const place = this.#places.get(name);
    if (place === undefined) return false;
    this.columns.names[place] = undefined;
    this.columns.rests[place] = null;
    return this.#places.delete(name);
  }

  keys(): MapIterator<string> {
    return this.#places.keys();
  }

  *[Symbol.iterator](): Generator<[string, R]> {
    for (const [name, place] of this.#places) {
      const row = this.rowWith(place, this.valueAt(place));
      if (row !== undefined) yield [name, row];
    }
  }

  /** The rows as they are now, to be read while they change. */
  frozen(): FrozenRows<R> {
    const { names, values, rests } = this.columns;
    return new PlacedRows(this.parts, {
      names: names.slice(),
      values: values.slice(0, names.length),
      rests: rests.slice(),
    });
  }
}

/** A copy of at least that length, and at least twice as long. */
export function grown(values: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(length, values.length * 2, FIRST_ROWS));
  larger.set(values);
  return larger;
}
