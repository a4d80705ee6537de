import type { Item, User } from '../../domain/tables.ts';
import { ITEM_COLUMNS, USER_COLUMNS, writtenColumns, type CsvTable } from './csv-view.ts';

/*
 * A person saves a CSV from an editor that loaded it some time ago, while sales, commands and other edits went on.
 * As in any three-way merge, the edit is the difference between the file and the version that it was made from.
 */

/** What rows were in an older version where it differs from the next newer one; null: was not there. */
export type Undo<Row> = ReadonlyMap<string, Row | null>;

export interface RowEdit<Row> {
  readonly name: string;
  readonly before: Row | null;
  readonly after: Row | null;
}

/** As many as a file has rows: made while they are gone through where that can be. */
type RowEdits<Row> = Pick<readonly RowEdit<Row>[], 'length' | typeof Symbol.iterator>;

export type HandEdit<Row> =
  /** It shares less than half its rows with any known version. */
  | { readonly kind: 'set_aside' }
  | {
      readonly kind: 'merged';
      readonly edits: RowEdits<Row>;
      /** Stock that the edit would have taken below zero: it is 0 now. */
      readonly clamped: readonly { item: string; wanted: number }[];
      readonly columns: readonly string[];
      /** Names in their new order; null when it is the current one, with new rows at its end as `edits` adds them. */
      readonly order: readonly string[] | null;
    };

/**
 * Takes a person's edit over into the current table. The base is the known version that leaves the fewest changed
 * rows, then the newest. A quantity counts as the difference to the base, so that sales since are kept; of other
 * cells a changed one wins. A row that is missing in the file is removed. A row that the file adds is added; when
 * it exists by now, or was removed meanwhile while the person changed it, it is as the file says.
 *
 * Costs time linear in rows and entries of `history`.
 *
 * @param history from the current table back: first the undo to the newest known version of the file, then from
 *   that one to the one before, …; empty when no version is known: then all rows of the file are additions
 */
export function mergeHandEdit<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  history: Iterable<Undo<Row>>,
): HandEdit<Row> {
  const undos = [...history];
  if (undos.length === 0 && current.rows.size === 0) return allNew(found);
  const base = findBase(found, current, undos);
  return base === null ? { kind: 'set_aside' } : mergeFrom(found, current, base);
}

/** @param base rows of the version that the file was made from; null: not there */
export function mergeFrom<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  base: (name: string) => Row | null,
): Extract<HandEdit<Row>, { kind: 'merged' }> {
  const edits: RowEdit<Row>[] = [];
  const clamped: { item: string; wanted: number }[] = [];
  const edit = (name: string, before: Row | null, after: Row | null): void => {
    if (!sameRow(before, after)) edits.push({ name, before, after });
  };
  for (const [name, row] of found.rows) {
    const origin = base(name);
    const before = current.rows.get(name) ?? null;
    if (origin === null) edit(name, before, before === null ? row : overwrite(before, row, found.columns));
    else if (sameRow(origin, row)) continue;
    else if (before === null) edit(name, null, row);
    else edit(name, before, mergeRow(origin, before, row, found.columns, clamped));
  }
  for (const [name, before] of current.rows) {
    if (!found.rows.has(name) && base(name) !== null) edit(name, before, null);
  }
  return { kind: 'merged', edits, clamped, columns: found.columns, order: newOrder(found, current, edits) };
}

/** The first file of all. */
function allNew<Row extends User | Item>({ rows, columns }: CsvTable<Row>): HandEdit<Row> {
  const edits = {
    length: rows.size,
    *[Symbol.iterator](): ArrayIterator<RowEdit<Row>> {
      for (const [name, after] of rows) yield { name, before: null, after };
    },
  };
  return { kind: 'merged', edits, clamped: [], columns, order: null };
}

/** Whether two rows are the same to a reader of the file, where an unset column is an empty cell. */
export function sameRow(a: User | Item | null, b: User | Item | null): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return sameOwnCells(a, b) && sameExtra(a.extra, b.extra);
}

function sameOwnCells(a: User | Item, b: User | Item): boolean {
  if ('item' in a) {
    return (
      'item' in b &&
      a.item === b.item &&
      a.quantity === b.quantity &&
      a.name === b.name &&
      a.price === b.price &&
      a.reorderLevel === b.reorderLevel
    );
  }
  return 'user' in b && a.user === b.user && a.status === b.status;
}

type Extra = Readonly<Record<string, string>>;

function sameExtra(a: Extra, b: Extra): boolean {
  if (a === b) return true;
  for (const key in a) if (extraCell(a, key) !== extraCell(b, key)) return false;
  for (const key in b) if (extraCell(a, key) !== extraCell(b, key)) return false;
  return true;
}

/** Own keys only: a column may be called `constructor`. */
function extraCell(extra: Extra, key: string): string {
  return Object.hasOwn(extra, key) ? (extra[key] ?? '') : '';
}

/** Rows of a version; null: not there. */
type Base<Row> = (name: string) => Row | null;

/** Rows with others in their place, which may come later. */
export function overlaid<Row>(
  rows: { get(name: string): Row | undefined },
  others: Undo<Row>,
): (name: string) => Row | null {
  return (name) => {
    const row = others.get(name);
    return row === undefined ? (rows.get(name) ?? null) : row;
  };
}

/** @returns null when the file has too little in common with every known version */
function findBase<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  undos: readonly Undo<Row>[],
): Base<Row> | null {
  if (undos.length === 0) return () => null;
  const isChanged = rowComparer(found, current);
  const overlay = new Map<string, Row | null>();
  const version = overlaid(current.rows, overlay);
  let sizeRows = 0;
  let shared = 0;
  let changed = 0;
  const count = (name: string, row: Row | null, sign: 1 | -1): void => {
    const inFile = found.rows.get(name);
    if (row !== null) sizeRows += sign;
    if (row !== null && inFile !== undefined) shared += sign;
    if (inFile === undefined ? row !== null : row === null || isChanged(row, inFile)) changed += sign;
  };
  for (const name of found.rows.keys()) count(name, version(name), 1);
  for (const [name, row] of current.rows) if (!found.rows.has(name)) count(name, row, 1);

  let best = -1;
  let fewest = Infinity;
  undos.forEach((undo, at) => {
    for (const [name, row] of undo) {
      count(name, version(name), -1);
      overlay.set(name, row);
      count(name, row, 1);
    }
    if (changed < fewest && isRelated(shared, sizeRows, found.rows.size, at === 0)) {
      best = at;
      fewest = changed;
    }
  });
  if (best === -1) return null;
  overlay.clear();
  for (const undo of undos.slice(0, best + 1)) for (const [name, row] of undo) overlay.set(name, row);
  return version;
}

/**
 * At least half of the smaller side is common: neither many new rows pasted into a short table nor most rows deleted
 * from a long one make a file a stranger. What an empty version of long ago has in common with a file says nothing.
 */
function isRelated(shared: number, versionRows: number, fileRows: number, isNewest: boolean): boolean {
  if (versionRows === 0) return isNewest || fileRows === 0;
  return shared * 2 >= Math.min(versionRows, fileRows);
}

/**
 * Compares by the columns that both file and table have: a column that was added or dropped makes every row another
 * in every version alike, and would hide which of them the edit was made from.
 */
function rowComparer<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
): (a: Row, b: Row) => boolean {
  const written = new Set(writtenColumns(current as CsvTable<User> | CsvTable<Item>));
  const common = found.columns.filter((name) => written.has(name));
  const ours: readonly string[] = [...USER_COLUMNS, ...ITEM_COLUMNS];
  const extras = common.filter((name) => !ours.includes(name));
  const [hasName, hasPrice, hasLevel] = ['name', 'price', 'reorder_level'].map((name) =>
    common.includes(name),
  );
  return (a, b) => {
    if ('item' in a && 'item' in b) {
      if (a.quantity !== b.quantity) return true;
      if (hasName === true && a.name !== b.name) return true;
      if (hasPrice === true && a.price !== b.price) return true;
      if (hasLevel === true && a.reorderLevel !== b.reorderLevel) return true;
    } else if ('status' in a && 'status' in b && a.status !== b.status) return true;
    for (const name of extras) if (extraCell(a.extra, name) !== extraCell(b.extra, name)) return true;
    return false;
  };
}

/** The current row with every cell that the file has. */
function overwrite<Row extends User | Item>(current: Row, found: Row, columns: readonly string[]): Row {
  const extra = { ...current.extra, ...found.extra };
  if (!('item' in current)) return { ...found, extra };
  const kept: Partial<Item> = {
    ...(columns.includes('name') ? {} : { name: current.name }),
    ...(columns.includes('price') ? {} : { price: current.price }),
    ...(columns.includes('reorder_level') ? {} : { reorderLevel: current.reorderLevel }),
  };
  return { ...found, ...kept, extra };
}

/** The current row with the cells that differ between the base and the file. */
function mergeRow<Row extends User | Item>(
  base: Row,
  current: Row,
  found: Row,
  columns: readonly string[],
  clamped: { item: string; wanted: number }[],
): Row {
  const extra = mergeExtra(base.extra, current.extra, found.extra, columns);
  if ('item' in base && 'item' in current && 'item' in found) {
    const merged: Item = {
      item: current.item,
      quantity: mergeQuantity(base, current, found, clamped),
      name: base.name === found.name ? current.name : found.name,
      price: base.price === found.price ? current.price : found.price,
      reorderLevel: base.reorderLevel === found.reorderLevel ? current.reorderLevel : found.reorderLevel,
      extra,
    };
    return merged as Row;
  }
  const status = 'status' in base && 'status' in found && base.status !== found.status ? found : current;
  return { ...status, extra };
}

function mergeQuantity(
  base: Item,
  current: Item,
  found: Item,
  clamped: { item: string; wanted: number }[],
): number {
  const wanted = current.quantity + (found.quantity - base.quantity);
  if (wanted >= 0) return Math.min(wanted, Number.MAX_SAFE_INTEGER);
  clamped.push({ item: current.item, wanted });
  return 0;
}

/** Columns that the file does not have are kept only where they hold something: else a dropped one came back. */
function mergeExtra(base: Extra, current: Extra, found: Extra, columns: readonly string[]): Extra {
  const cells: [string, string][] = [];
  for (const key of new Set([...Object.keys(found), ...Object.keys(current)])) {
    const was = extraCell(base, key);
    const is = extraCell(found, key);
    const cell = is === was ? extraCell(current, key) : is;
    if (cell !== '' || columns.includes(key)) cells.push([key, cell]);
  }
  return Object.fromEntries(cells);
}

/** The order of the file; rows that it does not have stay behind the row that they follow now. */
function newOrder<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  edits: readonly RowEdit<Row>[],
): readonly string[] | null {
  // All of them are new, and come in the order of the file.
  if (current.rows.size === 0) return null;
  const removed = new Set<string>();
  const added: string[] = [];
  for (const { name, before, after } of edits) {
    if (after === null) removed.add(name);
    else if (before === null) added.push(name);
  }
  const appended = [...current.rows.keys()].filter((name) => !removed.has(name)).concat(added);
  const present = new Set(appended);
  const followers = new Map<string | null, string[]>();
  let leader: string | null = null;
  for (const name of current.rows.keys()) {
    if (found.rows.has(name)) leader = name;
    else if (!removed.has(name)) {
      const names = followers.get(leader);
      if (names === undefined) followers.set(leader, [name]);
      else names.push(name);
    }
  }
  const order = [...(followers.get(null) ?? [])];
  for (const name of found.rows.keys()) {
    if (present.has(name)) order.push(name);
    const following = followers.get(name);
    if (following !== undefined) for (const follower of following) order.push(follower);
  }
  return order.every((name, at) => appended[at] === name) ? null : order;
}
