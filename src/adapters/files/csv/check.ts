import { SET_ASIDE_CAUSES } from '../../../domain/set-aside.ts';
import { difference, type Difference } from '../../../domain/difference.ts';
import type { Failure } from '../../../domain/failure.ts';
import type { Item, User } from '../../../domain/tables.ts';
import { parseTable } from './parse.ts';
import type { Finding } from '../../../ports/health.ts';
import { findHandEdit, type FileFacts } from '../edits/hand-edit-look.ts';
import type { TableKind, Row } from '../tables/columns.ts';
import { overlaid } from '../edits/known-version.ts';
import type { LogView } from '../logs/log.ts';
import { differingNames, sameRow } from '../edits/merge-rows.ts';
import type { Table } from '../tables/table.ts';

export interface CsvSources<R extends Row> {
  readonly kind: TableKind<R>;
  readonly table: Table<R>;
  readonly bytes: Buffer | undefined;
  readonly facts: FileFacts;
  readonly versions: LogView;
  /** The folder has an owner, or may have one: the file may lag behind the table. */
  readonly isOwned: boolean | Failure;
  /** An owner was killed: the next one writes what it had not written yet. */
  readonly isUnfinished: boolean;
}

/** Compares a CSV with its table. The CSV is a view, and the user may edit it. */
export function* checkCsv<R extends User | Item>(sources: CsvSources<R>): Generator<Finding> {
  const { kind, table, bytes, facts, versions, isOwned, isUnfinished } = sources;
  const where = kind.file;
  const found = findHandEdit(bytes, where, kind, table, versions, facts);
  switch (found.kind) {
    case 'missing':
      if (table.newest === null && table.rows.size === 0) return;
      if (isOwned !== false || isUnfinished) yield behind(sources, `it does not exist at the moment`);
      else {
        const message = `${where} is missing`;
        yield { difference: difference('csv_missing', where, { message, fix: null }) };
      }
      return;
    case 'broken': {
      const { message, fix, context } = found.failure;
      const place = `${where}:${context.line ?? 1}`;
      yield { difference: difference('csv_broken', place, { message, fix: fix ?? 'correct the file' }) };
      return;
    }
    case 'edited': {
      const { edit } = found;
      const what =
        edit.kind === 'merged'
          ? changedByHand(edit.edits.length)
          : `${SET_ASIDE_CAUSES[edit.why]}: it will be set aside, and none of its changes count`;
      yield { note: { kind: 'hand_edit', where, message: `${where}: ${what}` } };
      return;
    }
    case 'known':
      if (found.newest) {
        const wrong = [...wrongRows(sources, bytes ?? Buffer.alloc(0))];
        yield* wrong.map((difference) => ({ difference }));
        if (wrong.length > 0 || !table.isBehind) return;
      }
      if (isOwned !== false || isUnfinished) {
        const state = found.newest ? rowsBehind(table.undo().size) : 'it is an older version';
        yield behind(sources, state);
      } else {
        const rows = bytes === undefined ? 0 : rowsThatDiffer(sources, bytes);
        const message = `${where} is an older version of the file: ${rowsBehind(rows)}; this changes nothing, and the next edit or consumer rewrites the file`;
        yield { difference: difference('csv_behind', where, { message, fix: null }) };
      }
  }
}

function changedByHand(rows: number): string {
  const [were, they] = rows === 1 ? ['row was', 'it counts'] : ['rows were', 'they count'];
  return `${rows} ${were} changed by hand: ${they} from the next commit on`;
}

function rowsBehind(count: number): string {
  return `${count} ${count === 1 ? 'row is' : 'rows are'} behind`;
}

/** @returns the number of rows that differ between the file and the table */
function rowsThatDiffer<R extends User | Item>({ kind, table }: CsvSources<R>, bytes: Buffer): number {
  return differingNames(parseTable(kind, bytes, kind.file).rows, table.rows).size;
}

function behind<R extends Row>({ kind, isOwned }: CsvSources<R>, state: string): Finding {
  const why =
    isOwned === false
      ? 'an owner was killed before it could write it; the next owner writes it'
      : `${isOwned === true ? 'its owner' : 'an owner, if there is one,'} writes it within a second, or within twenty times the duration of its last rewrite if that is longer`;
  return { note: { kind: 'csv_behind', where: kind.file, message: `${kind.file}: ${state}; ${why}` } };
}

/** Finds where the newest version differs from the table as it was when that version was written. */
function* wrongRows<R extends User | Item>(
  { kind, table }: CsvSources<R>,
  bytes: Buffer,
): Generator<Difference> {
  const { rows } = parseTable(kind, bytes, kind.file);
  const undo = table.undo();
  const written = overlaid(table.rows, undo);
  let lines: ReadonlyMap<string, number> | undefined;
  for (const name of new Set([...rows.keys(), ...table.rows.keys(), ...undo.keys()])) {
    const [expected, actual] = [written(name), rows.get(name) ?? null];
    if (sameRow(expected, actual)) continue;
    lines ??= linesOfRows(bytes);
    const where = `${kind.file}:${lines.get(name) ?? 1}`;
    const message = `${where}: ${name} is ${inShort(actual)}, but should be ${inShort(expected)}`;
    yield difference('csv_mismatch', where, {
      item: kind.table === 'inventory' ? name : null,
      expected: value(expected),
      actual: value(actual),
      message,
      fix: null,
    });
  }
}

function value(row: User | Item | null): string | number | null {
  if (row === null) return null;
  return 'item' in row ? row.quantity : row.status;
}

function inShort(row: User | Item | null): string {
  return row === null ? 'absent' : JSON.stringify(row);
}

/** By the text of a cell: the number of the first line that has it, counted from 1. */
export function linesOfRows(bytes: Buffer): ReadonlyMap<string, number> {
  const lines = new Map<string, number>();
  let line = 1;
  for (let at = 0; at < bytes.byteLength; line++) {
    const end = bytes.indexOf(10, at);
    const text = bytes.toString('utf8', at, end === -1 ? bytes.byteLength : end);
    for (const cell of text.split(',')) {
      const name = cell.trim().replaceAll('"', '');
      if (!lines.has(name)) lines.set(name, line);
    }
    if (end === -1) break;
    at = end + 1;
  }
  return lines;
}
