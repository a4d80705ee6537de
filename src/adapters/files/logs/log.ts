import { crc32 } from 'node:zlib';
import { Failure, isFailure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import type { LineAt, LogPlace } from '../../../ports/store.ts';
import { openOrUndefined } from '../whole-files.ts';
import { damagedLine, damagedLog } from './damage.ts';

/*
 * The append-only logs. A log is valid up to the size that the checkpoint names; what follows is also in the journal,
 * and is written again from there after a crash. Logs are written after the journal is synced, and are themselves
 * synced only for a checkpoint.
 */

/** How much of the end of a log is compared when it is opened: more would slow down the start. */
const CHECKED_TAIL_BYTES = 64 * 1024;
const FIRST_READ_BYTES = 1024;
const WINDOW_BYTES = 64 * 1024;

/** What a checkpoint records about a log. */
export interface LogState {
  readonly sizeBytes: number;
  /** CRC-32 of its last 64 KiB (of the whole log when shorter): compared whenever it is opened. */
  readonly tailCrc: number;
  /** CRC-32 of the whole log: compared by an audit. */
  readonly crc: number;
}

/** The state of a log that was just created. */
export const NO_LOG: LogCut = { sizeBytes: 0, crc: 0 };

/** The state, as of a checkpoint, of a log that was created after it. */
export const EMPTY_LOG: LogState = { ...NO_LOG, tailCrc: 0 };

export type LogCut = Pick<LogState, 'sizeBytes' | 'crc'>;

/** The checksum of the last 64 KiB, or of the whole log when it is shorter. */
export function tailCrc(files: FileSystem, fd: number, sizeBytes: number): number {
  const tail = Buffer.allocUnsafe(Math.min(sizeBytes, CHECKED_TAIL_BYTES));
  return crc32(tail.subarray(0, files.read(fd, tail, sizeBytes - tail.byteLength)));
}

/**
 * Compares the size and the last 64 KiB of a log with what the checkpoint records. A change further back that keeps the
 * size is found only by `audit`.
 *
 * @returns its size on disk
 * @throws Failure corrupt_state
 */
export function checkLog(files: FileSystem, name: string, state: LogState): number {
  const fd = openOrUndefined(files, name);
  try {
    const sizeBytes = fd === undefined ? 0 : files.statOpen(fd).sizeBytes;
    if (sizeBytes < state.sizeBytes) {
      throw damagedLog(name, `it has ${sizeBytes} bytes, but ${state.sizeBytes} were written`);
    }
    if (fd !== undefined && tailCrc(files, fd, state.sizeBytes) !== state.tailCrc) {
      throw damagedLog(name, `its last lines before byte ${state.sizeBytes} are not those that were written`);
    }
    return sizeBytes;
  } finally {
    if (fd !== undefined) files.close(fd);
  }
}

interface Stretch {
  /** Where it starts in the log. */
  readonly position: number;
  readonly sizeBytes: number;
}

/** A part of a log, and the file that has it: the log itself, or a journal for what the log does not have yet. */
export interface FilePart extends Stretch {
  readonly fd: number;
  /** Where it starts in that file. */
  readonly at: number;
}

/** A part in memory, until it is written. */
interface StagedPart extends Stretch {
  readonly bytes: Uint8Array;
}

export type LogPart = FilePart | StagedPart;

/**
 * A buffer for reading single lines. When lines are requested one after the other, as when a topic is read again, one
 * read serves many.
 */
export class LineWindow {
  /** Where the last requested line starts. */
  asked = -WINDOW_BYTES;
  from = 0;
  bytes: Buffer = Buffer.alloc(0);
}

/** A log up to a fixed size, for reading. Its parts ascend and leave no gap. */
export class LogView {
  readonly #files: FileSystem;
  readonly #parts: readonly LogPart[];
  readonly #window: LineWindow;
  readonly #name: string;
  readonly sizeBytes: number;

  /**
   * @param name its file, for messages about its lines
   * @param window shared by views of one log, whose bytes never change
   */
  constructor(files: FileSystem, parts: readonly LogPart[], name = 'the log', window = new LineWindow()) {
    this.#files = files;
    this.#parts = parts;
    this.#name = name;
    this.#window = window;
    const last = parts.at(-1);
    this.sizeBytes = last === undefined ? 0 : last.position + last.sizeBytes;
  }

  /** Fills `into` from `position` on. @returns bytes read; fewer only at the end */
  read(into: Uint8Array, position: number): number {
    let done = 0;
    for (let index = this.#partAt(position); index < this.#parts.length; index++) {
      const part = this.#parts[index];
      if (part === undefined || done === into.byteLength) break;
      const from = position + done - part.position;
      const wanted = Math.min(part.sizeBytes - from, into.byteLength - done);
      const target = into.subarray(done, done + wanted);
      const got = 'fd' in part ? this.#files.read(part.fd, target, part.at + from) : wanted;
      if ('bytes' in part) target.set(part.bytes.subarray(from, from + wanted));
      done += got;
      if (got < wanted) break;
    }
    return done;
  }

  /** The line that starts at `position`, without its line feed; undefined at the end. */
  line(position: number): Buffer | undefined {
    if (position < 0 || position >= this.sizeBytes) return undefined;
    const window = this.#window;
    const isNext = position >= window.asked && position < window.asked + WINDOW_BYTES;
    window.asked = position;
    const kept = lineAt(window.bytes, position - window.from);
    if (kept !== undefined) return kept;
    for (let size = isNext ? WINDOW_BYTES : FIRST_READ_BYTES; ; size *= 4) {
      const bytes = Buffer.allocUnsafeSlow(size);
      window.from = position;
      window.bytes = bytes.subarray(0, this.read(bytes, position));
      const line = lineAt(window.bytes, 0);
      if (line !== undefined || window.bytes.byteLength < size) return line;
    }
  }

  /**
   * All lines from `from` on, in buffers of whole lines of about `chunkBytes`, each valid until the next is requested.
   */
  *chunks(from = 0, chunkBytes = 256 * 1024): Generator<Buffer> {
    // One buffer for all chunks: fresh memory costs several times as much as reading.
    let bytes = Buffer.allocUnsafe(Math.max(0, Math.min(chunkBytes, this.sizeBytes - from)));
    for (let at = from; at < this.sizeBytes;) {
      const found = bytes.subarray(0, this.read(bytes, at));
      const end = found.lastIndexOf(10) + 1;
      if (end === 0) {
        // A line longer than the buffer. If everything was read there is no line end, which is impossible in a checked
        // log.
        if (found.byteLength < bytes.byteLength || at + found.byteLength >= this.sizeBytes) return;
        bytes = Buffer.allocUnsafe(bytes.byteLength * 4);
        continue;
      }
      yield found.subarray(0, end);
      at += end;
    }
  }

  /**
   * Like `chunks`, backwards from the end of a line: the chunks come in reverse order, the lines within each in the
   * order of the log.
   *
   * @param until where the last of these lines ends, including its line feed
   */
  *chunksFromEnd(
    until = this.sizeBytes,
    chunkBytes = 64 * 1024,
  ): Generator<{ readonly chunk: Buffer; readonly position: number }> {
    let bytes = Buffer.allocUnsafe(chunkBytes);
    for (let end = until; end > 0;) {
      const from = Math.max(0, end - bytes.byteLength);
      const found = bytes.subarray(0, this.read(bytes.subarray(0, end - from), from));
      // The line that the first line feed ends may start earlier.
      const begin = from === 0 ? 0 : found.indexOf(10) + 1;
      if (from > 0 && (begin === 0 || begin === found.byteLength)) {
        bytes = Buffer.allocUnsafe(bytes.byteLength * 4);
        continue;
      }
      yield { chunk: found.subarray(begin), position: from + begin };
      end = from + begin;
    }
  }

  /** Parses a line of the log. @throws Failure corrupt_state naming the line: another program has changed it */
  parsed<T>(line: Buffer, parse: (line: Buffer) => T): T {
    try {
      return parse(line);
    } catch (error) {
      throw isFailure(error) ? error : damagedLine(this.#name, this.#numberOf(line), error);
    }
  }

  #numberOf(line: Buffer): number {
    let number = 0;
    for (const chunk of this.chunks()) {
      for (const { line: other } of linesOf(chunk)) {
        number += 1;
        if (other.equals(line)) return number;
      }
    }
    return number;
  }

  /** The first part that reaches beyond `position`. */
  #partAt(position: number): number {
    let low = 0;
    let high = this.#parts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const part = this.#parts[middle];
      if (part !== undefined && part.position + part.sizeBytes <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The line that starts at `at`, if `bytes` has all of it. */
function lineAt(bytes: Buffer, at: number): Buffer | undefined {
  if (at < 0 || at >= bytes.byteLength) return undefined;
  const lineFeed = bytes.indexOf(10, at);
  return lineFeed === -1 ? undefined : bytes.subarray(at, lineFeed);
}

/** The lines of a buffer of whole lines, and where each starts in it. */
export function* linesOf(chunk: Buffer): Generator<{ line: Buffer; at: number }> {
  for (let at = 0; at < chunk.byteLength;) {
    const lineFeed = chunk.indexOf(10, at);
    const end = lineFeed === -1 ? chunk.byteLength : lineFeed;
    yield { line: chunk.subarray(at, end), at };
    at = end + 1;
  }
}

/** The lines to find. */
export interface LineFinder<T> {
  /** Whether bytes can contain any of them; undefined: all can. */
  readonly isIn?: (bytes: Buffer) => boolean;
  /** Returns undefined when the line is none of them. */
  readonly parse: (line: Buffer) => T | undefined;
}

/**
 * Like `parsedLines`, backwards from the last line, or from the one at a place.
 *
 * @throws Failure invalid_value: no line starts there; corrupt_state
 */
export async function* parsedLinesFromEnd<T extends object>(
  view: LogView,
  { isIn, parse }: LineFinder<T>,
  from?: LogPlace,
): AsyncIterable<readonly LineAt<T>[]> {
  const until = from === undefined ? view.sizeBytes : endOfLineAt(view, from);
  for (const { chunk, position } of view.chunksFromEnd(until)) {
    if (isIn?.(chunk) === false) continue;
    const found: LineAt<T>[] = [];
    for (const { line, at } of linesOf(chunk)) {
      const value = view.parsed(line, parse);
      if (value !== undefined) found.push({ value, place: [position + at] });
    }
    if (found.length > 0) yield found.reverse();
  }
}

function endOfLineAt(view: LogView, [position = -1]: LogPlace): number {
  const before = Buffer.alloc(1);
  const isBegin =
    position === 0 || (position > 0 && view.read(before, position - 1) === 1 && before[0] === 10);
  const line = isBegin ? view.line(position) : undefined;
  if (line === undefined) {
    throw new Failure('invalid_value', `no line of the log starts at byte ${position}`, {
      fix: 'begin again without a cursor',
    });
  }
  return position + line.byteLength + 1;
}

/** Reads a log in chunks, so that its size does not matter. @throws Failure corrupt_state */
export async function* parsedLines<T>(
  view: LogView,
  parse: (line: Buffer) => T,
): AsyncIterable<readonly T[]> {
  for (const chunk of view.chunks()) yield Array.from(linesOf(chunk), ({ line }) => view.parsed(line, parse));
}
