import { totalBytes } from '../fs.ts';
import type { LogName } from '../layout.ts';

/*
 * The content of one journal record, which recovery applies again:
 *
 *   payload = directory, line feed, bytes for the logs, state lines
 *   directory = {"logs":[[name, position, length], …],"state":length,"seq":number of the last transaction}
 *
 * The bytes for a log are verbatim, with the position where they belong; state lines (state-line.ts) have the values
 * after the commit. Applying a record twice is therefore the same as applying it once.
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
  /** State lines, each ending in a line feed, one part after the other. */
  readonly state: readonly Uint8Array[];
}

interface Directory {
  logs: [LogName, number, number][];
  state: number;
  /** Missing in journals of format 2. */
  seq?: number;
}

/** Merges several entries into one, in their order. */
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
  /** `at`: where the bytes start in the payload. */
  readonly logs: readonly (LogPlace & { readonly bytes: Uint8Array; readonly at: number })[];
  readonly state: Buffer;
  readonly seq: number;
}

/** @param payload as `encodeEntry` made it: its CRC was checked */
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
