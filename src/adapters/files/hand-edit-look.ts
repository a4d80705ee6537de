import { Failure, isFailure } from '../../domain/failure.ts';
import type { Item, User } from '../../domain/tables.ts';
import { parseItems, parseUsers, type CsvTable } from './csv-view.ts';
import { openOrUndefined, type LogView } from './log.ts';
import type { FileStat, FileSystem } from './fs.ts';
import { mergeHandEdit, overlaid, sameRow, type HandEdit } from './hand-edits.ts';
import type { Row } from './rows.ts';
import type { Table } from './table.ts';
import { rowLines, type NamedRow, type StateLine, type TableName } from './tables.ts';
import {
  fingerprintFile,
  readVersions,
  sameFingerprint,
  type FileFingerprint,
  type Version,
} from './versions.ts';

/*
 * What a person did to a CSV since we knew it. Owners take it in, readers only look as if it had been taken in.
 */

/** How long a file must be left alone before it counts: an editor truncates it first and then writes. */
const SETTLED_MS = 100;
/** The same when it does not end in a line feed, which is how a file looks that is half written. */
const SETTLED_UNFINISHED_MS = 1_000;

/** How the rows of one kind are handled. */
export interface TableKind<R extends Row> {
  readonly table: TableName;
  readonly file: string;
  parse(bytes: Buffer, file: string): CsvTable<R>;
  readonly edit: (name: string, before: R | null, after: R | null) => RowEdit;
}

type RowEdit =
  | { kind: 'user'; user: string; before: User | null; after: User | null }
  | { kind: 'item'; item: string; before: Item | null; after: Item | null };

export const USERS: TableKind<User> = {
  table: 'users',
  file: 'users.csv',
  parse: parseUsers,
  edit: (user, before, after) => ({ kind: 'user', user, before, after }),
};

export const INVENTORY: TableKind<Item> = {
  table: 'inventory',
  file: 'inventory.csv',
  parse: parseItems,
  edit: (item, before, after) => ({ kind: 'item', item, before, after }),
};

export function sameStat(a: FileStat | undefined, b: FileStat | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.modifiedNs === b.modifiedNs;
}

/** For how long still the file may be in the middle of being written; 0 when it may be read. */
export function unsettledMs(files: FileSystem, name: string, stat: FileStat): number {
  const ageMs = files.nowMs() - Number(stat.modifiedNs / 1_000_000n);
  // A time to come is a clock that was set, not a file that is being written.
  if (ageMs < 0 || ageMs >= SETTLED_UNFINISHED_MS) return 0;
  if (ageMs < SETTLED_MS) return SETTLED_MS - ageMs;
  return endsLine(files, name, stat.sizeBytes) ? 0 : SETTLED_UNFINISHED_MS - ageMs;
}

function endsLine(files: FileSystem, name: string, sizeBytes: number): boolean {
  let fd: number | undefined;
  try {
    fd = openOrUndefined(files, name);
  } catch (error) {
    // Whoever reads it next says so.
    if (isFailure(error, 'read_failed')) return true;
    throw error;
  }
  if (fd === undefined) return false;
  try {
    const last = Buffer.alloc(1);
    return sizeBytes > 0 && files.read(fd, last, sizeBytes - 1) === 1 && (last[0] === 10 || last[0] === 13);
  } finally {
    files.close(fd);
  }
}

export type Found<R extends Row> =
  | { readonly kind: 'missing' }
  /** A version that we wrote or took in; `newest`: no other came after it. */
  | { readonly kind: 'known'; readonly newest: boolean }
  | { readonly kind: 'broken'; readonly failure: Failure }
  | {
      readonly kind: 'edited';
      readonly fingerprint: FileFingerprint;
      readonly rows: CsvTable<R>;
      readonly edit: HandEdit<R>;
    };

/**
 * Compares a CSV with what is known of it.
 *
 * @param bytes its content; undefined when it is not there
 * @param name for messages
 * @param versions the log of the known versions; read only when the file is not the newest of them
 */
export function findHandEdit<R extends Row>(
  bytes: Buffer | undefined,
  name: string,
  kind: TableKind<R>,
  table: Table<R>,
  versions: LogView,
): Found<R> {
  if (bytes === undefined) return { kind: 'missing' };
  const fingerprint = fingerprintFile(bytes);
  if (sameFingerprint(table.newest, fingerprint)) return { kind: 'known', newest: true };
  // By the table: of what was in a version nothing is left when its line, or the one after it, was too long to be kept.
  if (table.older.some((older) => sameFingerprint(older, fingerprint)))
    return { kind: 'known', newest: false };
  const known = table.newest === null ? [] : readVersions<R>(versions);
  if (known.some((version) => sameFingerprint(version.fingerprint, fingerprint))) {
    return { kind: 'known', newest: false };
  }
  let rows: CsvTable<R>;
  try {
    rows = kind.parse(bytes, name);
  } catch (error) {
    if (error instanceof Failure) return { kind: 'broken', failure: error };
    throw error;
  }
  // The oldest version leads to one that we do not know; without any, the table has no file to differ from. The newest
  // is known by the table, even if its line is longer than what is read of the log.
  const history =
    table.newest === null ? [] : [table.undo(), ...known.slice(0, -1).map((version) => version.undo)];
  return { kind: 'edited', fingerprint, rows, edit: mergeHandEdit(rows, table, history) };
}

/** What a merged hand edit makes of rows, columns and their order. */
export function* editLines<R extends Row>(
  kind: TableKind<R>,
  edit: Extract<HandEdit<R>, { kind: 'merged' }>,
): Generator<StateLine> {
  const rows = function* (): Generator<NamedRow> {
    for (const { name, after } of edit.edits) yield [name, after];
  };
  yield* rowLines('rows', kind.table, rows());
  yield ['columns', kind.table, edit.columns];
  if (edit.order !== null) yield ['order', kind.table, edit.order];
}

/** What taking in a merged hand edit changes: afterwards the found file is the newest known version. */
export function takeInLines<R extends Row>(
  kind: TableKind<R>,
  table: Table<R>,
  found: { readonly fingerprint: FileFingerprint; readonly rows: CsvTable<R> },
  edit: Extract<HandEdit<R>, { kind: 'merged' }>,
): { lines: Iterable<StateLine>; version: Version<R> } {
  const { fingerprint } = found;
  const linesWith = (undo: readonly StateLine[]): Iterable<StateLine> => ({
    *[Symbol.iterator]() {
      yield* editLines(kind, edit);
      yield ['version', kind.table, fingerprint];
      yield* undo;
    },
  });
  // The first of all: it is what the table now holds, and there is none before it.
  if (table.newest === null && table.rows.size === 0) {
    return { lines: linesWith([]), version: { fingerprint, undo: new Map() } };
  }
  const after = new Map(Array.from(edit.edits, ({ name, after: row }) => [name, row] as const));
  const merged = overlaid(table.rows, after);
  const before = table.undo();
  const newest = overlaid(table.rows, before);
  const names = new Set([...table.rows.keys(), ...found.rows.rows.keys(), ...before.keys(), ...after.keys()]);
  const inFile = (name: string): R | null => found.rows.rows.get(name) ?? null;
  const undo = [...rowLines('undo', kind.table, difference(names, merged, inFile))];
  const toBefore = table.newest === null ? new Map<string, R | null>() : difference(names, inFile, newest);
  return { lines: linesWith(undo), version: { fingerprint, undo: toBefore } };
}

function difference<R extends Row>(
  names: Iterable<string>,
  from: (name: string) => R | null,
  to: (name: string) => R | null,
): Map<string, R | null> {
  const undo = new Map<string, R | null>();
  for (const name of names) if (!sameRow(from(name), to(name))) undo.set(name, to(name));
  return undo;
}
