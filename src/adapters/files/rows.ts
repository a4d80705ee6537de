import { USER_STATUSES, type Item, type User } from '../../domain/tables.ts';

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

export const USER_PARTS: RowParts<User> = {
  value: ({ status }) => USER_STATUSES.indexOf(status),
  rest: ({ extra }) => (isEmpty(extra) ? null : { extra }),
  row: (user, value, rest) => ({
    user,
    status: USER_STATUSES[value] ?? 'unpaid',
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
}

/**
 * Rows by name, in the order in which they came; otherwise as a Map of rows. What every order looks at and changes, the
 * value, lies in an array of numbers: with a million rows that are objects each look at one is a look at cold memory
 * more, and each sale one more object for the collector. A place once given is given to no other row.
 */
export class Rows<R extends Row> {
  readonly #parts: RowParts<R>;
  #places = new Map<string, number>();
  /** By place, as the other two; undefined: the row was removed. */
  #names: (string | undefined)[] = [];
  #values = new Float64Array(FIRST_ROWS);
  #rests: (Partial<R> | null)[] = [];

  constructor(parts: RowParts<R>) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#places.size;
  }

  has(name: string): boolean {
    return this.#places.has(name);
  }

  get(name: string): R | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.#rowAt(name, place, this.valueAt(place));
  }

  /** Stock or status alone, without making a row. */
  value(name: string): number | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.#values[place];
  }

  placeOf(name: string): number | undefined {
    return this.#places.get(name);
  }

  /** How many places there are, those of removed rows included. */
  get places(): number {
    return this.#names.length;
  }

  valueAt(place: number): number {
    return this.#values[place] ?? NaN;
  }

  setValueAt(place: number, value: number): void {
    this.#values[place] = value;
  }

  /** undefined: it was removed. */
  nameAt(place: number): string | undefined {
    return this.#names[place];
  }

  /** The row as it would be with another value; undefined: it was removed. */
  rowWith(place: number, value: number): R | undefined {
    const name = this.#names[place];
    return name === undefined ? undefined : this.#rowAt(name, place, value);
  }

  #rowAt(name: string, place: number, value: number): R {
    return this.#parts.row(name, value, this.#rests[place] ?? null);
  }

  /** A new row goes to the end. */
  set(name: string, row: R): this {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.#names.length;
      this.#places.set(name, place);
      this.#names.push(name);
      this.#rests.push(null);
      if (place >= this.#values.length) this.#values = grown(this.#values, place + 1);
    }
    this.#values[place] = this.#parts.value(row);
    this.#rests[place] = this.#parts.rest(row);
    return this;
  }

  delete(name: string): boolean {
    const place = this.#places.get(name);
    if (place === undefined) return false;
    this.#names[place] = undefined;
    this.#rests[place] = null;
    return this.#places.delete(name);
  }

  keys(): MapIterator<string> {
    return this.#places.keys();
  }

  *values(): Generator<R> {
    yield* rowsOf(this.#parts, this.#names, this.#values, this.#rests);
  }

  *[Symbol.iterator](): Generator<[string, R]> {
    for (const [name, place] of this.#places) yield [name, this.#rowAt(name, place, this.valueAt(place))];
  }

  /** Becomes what `other` is, which is not to be used again. */
  takeOver(other: Rows<R>): void {
    this.#places = other.#places;
    this.#names = other.#names;
    this.#values = other.#values;
    this.#rests = other.#rests;
  }

  /** The rows as they are now, to be read while they change. */
  frozen(): FrozenRows<R> {
    const [names, values, rests] = [
      this.#names.slice(),
      this.#values.slice(0, this.places),
      this.#rests.slice(),
    ];
    return { values: () => rowsOf(this.#parts, names, values, rests) };
  }
}

function* rowsOf<R extends Row>(
  parts: RowParts<R>,
  names: readonly (string | undefined)[],
  values: Float64Array,
  rests: readonly (Partial<R> | null)[],
): Generator<R> {
  for (let place = 0; place < names.length; place++) {
    const name = names[place];
    if (name !== undefined) yield parts.row(name, values[place] ?? NaN, rests[place] ?? null);
  }
}

/** A copy of at least that length, and at least twice as long. */
export function grown(values: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(Math.max(length, values.length * 2, FIRST_ROWS));
  larger.set(values);
  return larger;
}
