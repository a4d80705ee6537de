import { isPlain, NO_EXTRA, NO_VALUES, type Row, type TableKind } from './columns.ts';

const FIRST_ROWS = 64;

/** The rows of a table at one moment, in the order of the file. */
export interface FrozenRows<R extends Row> {
  values(): Generator<R>;
  /** undefined: it was removed. */
  nameAt(place: number): string | undefined;
  /** The row as it would be with another value; undefined: it was removed. */
  rowWith(place: number, value: number): R | undefined;
}

/** Three columns, each by place. */
interface Columns<R extends Row> {
  /** undefined: the row was removed. */
  readonly names: (string | undefined)[];
  values: Float64Array;
  /** The row as it was set; null: it has only a name and a value. */
  readonly rests: (R | null)[];
}

class PlacedRows<R extends Row> implements FrozenRows<R> {
  protected readonly kind: TableKind<R>;
  protected readonly columns: Columns<R>;

  constructor(kind: TableKind<R>, columns: Columns<R>) {
    this.kind = kind;
    this.columns = columns;
  }

  nameAt(place: number): string | undefined {
    return this.columns.names[place];
  }

  rowWith(place: number, value: number): R | undefined {
    const { names, rests } = this.columns;
    const name = names[place];
    const rest = rests[place] ?? null;
    if (name === undefined) return undefined;
    return rest === null ? this.kind.row(name, value, NO_VALUES, NO_EXTRA) : this.kind.withValue(rest, value);
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
 * Rows by name, in the order in which they were added, like a Map of rows. The value, which every order reads and
 * changes, is in an array of numbers: with a million rows as objects, each look-up would touch more cold memory, and
 * each sale would leave an object to collect. A place is never reused for another row.
 */
export class Rows<R extends Row> extends PlacedRows<R> {
  readonly #places = new Map<string, number>();

  constructor(kind: TableKind<R>) {
    super(kind, { names: [], values: new Float64Array(FIRST_ROWS), rests: [] });
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

  /** Only the stock or status, without creating a row. */
  value(name: string): number | undefined {
    const place = this.#places.get(name);
    return place === undefined ? undefined : this.columns.values[place];
  }

  placeOf(name: string): number | undefined {
    return this.#places.get(name);
  }

  /** The number of places, including those of removed rows. */
  get places(): number {
    return this.columns.names.length;
  }

  valueAt(place: number): number {
    return this.columns.values[place] ?? NaN;
  }

  setValueAt(place: number, value: number): void {
    this.columns.values[place] = value;
  }

  /** A new row is added at the end. */
  set(name: string, row: R): this {
    const { columns, kind } = this;
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.places;
      this.#places.set(name, place);
      columns.names.push(name);
      columns.rests.push(null);
      if (place >= columns.values.length) columns.values = grown(columns.values, place + 1);
    }
    columns.values[place] = kind.valueOf(row);
    columns.rests[place] = isPlain(row) ? null : row;
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
    return new PlacedRows(this.kind, {
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
