import { Failure, isFailure } from '../../../domain/failure.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import { parseTable } from '../csv/parse.ts';
import type { CsvTable, Row, TableKind } from '../tables/columns.ts';
import { openOrUndefined } from '../whole-files.ts';
import type { LogView } from '../logs/log.ts';
import type { FileStat, FileSystem } from '../fs.ts';
import { isOwnSave, isTakenBack } from './base-rule.ts';
import { overlaid, type KnownVersion } from './known-version.ts';
import { mergeHandEdit, type HandEdit, type NamedChanges } from './hand-edits.ts';
import { sameRow } from './merge-rows.ts';
import type { Table } from '../tables/table.ts';
import { rowLines, type NamedRow, type StateLine } from '../tables/state-line.ts';
import { fingerprintFile, sameFingerprint, type FileFingerprint } from '../tables/fingerprint.ts';
import { readVersions, type NewVersion, type VersionHistory } from '../csv/versions.ts';

/* What a user has changed in a CSV since its last known version. An owner applies it; a reader shows the outcome. */

/** How long a file must be left alone before it counts: an editor truncates it first and then writes. */
const SETTLED_MS = 100;
/** The same for a file that does not end in a line feed, as a half-written one does not. */
const SETTLED_UNFINISHED_MS = 1_000;

export function sameStat(a: FileStat | undefined, b: FileStat | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.inode === b.inode && a.sizeBytes === b.sizeBytes && a.modifiedNs === b.modifiedNs;
}

/** For how many more milliseconds the file may be in the middle of being written; 0 when it may be read. */
export function unsettledMs(files: FileSystem, name: string, stat: FileStat): number {
  const ageMs = files.nowMs() - Number(stat.modifiedNs / 1_000_000n);
  // A time in the future means that the clock was set, not that the file is being written.
  if (ageMs < 0 || ageMs >= SETTLED_UNFINISHED_MS) return 0;
  if (ageMs < SETTLED_MS) return SETTLED_MS - ageMs;
  return endsLine(files, name, stat.sizeBytes) ? 0 : SETTLED_UNFINISHED_MS - ageMs;
}

function endsLine(files: FileSystem, name: string, sizeBytes: number): boolean {
  let fd: number | undefined;
  try {
    fd = openOrUndefined(files, name);
  } catch (error) {
    // The next read reports it.
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
  /** A version that the owner wrote or applied; `newest`: none was added after it. */
  | {
      readonly kind: 'known';
      readonly newest: boolean;
      /** Whether it was saved after the newest version was added, so that no crash can have left it. */
      readonly isSavedAfter: boolean;
    }
  | { readonly kind: 'broken'; readonly failure: Failure }
  | {
      readonly kind: 'edited';
      readonly fingerprint: FileFingerprint;
      readonly rows: CsvTable<R>;
      readonly edit: HandEdit<R>;
      /** The version that it was made from; null: unknown. */
      readonly madeFrom: MadeFrom | null;
    };

export type MadeFrom = Pick<KnownVersion<unknown>, 'at' | 'hand'>;

/** What is known about a CSV besides its bytes. */
export interface FileFacts {
  readonly nowMs: number;
  /** When the file was saved, milliseconds since the epoch. */
  readonly savedMs: number;
  /** No program has read the newest version since it was put in place; false also where that is not known. */
  readonly isNewestUnread: boolean;
}

export function savedMsOf(stat: FileStat | undefined): number {
  return stat === undefined ? 0 : Number(stat.modifiedNs) / 1e6;
}

/**
 * Compares a CSV with what is known about it.
 *
 * @param bytes its content; undefined when it does not exist
 * @param name its name in messages
 * @param log the known versions; read only when the file is not the newest of them
 */
export function findHandEdit<R extends Row>(
  bytes: Buffer | undefined,
  name: string,
  kind: TableKind<R>,
  table: Table<R>,
  log: LogView,
  facts: FileFacts,
): Found<R> {
  if (bytes === undefined) return { kind: 'missing' };
  const fingerprint = fingerprintFile(bytes);
  if (sameFingerprint(table.newest, fingerprint)) return { kind: 'known', newest: true, isSavedAfter: false };
  const history: VersionHistory<R> =
    table.newest === null ? { versions: [], isComplete: true } : readVersions<R>(log);
  // The table also knows versions that the history lacks, because their line or the next one is too long to be read.
  const isKnown =
    table.older.some((older) => sameFingerprint(older, fingerprint)) ||
    history.versions.some((version) => sameFingerprint(version.fingerprint, fingerprint));
  if (isKnown && !isUndo(fingerprint, history, facts)) {
    const cameAt = history.versions[0]?.at ?? Infinity;
    return { kind: 'known', newest: false, isSavedAfter: facts.savedMs > cameAt };
  }
  let rows: CsvTable<R>;
  try {
    rows = parseTable(kind, bytes, name, oversold(kind, table, history));
  } catch (error) {
    if (error instanceof Failure) return { kind: 'broken', failure: error };
    throw error;
  }
  const known = knownVersions(table, history, facts);
  const edit = mergeHandEdit(rows, table, known, {
    ...facts,
    isEnded: bytes.at(-1) === 10 || bytes.at(-1) === 13,
    isComplete: history.isComplete,
  });
  const madeFrom = edit.kind === 'merged' && edit.base !== null ? (known[edit.base] ?? null) : null;
  return { kind: 'edited', fingerprint, rows, edit, madeFrom };
}

/** Whether stock was below zero, now or in a version; otherwise a user who enters that has made a mistake. */
function oversold<R extends Row>(
  { valueOf }: TableKind<R>,
  table: Table<R>,
  { versions }: VersionHistory<R>,
): (name: string) => boolean {
  const isNegative = (row: R | null | undefined): boolean => row != null && valueOf(row) < 0;
  return (name) =>
    isNegative(table.rows.get(name)) ||
    isNegative(table.undo().get(name)) ||
    versions.some(({ undo }) => isNegative(undo.get(name)));
}

/** Whether the user undid their last save: the file equals an older version to the byte. See base-rule.ts. */
function isUndo<R>(fingerprint: FileFingerprint, { versions }: VersionHistory<R>, facts: FileFacts): boolean {
  const ownSave = versions.findIndex(({ hand }) => hand !== null);
  const save = versions[ownSave];
  if (save === undefined || !isOwnSave(save, facts)) return false;
  return isTakenBack(ownSave, save, (at) => {
    const version = versions[at];
    return version !== undefined && sameFingerprint(version.fingerprint, fingerprint);
  });
}

/** The versions as the base rule needs them: each as its difference from the next newer one. */
function knownVersions<R extends Row>(
  table: Table<R>,
  { versions }: VersionHistory<R>,
  { isNewestUnread }: FileFacts,
): readonly KnownVersion<R>[] {
  if (table.newest === null) return [];
  // The table knows the newest version even if its line is too long to be read from the log.
  if (versions.length === 0) return [{ undo: table.undo(), at: 0, unread: false, hand: null }];
  return versions.map(({ at, unread, hand }, index) =>
    index === 0
      ? { undo: table.undo(), at, unread: isNewestUnread && hand === null, hand }
      : { undo: versions[index - 1]?.undo ?? new Map<string, R | null>(), at, unread, hand },
  );
}

/** The notice about a broken file. */
export function brokenNotice(file: string, failure: Failure): StoreNotice {
  const { message, fix, context } = failure;
  return { kind: 'file_broken', file, line: context.line ?? 1, message, fix };
}

/** The notice about a hand edit that was applied. */
export function mergedNotice(
  file: string,
  { rows, first }: NamedChanges,
  madeFrom: MadeFrom | null,
): StoreNotice {
  const from = madeFrom === null ? null : { at: madeFrom.at, isOwnSave: madeFrom.hand !== null };
  return { kind: 'hand_edit_merged', file, rows, changes: first, madeFrom: from };
}

/** The rows, columns and row order that a merged hand edit leads to. */
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

/** What applying a merged hand edit changes: afterwards the file as found is the newest known version. */
export function takeInLines<R extends Row>(
  kind: TableKind<R>,
  table: Table<R>,
  found: { readonly fingerprint: FileFingerprint; readonly rows: CsvTable<R> },
  edit: Extract<HandEdit<R>, { kind: 'merged' }>,
  facts: FileFacts,
): { lines: Iterable<StateLine>; version: NewVersion } {
  const { fingerprint } = found;
  const version = {
    fingerprint,
    at: facts.nowMs,
    hand: { back: edit.base === null ? null : edit.base + 1, savedMs: facts.savedMs, owed: edit.owed },
    isFormerUnread: facts.isNewestUnread,
  };
  const linesWith = (undo: readonly StateLine[]): Iterable<StateLine> => ({
    *[Symbol.iterator]() {
      yield* editLines(kind, edit);
      yield ['version', kind.table, fingerprint];
      yield* undo;
    },
  });
  // The first version: it equals the table as it is now, and there is none before it.
  if (table.newest === null && table.rows.size === 0) {
    return { lines: linesWith([]), version: { ...version, undo: [] } };
  }
  const after = new Map(Array.from(edit.edits, ({ name, after: row }) => [name, row] as const));
  const merged = overlaid(table.rows, after);
  const before = table.undo();
  const newest = overlaid(table.rows, before);
  const names = new Set([...table.rows.keys(), ...found.rows.rows.keys(), ...before.keys(), ...after.keys()]);
  const inFile = (name: string): R | null => found.rows.rows.get(name) ?? null;
  const undo = [...rowLines('undo', kind.table, difference(names, merged, inFile))];
  const toBefore = table.newest === null ? new Map<string, R | null>() : difference(names, inFile, newest);
  return { lines: linesWith(undo), version: { ...version, undo: toBefore } };
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
