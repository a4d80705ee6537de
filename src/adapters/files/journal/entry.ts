import { totalBytes } from '../fs.ts';
import type { LogName } from '../layout.ts';

/*
 * What one journal record holds, for recovery to apply again:
 *
 *   payload = directory, line feed, bytes for the logs, state lines
 *   directory = {"logs":[[name, position, length], …],"state":length,"seq":number of the last transaction}
 *
 * The bytes for a log are verbatim, with the position they belong at; state lines (state-line.ts) carry values as
 * they are afterwards. Applying a record twice is therefore the same as applying it once.
 */

interface LogPlace {
  readonly log: LogName;
  /** Where in the log the bytes belong. */
  readonly position: number;
}

export interface LogBytes extends LogPlace {
  /** One after the other. */
  readonly parts: readonly Uint8Array[];
  readonly sizeBytes: number;
}

export interface JournalEntry {
  /** The number of the last transaction up to here. */
  readonly seq: number;
  readonly logs: readonly LogBytes[];
  /** State lines, each ended by a line feed, one part behind the other. */
  readonly state: readonly Uint8Array[];
}

interface Directory {
  logs: [LogName, number, number][];
  state: number;
  /** Missing in journals of format 2. */
  seq?: number;
}

/** Merges several into one, in their order. */
export function joined(entries: readonly JournalEntry[]): JournalEntry {
  const [first, ...rest] = entries;
  if (first !== undefined && rest.length === 0) return first;
  return {
    seq: Math.max(...entries.map(({ seq }) => seq)),
    logs: entries.flatMap(({ logs }) => logs),
    state: entries.flatMap(({ state }) => state),
  };
}

export function encodeEntry(entry: JournalEntry): Uint8Array[] {
  const directory: Directory = {
    logs: entry.logs.map((part) => [part.log, part.position, part.sizeBytes]),
    state: totalBytes(entry.state),
    seq: entry.seq,
  };
  return [
    Buffer.from(`${JSON.stringify(directory)}\n`),
    ...entry.logs.flatMap(({ parts }) => parts),
    ...entry.state,
  ];
}

export interface DecodedEntry {
  /** `at`: where the bytes begin in the payload. */
  readonly logs: readonly (LogPlace & { readonly bytes: Uint8Array; readonly at: number })[];
  readonly state: Buffer;
  readonly seq: number;
}

/** @param payload its CRC was checked, so it is as `encodeEntry` made it */
export function decodeEntry(payload: Buffer): DecodedEntry {
  const lineFeed = payload.indexOf(10);
  const directory = JSON.parse(payload.toString('utf8', 0, lineFeed)) as Directory;
  let at = lineFeed + 1;
  const logs = directory.logs.map(([log, position, length]) => {
    const part = { log, position, bytes: payload.subarray(at, at + length), at };
    at += length;
    return part;
  });
  return { logs, state: payload.subarray(at, at + directory.state), seq: directory.seq ?? 0 };
}
