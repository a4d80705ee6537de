import type { EditOrigin } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import { detailsOf, ITEM_DETAILS, leastStock } from '../../domain/tables.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreReader } from '../../ports/store.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { TableMerge } from '../../ports/table-copy.ts';
import { readEditLog, type EditedRow } from './edit-log.ts';
import { mergeComputed } from './merge-computed.ts';
import { editsBetween, nameOf, type Row, type RowEdit, type TableName } from './import-plan.ts';

export interface UndoOptions {
  readonly table: TableName;
  /** The number of the edit; null: the last one of the table. */
  readonly number: number | null;
  /** Only this user or item of the edit. */
  readonly name: string | null;
  readonly why: EditOrigin['why'];
  readonly onNotice: (notice: StoreNotice) => void;
}

export interface Undone {
  /** The number of the edit that was undone. */
  readonly undoes: number;
  /** The edit that is in force again, when an undo was undone. */
  readonly puttingBack: number | null;
  readonly merge: TableMerge;
}

/**
 * Undoes an edit by another edit. Quantities change by the difference, so that sales since are kept; other columns get
 * their earlier value back, if they still have the later one.
 *
 * @throws Failure not_found, changed_since (the row was changed again, or the edit was undone before), invalid_value
 *   (stock would be below zero); as StoreAccess.edit
 */
export async function undoEdit(access: StoreAccess, options: UndoOptions): Promise<Undone> {
  const { table, why, onNotice } = options;
  let { number } = options;
  const { merge, result } = await mergeComputed(access, {
    table,
    create: false,
    onNotice,
    async compute(copy) {
      // Read after the copy was made: an edit that this log lacks was made later.
      const rows = await readEdited(access, { ...options, number });
      const undoes = rows[0]?.number ?? 0;
      // In another attempt, the last edit may be a different one.
      number = undoes;
      const current = copy.read();
      await copy.write({ ...current, rows: undone(current.rows, rows) });
      const puttingBack = rows[0]?.edit.undoes ?? null;
      return { origin: { via: 'undo', undoes, why }, result: { undoes, puttingBack } };
    },
  });
  return { ...result, merge };
}

async function readEdited(access: StoreAccess, options: UndoOptions): Promise<EditedRow[]> {
  await using reader = await access.read();
  return await editedRows(reader, options);
}

/** Returns what an undo would do. Changes nothing. @throws Failure as undoEdit */
export async function previewUndo(
  access: StoreAccess,
  options: Pick<UndoOptions, 'table' | 'number' | 'name'>,
): Promise<{ readonly undoes: number; readonly edits: readonly RowEdit[] }> {
  await using reader = await access.read();
  const rows = await editedRows(reader, options);
  const { table } = options;
  const current = [...(table === 'users' ? await reader.users() : await reader.items())];
  return { undoes: rows[0]?.number ?? 0, edits: editsBetween(table, current, undone(current, rows)) };
}

/** Finds the edit to undo. */
async function editedRows(
  reader: StoreReader,
  { table, number, name }: Pick<UndoOptions, 'table' | 'number' | 'name'>,
): Promise<EditedRow[]> {
  const log = await readEditLog(reader, table);
  const isMeant = ({ edit }: EditedRow): boolean =>
    (name === null || nameIn(edit) === name) && !isOfNothing(edit);
  const wanted = number ?? log.findLast(isMeant)?.number;
  const rows = log.filter(
    ({ number: found, edit }) => found === wanted && (name === null || nameIn(edit) === name),
  );
  if (rows.length === 0) {
    const of = name ?? table;
    const what = number === null ? `there is no edit of ${of}` : `edit ${number} is not an edit of ${of}`;
    throw new Failure('not_found', what, { fix: { kind: 'show_edits', table } });
  }
  for (const { edit } of rows) {
    const by = log.find((later) => later.edit.undoes === wanted && nameIn(later.edit) === nameIn(edit));
    if (by === undefined) continue;
    throw new Failure(
      'changed_since',
      `edit ${wanted ?? ''} of ${nameIn(edit)} was undone by edit ${by.number}`,
      {
        fix: { kind: 'undo_edit', table, number: by.number },
      },
    );
  }
  return rows;
}

/** Whether an edit changes nothing. */
function isOfNothing({ before, after }: RowEdit): boolean {
  return (
    before !== null && after !== null && stockOf(before) === stockOf(after) && isSameBeside(before, after)
  );
}

function nameIn(edit: RowEdit): string {
  return edit.kind === 'user' ? edit.user : edit.item;
}

/** The rows without the edit. If it changed a row more than once, its last change is undone first. */
export function undone(current: readonly Row[], edited: readonly EditedRow[]): Row[] {
  const rows = new Map(current.map((row) => [nameOf(row), row]));
  for (const { number, edit } of [...edited].reverse()) {
    const name = nameIn(edit);
    const now = rows.get(name) ?? null;
    const row = reverted(edit, now, (what, code = 'changed_since') => {
      throw new Failure(code, `edit ${number} cannot be undone: ${name} ${what}`, {
        fix: { kind: 'show_edits', table: edit.kind === 'user' ? 'users' : 'inventory' },
      });
    });
    if (row === null) rows.delete(name);
    else rows.set(name, row);
  }
  return [...rows.values()];
}

type Refuse = (what: string, code?: 'changed_since' | 'invalid_value') => never;

function reverted({ before, after }: RowEdit, now: Row | null, refuse: Refuse): Row | null {
  if (after === null) return now === null ? before : refuse('was added again since');
  if (now === null) return refuse('was removed since');
  if (before !== null) return withoutChange(before, after, now, refuse);
  const left = stockOf(now) - stockOf(after);
  if (left < 0)
    return refuse(`has ${stockOf(now)} on hand, but ${stockOf(after)} were added`, 'invalid_value');
  return left > 0 || !isSameBeside(after, now) ? refuse('was changed since') : null;
}

function stockOf(row: Row): number {
  return 'item' in row ? row.quantity : 0;
}

function withoutChange(before: Row, after: Row, now: Row, refuse: Refuse): Row {
  const cells = { ...cellsOf(now) };
  const [was, became] = [cellsOf(before), cellsOf(after)];
  for (const key of new Set([...Object.keys(was), ...Object.keys(became)])) {
    if (was[key] === became[key]) continue;
    if (cells[key] !== became[key]) refuse(`had its ${LABELS.get(key) ?? key} changed again since`);
    cells[key] = was[key] ?? null;
  }
  const row = rowOf(now, cells);
  if (!('item' in row)) return row;
  const quantity = row.quantity + stockOf(before) - stockOf(after);
  if (quantity < leastStock(row.quantity))
    refuse(`has ${row.quantity} on hand: undoing would leave ${quantity}`, 'invalid_value');
  return { ...row, quantity };
}

function isSameBeside(one: Row, other: Row): boolean {
  const text = (row: Row): string =>
    JSON.stringify(
      Object.entries(cellsOf(row))
        .filter(([, cell]) => cell !== null)
        .sort(),
    );
  return text(one) === text(other);
}

const LABELS = new Map<string, string>(ITEM_DETAILS.map(({ field, label }) => [field, label]));

type Cells = Record<string, string | number | null>;

/** All columns except the quantity; columns unknown to orderctl as `=` and their name. An empty cell is absent. */
function cellsOf(row: Row): Cells {
  const extra = Object.entries(row.extra).map(
    ([name, cell]) => [`=${name}`, cell === '' ? null : cell] as const,
  );
  const own: Cells = 'item' in row ? { ...detailsOf(row) } : { status: row.status };
  return { ...Object.fromEntries(extra), ...own };
}

function rowOf(row: Row, cells: Cells): Row {
  const own = Object.entries(cells).filter(([key]) => !key.startsWith('='));
  const extra = Object.entries(cells).filter(([key]) => key.startsWith('='));
  return {
    ...row,
    ...Object.fromEntries(own),
    extra: Object.fromEntries(extra.map(([key, cell]) => [key.slice(1), String(cell ?? '')])),
  };
}
