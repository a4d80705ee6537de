import type { LoggedEdit } from '../../domain/edit.ts';
import type { StoreReader } from '../../ports/store.ts';
import type { RowEdit, TableName } from './import-plan.ts';

/** A row as an edit changed it. */
export interface EditedRow {
  /** The number of the edit: its place in the log, counted from 1. Rows that were changed together have that of the first. */
  readonly number: number;
  readonly edit: LoggedEdit & RowEdit;
  /** Of an item: how many were sold since the edit before; null: there was none. */
  readonly sold: number | null;
}

/** The edits of a table, in their order. */
export async function readEditLog(
  reader: Pick<StoreReader, 'edits'>,
  table: TableName,
): Promise<readonly EditedRow[]> {
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
      rows.push({ number, edit, sold: edit.kind === 'item' ? soldBefore(edit, left) : null });
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

/** Between two edits of an item only sales change its stock. */
function soldBefore(
  { item, before, after }: Extract<RowEdit, { kind: 'item' }>,
  left: Map<string, number>,
): number | null {
  const was = left.get(item);
  left.set(item, after?.quantity ?? 0);
  return was === undefined || before === null ? null : was - before.quantity;
}
