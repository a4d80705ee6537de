import type { CsvTable, Row, TableKind } from './columns.ts';
import { grown, Rows, type FrozenRows } from './rows-by-name.ts';
import { sameFingerprint, type FileFingerprint } from './fingerprint.ts';

/** This many older versions are recognised, however little of their content is kept. */
const OLDER_VERSIONS = 64;

/** The rows that have changed since some moment, as they were then. */
class Changed<R extends Row> {
  readonly #rows: Rows<R>;
  /** Places where the value has changed, in the order of the first change. */
  readonly #places: number[] = [];
  /** By place, the former value; NaN, which no row has: unchanged. */
  #values = new Float64Array(0);
  /** Any other change; null: the row did not exist. It takes precedence over the value of a place. */
  readonly #others = new Map<string, R | null>();

  constructor(rows: Rows<R>) {
    this.#rows = rows;
  }

  get isEmpty(): boolean {
    return this.#places.length === 0 && this.#others.size === 0;
  }

  /** Call this before the value at a place changes. */
  noteValue(place: number): void {
    if (place >= this.#values.length) {
      const from = this.#values.length;
      this.#values = grown(this.#values, Math.max(place + 1, this.#rows.places)).fill(NaN, from);
    }
    if (!Number.isNaN(this.#values[place])) return;
    this.#values[place] = this.#rows.valueAt(place);
    this.#places.push(place);
  }

  /** Call this before a row is changed, added or removed. */
  noteRow(name: string): void {
    if (!this.#others.has(name)) this.#others.set(name, this.#before(name));
  }

  #before(name: string): R | null {
    const place = this.#rows.placeOf(name);
    if (place === undefined) return null;
    const value = this.#values[place] ?? NaN;
    return this.#rows.rowWith(place, Number.isNaN(value) ? this.#rows.valueAt(place) : value) ?? null;
  }

  /** Records a row as it was. */
  remember(name: string, row: R | null): void {
    this.#others.set(name, row);
  }

  /** The same for rows in other places. */
  in(rows: Rows<R>): Changed<R> {
    const moved = new Changed(rows);
    for (const [name, row] of this.entries()) moved.remember(name, row);
    return moved;
  }

  /** What is recorded now. */
  entries(): Generator<[string, R | null]> {
    return this.#entries(this.#rows, this.#places.length, this.#others);
  }

  /** The same, to be read after further changes. @param rows as they are now */
  frozen(rows: FrozenRows<R>): Iterable<[string, R | null]> {
    const [count, others] = [this.#places.length, new Map(this.#others)];
    return { [Symbol.iterator]: () => this.#entries(rows, count, others) };
  }

  *#entries(
    rows: Pick<FrozenRows<R>, 'nameAt' | 'rowWith'>,
    count: number,
    others: ReadonlyMap<string, R | null>,
  ): Generator<[string, R | null]> {
    yield* others;
    for (let at = 0; at < count; at++) {
      const place = this.#places[at] ?? -1;
      const name = rows.nameAt(place);
      const row = rows.rowWith(place, this.#values[place] ?? NaN);
      if (row !== undefined && name !== undefined && !others.has(name)) yield [name, row];
    }
  }
}

/** A table at one moment, to be stored while it changes. */
export interface FrozenTable<R extends Row> {
  readonly kind: TableKind<R>;
  readonly columns: readonly string[];
  readonly rows: FrozenRows<R>;
  /** The newest known version of the CSV, the ones before it, and its rows that differ from the table. */
  readonly newest: FileFingerprint | null;
  readonly older: readonly FileFingerprint[];
  readonly undo: Iterable<[string, R | null]>;
}

/** A table, and how it differs from the file that users see. */
export class Table<R extends Row> implements CsvTable<R> {
  readonly kind: TableKind<R>;
  columns: readonly string[];
  rows: Rows<R>;
  #newest: FileFingerprint | null = null;
  #older: readonly FileFingerprint[] = [];
  #undo: Changed<R>;
  /** Changes since the next version started to be rendered; undefined: none is being rendered. */
  #sinceRender: Changed<R> | undefined;

  constructor(kind: TableKind<R>) {
    this.kind = kind;
    this.columns = [kind.key, kind.value.name];
    this.rows = new Rows(kind);
    this.#undo = new Changed(this.rows);
  }

  /** The newest version of the CSV that is or was on disk; null: none yet. */
  get newest(): FileFingerprint | null {
    return this.#newest;
  }

  /** Versions before the newest, newest first. */
  get older(): readonly FileFingerprint[] {
    return this.#older;
  }

  /** Whether the newest version differs from the table. */
  get isBehind(): boolean {
    return this.#newest === null ? this.rows.size > 0 : !this.#undo.isEmpty;
  }

  /** The rows of the newest known version of the CSV that differ from the table; null: no such row. */
  undo(): Map<string, R | null> {
    return new Map(this.#undo.entries());
  }

  /** Changes one row; null: removes it. A new row is added at the end. */
  set(name: string, row: R | null): void {
    if (this.#newest !== null) this.#undo.noteRow(name);
    this.#sinceRender?.noteRow(name);
    if (row === null) this.rows.delete(name);
    else this.rows.set(name, row);
  }

  setValueAt(place: number, value: number): void {
    if (this.#newest !== null) this.#undo.noteValue(place);
    this.#sinceRender?.noteValue(place);
    this.rows.setValueAt(place, value);
  }

  /** Puts rows in a new order; those not named follow in their current order. */
  reorder(names: Iterable<string>): void {
    const rows = new Rows(this.kind);
    const take = (name: string): void => {
      const row = this.rows.get(name);
      if (row !== undefined && !rows.has(name)) rows.set(name, row);
    };
    for (const name of names) take(name);
    for (const name of this.rows.keys()) take(name);
    this.#undo = this.#undo.in(rows);
    this.#sinceRender = this.#sinceRender?.in(rows);
    this.rows = rows;
  }

  /**
   * Sets the newest version of the CSV. From here on the table differs from it by what `remember` receives and by later
   * changes.
   *
   * @param older the versions before it; by default the known ones
   */
  versionIs(newest: FileFingerprint | null, older?: readonly FileFingerprint[]): void {
    this.#older = older ?? this.#olderThan(newest);
    this.#newest = newest;
    this.#undo = new Changed(this.rows);
  }

  #olderThan(newest: FileFingerprint | null): readonly FileFingerprint[] {
    if (this.#newest === null || (newest !== null && sameFingerprint(this.#newest, newest)))
      return this.#older;
    return [this.#newest, ...this.#older].slice(0, OLDER_VERSIONS);
  }

  remember(name: string, row: R | null): void {
    this.#undo.remember(name, row);
  }

  frozen(): FrozenTable<R> {
    const { kind, columns, newest, older } = this;
    const rows = this.rows.frozen();
    return { kind, columns, newest, older, rows, undo: this.#undo.frozen(rows) };
  }

  /** Like `frozen`; changes from here on are recorded until `endRender`. */
  beginRender(): FrozenTable<R> {
    this.#sinceRender = new Changed(this.rows);
    return this.frozen();
  }

  /** @returns the rows that have changed since rendering started, as they were then */
  endRender(): Iterable<[string, R | null]> {
    const since = this.#sinceRender;
    this.#sinceRender = undefined;
    return since?.entries() ?? [];
  }
}
