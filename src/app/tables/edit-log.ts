import type { LoggedEdit } from '../../domain/edit.ts';
import type { StoreReader } from '../../ports/store.ts';
import type { RowEdit, TableName } from './import-plan.ts';

/** A row of a table before and after an edit. */
export interface EditedRow {
  /**
   * The number of the edit: its line in the log, from 1. Rows that were changed together have the number of the first.
   */
  readonly number: number;
  readonly edit: LoggedEdit & RowEdit;
  /**
   * For an item: units sold since its previous edit, less those returned by cancellations; null: there was no such
   * edit.
   */
  readonly sold: number | null;
  /** For an item: units delivered since its previous edit; null: there was no such edit. */
  readonly delivered: number | null;
}

/** The edits of a table, in order. */
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

/** Identifies rows that were changed together. A command changes only one row, unless it merges a copy of the table. */
function groupOf({ kind, at, by, via, copy }: LoggedEdit, line: number): string {
  const isOne = (via === 'command' || via === 'http') && copy === undefined;
  return JSON.stringify(isOne ? line : [kind, at, by, via, copy]);
}

/** The units that left the stock of an item between two of its edits, less those that were added. */
function takenBefore(
  { item, before, after }: Extract<RowEdit, { kind: 'item' }>,
  left: Map<string, number>,
): number | null {
  const was = left.get(item);
  left.set(item, after?.quantity ?? 0);
  return was === undefined || before === null ? null : was - before.quantity;
}

/**
 * For each edit of an item, in order, the units delivered since its previous edit. null: there were no deliveries at
 * all; history, with all of its orders, is then not read.
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
