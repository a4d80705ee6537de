import { Failure } from '../../../domain/failure.ts';
import type { HandSave, Undo } from '../edits/known-version.ts';
import type { LogView } from '../logs/log.ts';
import { renderCells, rowOfCells, type Cells } from '../tables/row-cells.ts';
import type { Row } from '../tables/columns.ts';
import { sameFingerprint, type FileFingerprint } from '../tables/fingerprint.ts';
import { textBytes } from '../logs/text-bytes.ts';

/** One version of a CSV that is or was on disk. */
export interface Version<R> {
  readonly fingerprint: FileFingerprint;
  /** Leads from this version to the one before it. */
  readonly undo: Undo<R>;
  /** When it was added, milliseconds since the epoch. */
  readonly at: number;
  /** No program has read it while it was on disk; false also where that is not known. */
  readonly unread: boolean;
  /** null: the owner wrote it, not a user. */
  readonly hand: HandSave | null;
}

/** What is stored when a version is added. */
export interface NewVersion {
  readonly fingerprint: FileFingerprint;
  readonly undo: Iterable<readonly [string, Row | null]>;
  readonly at: number;
  readonly hand: HandSave | null;
  /** Whether no program has read the version before it. */
  readonly isFormerUnread: boolean;
}

/** The versions of a CSV that are known. */
export interface VersionHistory<R> {
  /** Newest first. */
  readonly versions: readonly Version<R>[];
  /** Whether the oldest is the first version ever. */
  readonly isComplete: boolean;
}

/** How much of a log of versions is read at most, from its end; this bounds the memory that a hand edit needs. */
const MAX_VERSION_BYTES = 32 * 1024 * 1024;

/**
 * `at` null: not a version, but a note that the version with this fingerprint was read after all. Lines of older
 * programs end with the undo.
 */
type VersionLine = [
  sizeBytes: number,
  crc32: number,
  undo: Cells[],
  at?: number | null,
  isFormerUnread?: 0 | 1,
  hand?: [back: number | null, savedMs: number, owed?: [item: string, quantity: number][]],
];

/** @returns one JSON line: `[sizeBytes, crc32, [["book",8], ["pen"], …], at, 0]`, rows as in row-cells.ts */
export function encodeVersion(version: NewVersion): Buffer[] {
  const { sizeBytes, crc32: checksum } = version.fingerprint;
  const { at, hand, isFormerUnread } = version;
  const owed = [...(hand?.owed ?? [])];
  const saved =
    hand === null ? '' : `,${JSON.stringify([hand.back, hand.savedMs, ...(owed.length > 0 ? [owed] : [])])}`;
  const end = `],${at},${isFormerUnread ? 1 : 0}${saved}]\n`;
  const texts = function* (): Generator<string> {
    let before = `[${sizeBytes},${checksum},[`;
    for (const [name, row] of version.undo) {
      yield before + renderCells(name, row);
      before = ',';
    }
    yield before === ',' ? end : `${before}${end}`;
  };
  return textBytes(texts());
}

/** @returns the line that says that a version was read after all, overriding the line after that version */
export function encodeRead({ sizeBytes, crc32: checksum }: FileFingerprint): Buffer[] {
  return [Buffer.from(`[${sizeBytes},${checksum},[],null]\n`)];
}

/**
 * Reads a log of versions, at most its last MAX_VERSION_BYTES.
 *
 * @throws Failure corrupt_state
 */
export function readVersions<R extends Row>(log: Pick<LogView, 'read' | 'sizeBytes'>): VersionHistory<R> {
  const from = Math.max(0, log.sizeBytes - MAX_VERSION_BYTES);
  const bytes = Buffer.allocUnsafe(log.sizeBytes - from);
  if (log.read(bytes, from) < bytes.length) throw damaged(`it ends before byte ${log.sizeBytes}`);
  // Reading starts in the middle of a line, unless at the start of the log.
  let start = from === 0 ? 0 : bytes.indexOf(10) + 1;
  const versions: Version<R>[] = [];
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    addVersion(versions, bytes.toString('utf8', start, end), from + start);
    start = end + 1;
  }
  // The first version has none before it to go back to.
  const isComplete = from === 0 && versions[0]?.undo.size === 0;
  return { versions: versions.reverse(), isComplete };
}

/** @param versions oldest first */
function addVersion<R extends Row>(versions: Version<R>[], line: string, position: number): void {
  try {
    const [sizeBytes, checksum, undo, at = 0, isFormerUnread = 0, hand] = JSON.parse(line) as VersionLine;
    const fingerprint = { sizeBytes, crc32: checksum };
    if (at === null) {
      setUnread(
        versions,
        versions.findLastIndex((known) => sameFingerprint(known.fingerprint, fingerprint)),
        false,
      );
      return;
    }
    if (isFormerUnread === 1) setUnread(versions, versions.length - 1, true);
    const rows = undo.map((cells): [string, R | null] => [cells[0], rowOfCells(cells) as R | null]);
    const [back, savedMs, owed] = hand ?? [];
    const saved =
      back === undefined || savedMs === undefined
        ? null
        : { back, savedMs, ...(owed === undefined ? {} : { owed: new Map(owed) }) };
    versions.push({ fingerprint, undo: new Map(rows), at, unread: false, hand: saved });
  } catch (error) {
    throw damaged(`the line at byte ${position} cannot be read`, error);
  }
}

function setUnread<R>(versions: Version<R>[], index: number, unread: boolean): void {
  const version = versions[index];
  if (version !== undefined) versions[index] = { ...version, unread };
}

function damaged(what: string, cause?: unknown): Failure {
  return new Failure('corrupt_state', `the log of versions of a CSV is damaged: ${what}`, {
    fix: 'restore the whole folder from a backup',
    ...(cause === undefined ? {} : { cause }),
  });
}
