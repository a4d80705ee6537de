import type { SetAside } from '../../../domain/set-aside.ts';
import type { Item, User } from '../../../domain/tables.ts';
import type { RowChange } from '../../../ports/notices.ts';
import { chooseBase, type FileClues } from './base-rule.ts';
import type { KnownVersion } from './known-version.ts';
import type { CsvTable } from '../tables/columns.ts';
import { mergedRow, sameRow, type Clamped } from './merge-rows.ts';

/*
 * A user saves a CSV from an editor that loaded it some time ago, while sales, commands and other edits continued. As
 * in any three-way merge, the edit is the difference between the file and the version that it was made from.
 */

export interface RowEdit<Row> {
  readonly name: string;
  readonly before: Row | null;
  readonly after: Row | null;
}

/** There may be one for each row of the file, so they are generated as they are read where possible. */
type RowEdits<Row> = Pick<readonly RowEdit<Row>[], 'length' | typeof Symbol.iterator>;

export type HandEdit<Row> =
  | { readonly kind: 'set_aside'; readonly why: SetAside }
  | {
      readonly kind: 'merged';
      readonly edits: RowEdits<Row>;
      readonly clamped: readonly Clamped[];
      /** The shortfalls after this edit, as in HandSave. */
      readonly owed: ReadonlyMap<string, number>;
      readonly columns: readonly string[];
      /**
       * Names in their new order; null when that is the current order, with new rows at the end in the order of
       * `edits`.
       */
      readonly order: readonly string[] | null;
      /** The index in `versions` of the version that it was made from; null: none is known. */
      readonly base: number | null;
    };

/** More names would not fit on a line. */
const MOST_NAMED = 3;

/** How many rows a hand edit changed, and which of them a message names, removed rows first. */
export class NamedChanges {
  rows = 0;
  readonly #removed: RowChange[] = [];
  readonly #others: RowChange[] = [];

  /** Passes the edits through and counts them. */
  *of<Row>(edits: Iterable<RowEdit<Row>>): Generator<RowEdit<Row>> {
    for (const edit of edits) {
      const { name, before, after } = edit;
      this.rows += 1;
      const list = after === null ? this.#removed : this.#others;
      if (list.length < MOST_NAMED)
        list.push({ name, change: after === null ? 'removed' : before === null ? 'added' : 'changed' });
      yield edit;
    }
  }

  get first(): readonly RowChange[] {
    return [...this.#removed, ...this.#others].slice(0, MOST_NAMED);
  }
}

/**
 * Merges a user's edit into the current table, in time linear in rows and undo entries of `versions`.
 *
 * @param versions newest first; empty when no version is known: then all rows of the file are additions
 */
export function mergeHandEdit<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  versions: readonly KnownVersion<Row>[],
  clues: FileClues,
): HandEdit<Row> {
  if (versions.length === 0 && current.rows.size === 0) return allNew(found);
  const choice = chooseBase(found, current, versions, clues);
  if (choice.kind === 'set_aside') return choice;
  const index = choice.index === -1 ? null : choice.index;
  return mergeFrom(found, current, choice.row, index, versions[choice.index]?.hand?.owed);
}

/**
 * @param base rows of the version that the file was made from; null: no such row
 * @param index its index in the versions, if it is one of them
 * @param owed its shortfalls, if it is a hand save
 */
export function mergeFrom<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  base: (name: string) => Row | null,
  index: number | null = null,
  owed: ReadonlyMap<string, number> = NOTHING_OWED,
): Extract<HandEdit<Row>, { kind: 'merged' }> {
  const edits: RowEdit<Row>[] = [];
  const clamped: Clamped[] = [];
  const owes = new Map<string, number>();
  const { columns } = found;
  const edit = (name: string, before: Row | null, row: Row | null): void => {
    const [was, debt] = [base(name), owed.get(name) ?? 0];
    const after = mergedRow(was, before, row, columns, clamped, debt);
    const left = stillOwed({ was, before, row, debt });
    if (left !== 0) owes.set(name, left);
    if (!sameRow(before, after)) edits.push({ name, before, after });
  };
  for (const [name, row] of found.rows) edit(name, current.rows.get(name) ?? null, row);
  for (const [name, before] of current.rows) if (!found.rows.has(name)) edit(name, before, null);
  // A row in neither was removed by the save that this one was made from, and can still be put back.
  for (const [name, debt] of owed) if (!found.rows.has(name) && !current.rows.has(name)) owes.set(name, debt);
  for (const { item, wanted, left } of clamped) owes.set(item, left - wanted);
  return {
    kind: 'merged',
    edits,
    clamped,
    owed: owes,
    columns,
    order: newOrder(found, current, edits),
    base: index,
  };
}

const NOTHING_OWED: ReadonlyMap<string, number> = new Map();

/** The shortfall of a row after a merge that was not clamped. */
function stillOwed({
  was,
  before,
  row,
  debt,
}: {
  readonly was: User | Item | null;
  readonly before: User | Item | null;
  readonly row: User | Item | null;
  readonly debt: number;
}): number {
  if (row === null) {
    if (was === null || before === null || !('item' in was) || !('item' in before)) return 0;
    return was.quantity - before.quantity + debt;
  }
  return was !== null && sameRow(was, row) ? debt : 0;
}

/** The first file ever. */
function allNew<Row extends User | Item>({ rows, columns }: CsvTable<Row>): HandEdit<Row> {
  const edits = {
    length: rows.size,
    *[Symbol.iterator](): ArrayIterator<RowEdit<Row>> {
      for (const [name, after] of rows) yield { name, before: null, after };
    },
  };
  return { kind: 'merged', edits, clamped: [], owed: NOTHING_OWED, columns, order: null, base: null };
}

/** The order of the file; rows that it lacks stay behind the row that they follow now. */
function newOrder<Row extends User | Item>(
  found: CsvTable<Row>,
  current: CsvTable<Row>,
  edits: readonly RowEdit<Row>[],
): readonly string[] | null {
  // All rows are new, and are added in the order of the file.
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
