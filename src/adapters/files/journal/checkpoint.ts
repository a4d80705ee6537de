import path from 'node:path';
import { crc32 } from 'node:zlib';
import { Failure } from '../../../domain/failure.ts';
import { openOrUndefined, readWhole, writeFresh } from '../whole-files.ts';
import { LogView, type LogState } from '../logs/log.ts';
import { STATE_FILE, type FIRST_LOGS, type LogName } from '../layout.ts';
import type { FileSystem } from '../fs.ts';
import { restoreLines } from './state-lines.ts';
import { renderLine, type StateLine } from '../tables/state-line.ts';
import type { Tables } from '../tables/tables.ts';

/*
 * The checkpoint: where recovery starts. `state.json` names everything that is true at one moment, the cut:
 *
 *   the snapshot of the tables · the size of each log · the runs of the id index · the journal that continues there
 *
 * It is made in two halves, so that commits wait only for the first:
 *
 *   cut    between two commits: create journal n+1, sync it and its name; from here on commits go there
 *   write  in the background: sync the logs, write and sync the snapshot and the index run, sync both directories,
 *          then put state.json in place (write a new file, sync, rename, sync the directory), then unlink what the
 *          previous state named
 *
 * A crash before the rename leaves the older state, which names journal n; recovery continues from n into n+1 by the
 * chain of their records. Nothing that a durable state.json names is ever truncated or overwritten.
 */

/**
 * The format of `.orderctl/`. Format 1 had one state line for each row, 2 neither `seq` nor facts, 3 the unsent
 * messages in the snapshot, 4 each message in a line of its own.
 */
export const FORMAT = 5;
/** These can be read; the next owner upgrades them. */
const FORMER_FORMATS: readonly number[] = [2, 3, 4];
/** In earlier formats, the unsent messages were in the snapshot and the journals. */
export const FIRST_WITH_SEGMENTS = 4;
const CHUNK_BYTES = 256 * 1024;

type FirstLog = (typeof FIRST_LOGS)[number];

interface LogFile extends LogState {
  /** Relative to the folder. */
  readonly file: string;
}

export interface FolderState {
  /** The format of this layout; a later one gets another number. */
  readonly format: number;
  /** Random, generated once with the folder. */
  readonly folderId: string;
  /** The number of the last transaction; 0 in a folder of format 2. */
  readonly seq: number;
  /** The journal that starts at this checkpoint, and what its opening record is chained to. */
  readonly journal: { readonly number: number; readonly seq: number; readonly chain: number };
  /** The snapshot of the tables, in `.orderctl/`. */
  readonly tables: { readonly file: string; readonly sizeBytes: number; readonly crc: number };
  readonly logs: Readonly<Record<FirstLog, LogFile>> &
    Readonly<Partial<Record<Exclude<LogName, FirstLog>, LogFile>>>;
  /** Runs of the id index. */
  readonly ids: readonly string[];
}

/**
 * Replaces state.json; durable when this resolves.
 *
 * @param assertOurs called before an existing file is replaced; its errors are passed on
 */
export async function writeState(
  files: FileSystem,
  inner: string,
  state: FolderState,
  assertOurs: () => void = () => undefined,
): Promise<void> {
  const text = JSON.stringify(state);
  const bytes = Buffer.from(`${JSON.stringify({ crc32: crc32(text), state }, null, 1)}\n`);
  const name = path.join(inner, STATE_FILE);
  const temporary = `${name}.tmp`;
  assertOurs();
  await writeFresh(files, temporary, [bytes]);
  assertOurs();
  files.rename(temporary, name);
  await files.syncDirectory(inner);
}

/**
 * @returns undefined when state.json does not exist
 * @throws Failure corrupt_state when it cannot be read
 */
export function readState(files: FileSystem, inner: string): FolderState | undefined {
  const name = path.join(inner, STATE_FILE);
  const bytes = readWhole(files, name);
  if (bytes === undefined) return undefined;
  let parsed: { crc32: number; state: FolderState };
  try {
    parsed = JSON.parse(bytes.toString('utf8')) as typeof parsed;
    if (crc32(JSON.stringify(parsed.state)) !== parsed.crc32) throw new Error('its checksum does not match');
  } catch (error) {
    throw corruptState(name, `it cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { format, seq } = parsed.state as Partial<FolderState>;
  if (format !== undefined && FORMER_FORMATS.includes(format)) return { ...parsed.state, seq: seq ?? 0 };
  if (format !== FORMAT) {
    throw new Failure('corrupt_state', `${name} has format ${format}; this version supports ${FORMAT}`, {
      fix: 'use the version of orderctl that wrote it',
      context: { file: name },
    });
  }
  return parsed.state;
}

export function corruptState(name: string, reason: string): Failure {
  return new Failure('corrupt_state', `${name} is damaged: ${reason}`, {
    fix: 'restore the whole folder from a backup; orders read since then are read again from Kafka',
    context: { file: name },
  });
}

/** Streams the tables into a new file, letting other work run between chunks; durable when this resolves. */
export async function writeSnapshot(
  files: FileSystem,
  name: string,
  lines: Iterable<StateLine>,
): Promise<{ sizeBytes: number; crc: number }> {
  let sizeBytes = 0;
  let crc = 0;
  const chunks = function* () {
    let text = '';
    for (const line of lines) {
      text += renderLine(line);
      if (text.length < CHUNK_BYTES) continue;
      yield Buffer.from(text);
      text = '';
    }
    yield Buffer.from(text);
  };
  const counted = function* () {
    for (const chunk of chunks()) {
      sizeBytes += chunk.byteLength;
      crc = crc32(chunk, crc);
      yield chunk;
    }
  };
  await writeFresh(files, name, counted());
  return { sizeBytes, crc };
}

/** @throws Failure corrupt_state */
export function readSnapshot(files: FileSystem, inner: string, state: FolderState, tables: Tables): void {
  const { file, sizeBytes, crc } = state.tables;
  const name = path.join(inner, file);
  const fd = openOrUndefined(files, name);
  if (fd === undefined) throw corruptState(name, 'it is missing');
  try {
    const view = new LogView(files, [{ fd, at: 0, position: 0, sizeBytes }]);
    let found = 0;
    for (const chunk of view.chunks()) found = crc32(chunk, found);
    if (found !== crc || files.statOpen(fd).sizeBytes !== sizeBytes) {
      throw corruptState(name, 'its checksum does not match');
    }
    for (const chunk of view.chunks()) restoreLines(chunk, tables);
  } finally {
    files.close(fd);
  }
}
