import fs from 'node:fs';
import path from 'node:path';
import type { Edit } from '../../../domain/edit.ts';
import { checkNotEdited } from '../../../domain/edits/edited-since.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Item, User } from '../../../domain/tables.ts';
import type { CopiedTable, TableMerge } from '../../../ports/table-copy.ts';
import { adoptByName, makeOwnDirectory } from '../access.ts';
import { writeFresh, readWhole } from '../whole-files.ts';
import {
  INVENTORY,
  USERS,
  type CsvTable,
  type Row,
  type TableKind,
  type TableName,
} from '../tables/columns.ts';
import { editRenderer, parseEdit, type EditStamp } from '../logs/edit-line.ts';
import { linesOf, type LogView } from '../logs/log.ts';
import { errorCode, writeFailure, type FileSystem } from '../fs.ts';
import { parseTable } from '../csv/parse.ts';
import { renderTable } from '../csv/render.ts';
import { editLines } from './hand-edit-look.ts';
import { mergeFrom } from './hand-edits.ts';
import { differingNames } from './merge-rows.ts';
import { smallLinesOf } from '../journal/change-encoder.ts';
import type { EditHook } from './take-in.ts';
import type { Commit } from '../journal/commit.ts';
import { innerFolder } from '../layout.ts';
import type { Table } from '../tables/table.ts';
import { textBytes } from '../logs/text-bytes.ts';

/*
 * A copy of a table for an editor: a directory in `.orderctl/` with the file to edit and the base that it was made
 * from. It is in the folder so that the owner can read it wherever the command runs, and so that a copy with a mistake
 * in it can be opened again. Merging it needs no base rule, because the base is known.
 */

const DIRECTORY = /^edit-[A-Za-z0-9]{6}$/;
const BASE_FILE = 'base.csv';
/** The size of the log of edits when the copy was made: an edit of the copy is logged after that. */
const EDITS_FILE = 'edits-before';
/** Limits the edits in an answer: a line on the socket of the folder may be at most 1 MiB long. */
const SHOWN_BYTES = 512 * 1024;

export interface CopyPaths {
  /** Its name, by which the owner of the folder finds it. */
  readonly name: string;
  readonly directory: string;
  readonly file: string;
  readonly base: string;
}

/** @throws Failure not_found when it is not a copy of this table in this folder */
export function copyPaths(folder: string, table: TableName, name: string): CopyPaths {
  const directory = path.join(innerFolder(folder), name);
  const [file, base] = [path.join(directory, `${table}.csv`), path.join(directory, BASE_FILE)];
  if (DIRECTORY.test(name) && fs.existsSync(base) && fs.existsSync(file))
    return { name, directory, file, base };
  throw new Failure('not_found', `${file} is not a copy of ${table}.csv made for editing`, {
    fix: 'pass the path from the message that said where the copy was kept',
    context: { file },
  });
}

/** @param now the current table, and the size of the log of edits at that moment */
export async function makeCopy(
  files: FileSystem,
  folder: string,
  table: TableName,
  now: { readonly chunks: readonly Buffer[]; readonly editsBytes: number },
): Promise<CopyPaths> {
  const inner = innerFolder(folder);
  const { chunks, editsBytes } = now;
  let directory: string;
  try {
    makeOwnDirectory(inner);
    directory = fs.mkdtempSync(path.join(inner, 'edit-'));
    adoptByName(directory);
    await writeFresh(files, path.join(directory, EDITS_FILE), [Buffer.from(String(editsBytes))]);
    await writeFresh(files, path.join(directory, BASE_FILE), chunks);
    await writeFresh(files, path.join(directory, `${table}.csv`), chunks);
  } catch (error) {
    if (error instanceof Failure || errorCode(error) === undefined) throw error;
    throw writeFailure(error, inner);
  }
  return copyPaths(folder, table, path.basename(directory));
}

/** The copy of a table that does not exist yet. */
export function emptyCsv(table: TableName): Buffer {
  const { key, value } = table === 'users' ? USERS : INVENTORY;
  return Buffer.from(`${key},${value.name}\n`);
}

export async function writeCopy(
  files: FileSystem,
  table: TableName,
  { file }: CopyPaths,
  { columns, rows }: CopiedTable,
): Promise<void> {
  const kind = (table === 'users' ? USERS : INVENTORY) as TableKind<Row>;
  await writeFresh(files, file, renderTable({ kind, columns, rows: { values: () => rows } }));
}

export function removeCopy(folder: string, { directory }: CopyPaths): void {
  fs.rmSync(directory, { recursive: true, force: true });
  try {
    // Unless something else was made in it, the folder is then as it was before.
    fs.rmdirSync(innerFolder(folder));
  } catch {
    // It is in use.
  }
}

/**
 * Checks the edits that were made since the copy was made.
 *
 * @throws Failure already_exists: the copy was applied before; changed_since: see MergeOptions
 */
export function checkSince<R extends User | Item>(
  files: FileSystem,
  kind: TableKind<R>,
  of: {
    readonly paths: CopyPaths;
    readonly copy: EditedCopy<R>;
    readonly unlessEdited: boolean | undefined;
  },
  edits: LogView,
): void {
  const { paths, copy, unlessEdited } = of;
  const before = Number(readWhole(files, path.join(paths.directory, EDITS_FILE))?.toString() ?? 0);
  // A copy made by an earlier version has no such file, and a log restored from a backup has other lines.
  const from = startsLine(edits, before) ? before : 0;
  checkNotTakenIn(paths, edits, from);
  if (unlessEdited === true) checkUnedited(kind, copy, edits, from);
}

/**
 * Makes sure that the log has no edit of the copy: an owner may have been killed after applying it, before it could
 * answer.
 *
 * @param from where the log of edits ended when the copy was made
 * @throws Failure already_exists
 */
function checkNotTakenIn({ name, file }: CopyPaths, edits: LogView, from: number): void {
  for (const chunk of edits.chunks(from)) {
    if (!chunk.includes(name)) continue;
    for (const { line } of linesOf(chunk)) {
      if (!line.includes(name) || parseEdit(line).copy !== name) continue;
      throw new Failure(
        'already_exists',
        `${file} was already applied: applied again, it would count twice`,
        {
          fix: 'check the current table, and start a new edit if anything is left to change',
          context: { file },
        },
      );
    }
  }
}

function checkUnedited<R extends User | Item>(
  { table }: TableKind<R>,
  { base, found }: EditedCopy<R>,
  edits: LogView,
  from: number,
): void {
  const changed = differingNames(base.rows, found.rows);
  for (const chunk of edits.chunks(from)) {
    const since = Array.from(linesOf(chunk), ({ line }) => parseEdit(line));
    checkNotEdited(table === 'users' ? 'user' : 'item', changed, since);
  }
}

function startsLine(log: LogView, position: number): boolean {
  const before = Buffer.alloc(1);
  return position > 0 && log.read(before, position - 1) === 1 && before[0] === 10;
}

export interface EditedCopy<R extends Row> {
  readonly base: CsvTable<R>;
  readonly found: CsvTable<R>;
}

/**
 * @param isTyped a user has written it: stock below zero is a mistake unless it was below zero before
 * @throws Failure corrupt_file for a mistake in the copy; not_found
 */
export function readCopy<R extends Row>(
  files: FileSystem,
  kind: TableKind<R>,
  { file, base: before }: CopyPaths,
  isTyped = false,
): EditedCopy<R> {
  const read = (name: string, isOversold?: (name: string) => boolean): CsvTable<R> => {
    const bytes = readWhole(files, name);
    if (bytes !== undefined) return parseTable(kind, bytes, name, isOversold);
    const fix = 'start again: the edits are lost';
    throw new Failure('not_found', `${name} no longer exists`, { fix, context: { file: name } });
  };
  const base = read(before);
  const isOversold = (name: string): boolean => {
    const row = base.rows.get(name);
    return row !== undefined && kind.valueOf(row) < 0;
  };
  return { base, found: read(file, isTyped ? isOversold : undefined) };
}

/** What applying an edited copy changes. `commit` is null when nothing changes. */
export function mergeCopy<R extends User | Item>(
  kind: TableKind<R>,
  table: Table<R>,
  { base, found }: EditedCopy<R>,
  stamp: EditStamp,
  onEdits: EditHook,
): { commit: Commit | null; merge: TableMerge } {
  const hasSameColumns = isSame(base.columns, found.columns);
  const merged = {
    ...mergeFrom(found, table, (name) => base.rows.get(name) ?? null),
    // As with cells: a column that was added meanwhile stays.
    columns: hasSameColumns ? table.columns : found.columns,
  };
  const edits = Array.from(merged.edits, ({ name, before, after }) => kind.edit(name, before, after));
  const sameOrder = hasSameColumns && isSame([...base.rows.keys()], [...found.rows.keys()]);
  const merge: TableMerge = {
    added: edits.filter(({ before }) => before === null).length,
    changed: edits.filter(({ before, after }) => before !== null && after !== null).length,
    removed: edits.filter(({ after }) => after === null).length,
    edits: [...firstOf(edits)],
    isRearranged: !sameOrder && edits.every(({ before, after }) => before !== null && after !== null),
    clamped: merged.clamped,
  };
  if (edits.length === 0 && sameOrder) return { commit: null, merge };
  const logged = edits.length === 0 ? {} : { edits: textBytes(edits.map(editRenderer(stamp))) };
  const events = onEdits?.(edits) ?? {};
  const lines = [...editLines(kind, merged), ...smallLinesOf(events)];
  return { commit: { seq: stamp.seq, lines, outgoing: events.outgoing ?? [], logs: logged }, merge };
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, at) => name === b[at]);
}

function* firstOf(edits: readonly Edit[]): Generator<Edit> {
  let sizeBytes = 0;
  for (const edit of edits) {
    sizeBytes += Buffer.byteLength(JSON.stringify(edit));
    if (sizeBytes > SHOWN_BYTES) return;
    yield edit;
  }
}

/** Whether a copy is the same as when it was made. */
export function isUntouched(files: FileSystem, { file, base }: CopyPaths): boolean {
  const [now, was] = [readWhole(files, file), readWhole(files, base)];
  return now !== undefined && was !== undefined && now.equals(was);
}
