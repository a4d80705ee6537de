import fs from 'node:fs';

import {
  BATCH_HEADER_BYTES,
  BATCH_PREFIX_BYTES,
  batchSizeBytes,
  checksumHolds,
  endsTransaction,
  readBatchHeader,
  type BatchHeader,
} from '../wire/record-batch.ts';
import { makeDirectory } from '../../directories.ts';
import { readAll } from '../files.ts';
import { ProducerStates, type ProducerSnapshot } from './producers.ts';
import { Segment } from './segment.ts';

const LOG_FILE = /^(\d{20})\.log$/;
const READ_BYTES = 1 << 20;

/** A log is damaged before its end; nothing in it was changed. */
export class CorruptLogError extends Error {
  override readonly name = 'CorruptLogError';
}

interface RecoveredLog {
  /** The oldest first. */
  readonly sealed: Segment[];
  /** Open for writing. */
  readonly active: Segment;
  readonly producers: ProducerStates;
  /** Size of the half-written end that was cut off. */
  readonly tornBytes: number;
}

/**
 * Opens a partition's folder. The last segment is read and its checksums are verified; bytes after its last whole batch
 * are the torn end of an unacknowledged write and are cut off. If a whole batch follows the broken place, it is not a
 * torn end, and the log is refused. Sealed segments are opened by their seals, or read when the seal is missing.
 *
 * @throws CorruptLogError
 */
export function recoverLog(folder: string): RecoveredLog {
  makeDirectory(folder);
  const bases = fs
    .readdirSync(folder)
    .flatMap((name) => LOG_FILE.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const active = new Segment(folder, bases.pop() ?? 0);
  let sealed = bases.map((base) => new Segment(folder, base));

  const snapshot = active.baseOffset === 0 ? EMPTY : parseSnapshot(active.loadProducers());
  const allSealed = sealed.every((segment) => segment.loadSeal());
  const producers = new ProducerStates(allSealed ? snapshot : EMPTY);
  if (snapshot === undefined || !allSealed) {
    // Without it, producers are rebuilt by reading the log from its beginning.
    sealed = bases.map((base) => new Segment(folder, base));
    for (const segment of sealed) {
      replay(segment, producers, 'whole');
      segment.seal();
    }
  }
  checkContinuity([...sealed, active]);
  active.open();
  return { sealed, active, producers, tornBytes: replay(active, producers, 'may be torn') };
}

const EMPTY: ProducerSnapshot = { producers: [], open: [] };

function parseSnapshot(json: string | undefined): ProducerSnapshot | undefined {
  try {
    return json === undefined ? undefined : (JSON.parse(json) as ProducerSnapshot);
  } catch {
    return undefined; // torn by a crash
  }
}

function checkContinuity(segments: readonly Segment[]): void {
  segments.forEach((segment, index) => {
    const next = segments[index + 1];
    if (next !== undefined && segment.endOffset !== next.baseOffset) {
      throw new CorruptLogError(
        `${segment.file} ends with offset ${segment.endOffset - 1}, and ${next.file} follows it`,
      );
    }
  });
}

/** @returns the number of bytes cut off after the last whole batch */
function replay(segment: Segment, producers: ProducerStates, end: 'whole' | 'may be torn'): number {
  const fd = fs.openSync(segment.file, 'r');
  try {
    const fileBytes = fs.fstatSync(fd).size;
    for (const { header, batch } of wholeBatches(fd, fileBytes, segment.baseOffset)) {
      takeIn(segment, producers, header, batch);
    }
    const tornBytes = fileBytes - segment.sizeBytes;
    if (tornBytes === 0) return 0;
    const where = `${segment.file} is damaged at byte ${segment.sizeBytes} (offset ${segment.endOffset})`;
    if (end === 'whole' || batchFollows(fd, segment.sizeBytes + 1, fileBytes, segment.endOffset)) {
      throw new CorruptLogError(
        `${where}, and whole batches follow: restore the data folder from a backup, or delete the topic's folder`,
      );
    }
    segment.truncate(segment.sizeBytes);
    return tornBytes;
  } finally {
    fs.closeSync(fd);
  }
}

function takeIn(segment: Segment, producers: ProducerStates, header: BatchHeader, batch: Buffer): void {
  const { baseOffset, producerId, producerEpoch, maxTimestamp } = header;
  segment.add(header, baseOffset);
  if (!header.isControl) {
    producers.append(header, baseOffset, maxTimestamp);
    return;
  }
  const committed = endsTransaction(batch, 0) ?? true;
  const aborted = producers.end(producerId, producerEpoch, committed, baseOffset, maxTimestamp);
  if (aborted !== undefined) segment.addAborted(aborted);
}

interface WholeBatch {
  readonly header: BatchHeader;
  readonly batch: Buffer;
}

/** The batches of a file up to the first that is invalid, incomplete or out of order. */
function* wholeBatches(fd: number, fileBytes: number, baseOffset: number): Generator<WholeBatch> {
  let window = Buffer.alloc(0);
  let windowAt = 0;
  let next = baseOffset;
  for (let position = 0; position + BATCH_HEADER_BYTES <= fileBytes;) {
    const bytesHere = (needed: number) => {
      if (position + needed > windowAt + window.length) {
        window = Buffer.allocUnsafe(Math.min(Math.max(needed, READ_BYTES), fileBytes - position));
        windowAt = position;
        readAll(fd, window, position);
      }
      return window.subarray(position - windowAt, position - windowAt + needed);
    };
    const header = readBatchHeader(bytesHere(BATCH_HEADER_BYTES));
    const { sizeBytes } = header;
    if (!isPlausible(header, next) || position + sizeBytes > fileBytes) return;
    const batch = bytesHere(sizeBytes);
    if (header.baseOffset !== next || !checksumHolds(batch, 0, sizeBytes)) return;
    yield { header, batch };
    next = header.baseOffset + header.lastOffsetDelta + 1;
    position += sizeBytes;
  }
}

function isPlausible({ magic, sizeBytes, baseOffset, lastOffsetDelta }: BatchHeader, next: number): boolean {
  return magic === 2 && sizeBytes >= BATCH_HEADER_BYTES && baseOffset >= next && lastOffsetDelta >= 0;
}

/** Whether a whole batch begins anywhere in `[from, fileBytes)`: then a crash did not tear the bytes before it. */
function batchFollows(fd: number, from: number, fileBytes: number, offset: number): boolean {
  const rest = Buffer.allocUnsafe(fileBytes - from);
  readAll(fd, rest, from);
  for (let at = 0; at + BATCH_HEADER_BYTES <= rest.length; at += 1) {
    if (rest[at + BATCH_PREFIX_BYTES + 4] !== 2) continue;
    const end = at + batchSizeBytes(rest, at);
    if (end > rest.length || !isPlausible(readBatchHeader(rest, at), offset)) continue;
    if (checksumHolds(rest, at, end)) return true;
  }
  return false;
}
