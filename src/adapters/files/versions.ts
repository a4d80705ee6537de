import { crc32 } from 'node:zlib';
import { Failure } from '../../domain/failure.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { Undo } from './hand-edits.ts';
import type { LogView } from './log.ts';

/** By which the bytes of a file are recognised. */
export interface FileFingerprint {
  readonly sizeBytes: number;
  readonly crc32: number;
}

/** One version of a CSV that is or was on disk. */
export interface Version<Row> {
  readonly fingerprint: FileFingerprint;
  /** From this version to the one before it. */
  readonly undo: Undo<Row>;
}

/** What is read of a log of versions at most, from its end: the memory that a hand edit may take. */
const MAX_VERSION_BYTES = 32 * 1024 * 1024;

/** A row as a line holds it, short because a busy inventory changes all of them: unset values at the end are left out. */
type Cells = [name: string, ...values: (string | number | null | Readonly<Record<string, string>>)[]];
type VersionLine = [sizeBytes: number, crc32: number, undo: Cells[]];

export function fingerprintFile(bytes: Buffer): FileFingerprint {
  return { sizeBytes: bytes.byteLength, crc32: crc32(bytes) };
}

/** @returns one JSON line: `[sizeBytes, crc32, [["book",8], ["pen"], …]]`; a name alone was not there */
export function encodeVersion<Row extends User | Item>(version: Version<Row>): Buffer {
  const { sizeBytes, crc32: checksum } = version.fingerprint;
  const undo = Array.from(version.undo, ([name, row]) => encodeRow(name, row));
  const line: VersionLine = [sizeBytes, checksum, undo];
  return Buffer.from(`${JSON.stringify(line)}\n`);
}

/**
 * Reads a log of versions, at most its last MAX_VERSION_BYTES.
 *
 * @returns newest first
 * @throws Failure corrupt_state
 */
export function readVersions<Row extends User | Item>(
  log: Pick<LogView, 'read' | 'sizeBytes'>,
): Version<Row>[] {
  const from = Math.max(0, log.sizeBytes - MAX_VERSION_BYTES);
  const bytes = Buffer.allocUnsafe(log.sizeBytes - from);
  if (log.read(bytes, from) < bytes.length) throw damaged(`it ends before byte ${log.sizeBytes}`);
  // Reading begins in the middle of a line, unless at the beginning of the log.
  let start = from === 0 ? 0 : bytes.indexOf(10) + 1;
  const versions: Version<Row>[] = [];
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    versions.push(decodeVersion<Row>(bytes.toString('utf8', start, end), from + start));
    start = end + 1;
  }
  return versions.reverse();
}

function encodeRow(name: string, row: User | Item | null): Cells {
  if (row === null) return [name];
  const extra = Object.keys(row.extra).length === 0 ? null : row.extra;
  const cells: Cells =
    'item' in row
      ? [name, row.quantity, row.name, row.price, row.reorderLevel, extra]
      : [name, row.status, extra];
  while (cells.at(-1) === null) cells.pop();
  return cells;
}

function decodeVersion<Row extends User | Item>(line: string, position: number): Version<Row> {
  try {
    const [sizeBytes, checksum, undo] = JSON.parse(line) as VersionLine;
    const rows = undo.map((cells): [string, Row | null] => [cells[0], decodeRow(cells) as Row | null]);
    return { fingerprint: { sizeBytes, crc32: checksum }, undo: new Map(rows) };
  } catch (error) {
    throw damaged(`the line at byte ${position} cannot be read`, error);
  }
}

function decodeRow(cells: Cells): User | Item | null {
  if (cells.length === 1) return null;
  const [name, first] = cells;
  if (typeof first === 'number') {
    const [, quantity, title = null, price = null, reorderLevel = null, extra] = cells;
    return { item: name, quantity, name: title, price, reorderLevel, extra: extra ?? {} } as Item;
  }
  return { user: name, status: first, extra: cells[2] ?? {} } as User;
}

function damaged(what: string, cause?: unknown): Failure {
  return new Failure('corrupt_state', `the log of versions of a CSV is damaged: ${what}`, {
    fix: 'restore the whole folder from a backup',
    ...(cause === undefined ? {} : { cause }),
  });
}
