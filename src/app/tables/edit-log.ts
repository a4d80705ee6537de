import type { LoggedEdit } from '../../domain/edit.ts';
import type { StoreReader } from '../../ports/store.ts';
import type { RowEdit, TableName } from './import-plan.ts';

/** A row as an edit changed it. */
export interface EditedRow {
  /** The number of the edit: its place in the log, counted from 1. Rows that were changed together have that of the first. */
  readonly number: number;
  readonly edit: LoggedEdit & RowEdit;
  /** Of an item: how many were sold since the edit before, less what came back of cancelled orders; null: there was none. */
  readonly sold: number | null;
  /** Of an item: how many were delivered since the edit before; null: there was none. */
  readonly delivered: number | null;
}

/** The edits of a table, in their order. */
export async function readEditLog(
  reader: Pick<StoreReader, 'edits' | 'movements' | 'history'>,
  table: TableName,
): Promise<readonly EditedRow[]> {
  const deliveries = table === 'users' ? null : await deliveriesBetween(reader);
  const kind = table === 'users' ? 'user' : 'item';
  const rows: EditedRow[] = [];
  const left = new Map<string, number>();
  let line = 0;
  let group = '';
  let number = 0;
  for await (const chunk of reader.edits()) {
    for (const edit of chunk) {
      line += 1;
      const key = groupOf(edit, line);
      if (key !== group) number = line;
      group = key;
      if (!isRowEdit(edit) || edit.kind !== kind) continue;
      const taken = edit.kind === 'item' ? takenBefore(edit, left) : null;
      const delivered = taken === null ? null : (deliveries?.[rows.length] ?? 0);
      rows.push({ number, edit, sold: taken === null ? null : taken + (delivered ?? 0), delivered });
    }
  }
  return rows;
}

function isRowEdit(edit: LoggedEdit): edit is LoggedEdit & RowEdit {
  return edit.kind === 'user' || edit.kind === 'item';
}

/** Identifies rows that were changed together: a command without a copy changes only one. */
function groupOf({ kind, at, by, via, copy }: LoggedEdit, line: number): string {
  const isOne = (via === 'command' || via === 'http') && copy === undefined;
  return JSON.stringify(isOne ? line : [kind, at, by, via, copy]);
}

/** What left the stock of an item between two edits of it, less what came in. */
function takenBefore(
  { item, before, after }: Extract<RowEdit, { kind: 'item' }>,
  left: Map<string, number>,
): number | null {
  const was = left.get(item);
  left.set(item, after?.quantity ?? 0);
  return was === undefined || before === null ? null : was - before.quantity;
}

/**
 * What was delivered of an item before each edit of one, since the edit of it before, in the order of the edits. null: nothing
 * ever was, and then the history, with all of its orders, is not read.
 */
async function deliveriesBetween(
  reader: Pick<StoreReader, 'movements' | 'history'>,
): Promise<readonly number[] | null> {
  if (!(await hasDeliveries(reader))) return null;
  const before: number[] = [];
  const since = new Map<string, number>();
  for await (const lines of reader.history([])) {
    for (const line of lines) {
      if (line.kind === 'movement' && line.movement.cause === 'restock') {
        const { item, delta } = line.movement;
        since.set(item, (since.get(item) ?? 0) + delta);
      }
      if (line.kind !== 'edit' || line.edit.kind !== 'item') continue;
      before.push(since.get(line.edit.item) ?? 0);
      since.delete(line.edit.item);
    }
  }
  return before;
}

async function hasDeliveries(reader: Pick<StoreReader, 'movements'>): Promise<boolean> {
  for await (const movements of reader.movements())
    if (movements.some(({ cause }) => cause === 'restock')) return true;
  return false;
}
