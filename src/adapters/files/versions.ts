import { crc32 } from 'node:zlib';
import { Failure } from '../../domain/failure.ts';
import type { Undo } from './hand-edits.ts';
import type { LogView } from './log.ts';
import { renderCells, rowOfCells, type Cells } from './row-cells.ts';
import type { Row } from './rows.ts';
import { textBytes } from './text-bytes.ts';

/** By which the bytes of a file are recognised. */
export interface FileFingerprint {
  readonly sizeBytes: number;
  readonly crc32: number;
}

/** One version of a CSV that is or was on disk. */
export interface Version<R> {
  readonly fingerprint: FileFingerprint;
  /** From this version to the one before it. */
  readonly undo: Undo<R>;
}

/** What is read of a log of versions at most, from its end: the memory that a hand edit may take. */
const MAX_VERSION_BYTES = 32 * 1024 * 1024;

type VersionLine = [sizeBytes: number, crc32: number, undo: Cells[]];

export function fingerprintFile(bytes: Buffer): FileFingerprint {
  return { sizeBytes: bytes.byteLength, crc32: crc32(bytes) };
}

export function sameFingerprint(a: FileFingerprint | null, b: FileFingerprint): boolean {
  return a !== null && a.sizeBytes === b.sizeBytes && a.crc32 === b.crc32;
}

/** @returns one JSON line: `[sizeBytes, crc32, [["book",8], ["pen"], …]]`, rows as in row-cells.ts */
export function encodeVersion(version: {
  readonly fingerprint: FileFingerprint;
  readonly undo: Iterable<readonly [string, Row | null]>;
}): Buffer[] {
  const { sizeBytes, crc32: checksum } = version.fingerprint;
  const texts = function* (): Generator<string> {
    let before = `[${sizeBytes},${checksum},[`;
    for (const [name, row] of version.undo) {
      yield before + renderCells(name, row);
      before = ',';
    }
    yield before === ',' ? ']]\n' : `${before}]]\n`;
  };
  return textBytes(texts());
}

/**
 * Reads a log of versions, at most its last MAX_VERSION_BYTES.
 *
 * @returns newest first
 * @throws Failure corrupt_state
 */
export function readVersions<R extends Row>(log: Pick<LogView, 'read' | 'sizeBytes'>): Version<R>[] {
  const from = Math.max(0, log.sizeBytes - MAX_VERSION_BYTES);
  const bytes = Buffer.allocUnsafe(log.sizeBytes - from);
  if (log.read(bytes, from) < bytes.length) throw damaged(`it ends before byte ${log.sizeBytes}`);
  // Reading begins in the middle of a line, unless at the beginning of the log.
  let start = from === 0 ? 0 : bytes.indexOf(10) + 1;
  const versions: Version<R>[] = [];
  while (start < bytes.length) {
    const newline = bytes.indexOf(10, start);
    const end = newline === -1 ? bytes.length : newline;
    versions.push(decodeVersion<R>(bytes.toString('utf8', start, end), from + start));
    start = end + 1;
  }
  return versions.reverse();
}

function decodeVersion<R extends Row>(line: string, position: number): Version<R> {
  try {
    const [sizeBytes, checksum, undo] = JSON.parse(line) as VersionLine;
    const rows = undo.map((cells): [string, R | null] => [cells[0], rowOfCells(cells) as R | null]);
    return { fingerprint: { sizeBytes, crc32: checksum }, undo: new Map(rows) };
  } catch (error) {
    throw damaged(`the line at byte ${position} cannot be read`, error);
  }
}

function damaged(what: string, cause?: unknown): Failure {
  return new Failure('corrupt_state', `the log of versions of a CSV is damaged: ${what}`, {
    fix: 'restore the whole folder from a backup',
    ...(cause === undefined ? {} : { cause }),
  });
}
