import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import { corruptState, readSnapshot, readState, type FolderState } from './checkpoint.ts';
import {
  DECISION_LOGS,
  fileOfLog,
  innerFolder,
  isFactFile,
  journalPath,
  segmentNumber,
  STATE_FILE,
  type LogName,
} from '../layout.ts';
import type { FileSystem } from '../fs.ts';
import { decodeEntry } from './entry.ts';
import { scanJournal, type JournalEnd, type ScanResult } from './journal.ts';
import { damagedLog } from '../logs/damage.ts';
import { checkLog, EMPTY_LOG, type FilePart } from '../logs/log.ts';
import { openOrUndefined } from '../whole-files.ts';
import { CommittedLines } from './state-lines.ts';
import { Tables } from '../tables/tables.ts';

/*
 * Finds the true state from the files: state.json, the snapshot that it names, the logs up to the sizes that it names,
 * and the chain of journals after it. `loadFolder` only reads, for readers and owners alike. `repairLogs` is for
 * owners: it brings the logs on disk in line with the journals.
 */

export interface LoadedFolder {
  readonly state: FolderState;
  readonly tables: Tables;
  /** The last journal of the chain and where it ends. */
  readonly journal: {
    readonly number: number;
    readonly end: JournalEnd;
    readonly torn: boolean;
    /** Its size when it was read, including an unfinished record. */
    readonly readBytes: number;
  };
  /** All journals of the chain, open for reading: they contain `tails`. */
  readonly journalFds: readonly number[];
  /** The number of commits found in the journals. */
  readonly commits: number;
  /** The number of the last transaction. */
  readonly seq: number;
  /** What was added to each log since the checkpoint, from the journals. */
  readonly tails: ReadonlyMap<LogName, readonly FilePart[]>;
}

/**
 * @returns undefined when the folder is fresh: orderctl has written nothing to it yet
 * @throws Failure corrupt_state
 */
export function loadFolder(files: FileSystem, folder: string): LoadedFolder | undefined {
  const inner = innerFolder(folder);
  const state = readState(files, inner);
  if (state === undefined) {
    assertFresh(files, folder);
    return undefined;
  }
  const tables = new Tables();
  readSnapshot(files, inner, state, tables);
  const tails = new Map<LogName, FilePart[]>();
  let { seq } = state;
  const fds: number[] = [];
  const lines = new CommittedLines(tables);
  try {
    const chain = readJournals(files, inner, state, fds, (payload, payloadAt, fd) => {
      const entry = decodeEntry(payload);
      for (const { log, position, bytes, at } of entry.logs) {
        const parts = tails.get(log) ?? [];
        tails.set(log, parts);
        parts.push({ fd, at: payloadAt + at, position, sizeBytes: bytes.byteLength });
      }
      seq = Math.max(seq, entry.seq);
      lines.apply(entry.state);
    });
    lines.finish();
    return { state, tables, journalFds: fds, tails, seq, ...chain };
  } catch (error) {
    for (const fd of fds) files.close(fd);
    throw error;
  }
}

/** Follows the chain of journals from the one that the state names. */
function readJournals(
  files: FileSystem,
  inner: string,
  state: FolderState,
  fds: number[],
  onCommit: (payload: Buffer, payloadAt: number, fd: number) => void,
): Pick<LoadedFolder, 'journal' | 'commits'> {
  let commits = 0;
  let journal: LoadedFolder['journal'] | undefined;
  let after: { seq: number; chain: number } = state.journal;
  const openJournal = (number: number): number | undefined => {
    const fd = openOrUndefined(files, journalPath(inner, number));
    if (fd !== undefined) fds.push(fd);
    return fd;
  };
  let next = openJournal(state.journal.number);
  for (let number = state.journal.number; ; number++) {
    const name = journalPath(inner, number);
    const fd = next;
    if (fd === undefined) {
      if (journal === undefined) throw corruptState(name, 'it is missing');
      return { journal, commits };
    }
    // Opened before this one is read: an owner creates the next journal after its last record here. A journal created
    // later continues after records that are not seen here.
    next = openJournal(number + 1);
    // It must continue from the last record of the previous journal, or it is not part of this chain.
    const chained: boolean[] = [];
    const readBytes = files.statOpen(fd).sizeBytes;
    const result: ScanResult = scanJournal(files, fd, (record) => {
      if (chained.length === 0) chained.push(record.seq === after.seq + 1 && record.previous === after.chain);
      // An empty record only marks that an owner has started here.
      else if (chained[0] === true && record.payload.byteLength > 0) {
        commits += 1;
        onCommit(record.payload, record.payloadAt, fd);
      }
    });
    if (result.kind === 'damaged') {
      throw corruptState(name, `the record at byte ${result.position} is damaged, although it was synced`);
    }
    if (result.kind === 'empty') {
      if (journal === undefined) throw corruptState(name, 'its first record is damaged');
      // Power failed while it was being created, so nothing was committed to it.
      return { journal, commits };
    }
    // An owner that continues after an unfinished record chains to the last complete one.
    if (chained[0] !== true) {
      throw corruptState(name, 'it does not continue from the end of the previous journal');
    }
    journal = { number, end: result.end, torn: result.torn, readBytes };
    after = result.end;
  }
}

/**
 * A folder without state.json is fresh only when orderctl has written nothing to it: a checkpoint is durable before the
 * first decision, so a filled log means that `.orderctl/` was lost.
 */
function assertFresh(files: FileSystem, folder: string): void {
  const inner = innerFolder(folder);
  const isFilled = (log: string): boolean => (files.stat(path.join(folder, log))?.sizeBytes ?? 0) > 0;
  const filled = [...DECISION_LOGS, fileOfLog('movements')].filter(isFilled);
  // Users may have .jsonl files of their own in the folder: lines with a transaction number are ours.
  for (const { file, seq } of factFiles(files, folder)) if (seq > 0) filled.push(file);
  const [first] = filled;
  if (first !== undefined) {
    const all = filled.join(', ');
    throw new Failure(
      'corrupt_state',
      `${path.join(folder, first)} contains decisions, but ${path.join(inner, STATE_FILE)} is missing`,
      {
        fix: `restore ${inner} from a backup; or, to start over and process every order again, move ${all} away`,
        context: { file: path.join(inner, STATE_FILE) },
      },
    );
  }
  // The first journal may exist when power failed while the folder was being created; a second one never does.
  if (
    files.stat(journalPath(inner, 2)) !== undefined ||
    (files.stat(path.join(inner, 'edits.jsonl'))?.sizeBytes ?? 0) > 0
  ) {
    throw corruptState(path.join(inner, STATE_FILE), 'it is missing, although a journal was in use');
  }
}

/** The size of a log, including what only the journals contain. */
export function logEnd(loaded: LoadedFolder, log: LogName): number {
  const last = loaded.tails.get(log)?.at(-1);
  return last === undefined ? (loaded.state.logs[log]?.sizeBytes ?? 0) : last.position + last.sizeBytes;
}

/** The existing logs, and the log of movements, which may have existed. */
export function logsOf({ state, tails }: LoadedFolder): ReadonlySet<LogName> {
  return new Set([...(Object.keys(state.logs) as LogName[]), 'movements', ...tails.keys()]);
}

/**
 * If the records that created a log were lost from the journal, only numbers reveal that: those in the lines of a log
 * of facts, and that of a segment, whose file is empty until the commit that starts it is durable.
 */
function checkUnknownLogs(files: FileSystem, folder: string, loaded: LoadedFolder): void {
  const known = new Set(Array.from(logsOf(loaded), (log) => fileOf(loaded, log)));
  for (const { file, seq } of factFiles(files, folder)) {
    if (known.has(file) || seq <= loaded.seq) continue;
    const reason = `it starts with transaction ${seq}, but the journal ends with ${loaded.seq}`;
    throw damagedLog(path.join(folder, file), reason);
  }
  const inner = innerFolder(folder);
  const newer = files.list(inner).filter((file) => segmentNumber(file) > loaded.tables.queues.lastSegment);
  for (const file of newer) {
    const name = path.join(inner, file);
    const sizeBytes = files.stat(name)?.sizeBytes ?? 0;
    if (sizeBytes > 0) throw beyondJournal(name, sizeBytes, 0);
  }
}

/** Finds files that may be logs of facts. @returns `seq`: the transaction of its first line; 0: it names none */
function* factFiles(
  files: FileSystem,
  folder: string,
): Generator<{ readonly file: string; readonly seq: number }> {
  const begin = Buffer.alloc(64);
  for (const file of files.list(folder)) {
    const fd = isFactFile(file) ? openOrUndefined(files, path.join(folder, file)) : undefined;
    if (fd === undefined) continue;
    try {
      const text = begin.toString('latin1', 0, files.read(fd, begin, 0));
      yield { file, seq: Number(/^\{"seq":(\d+),/.exec(text)?.[1] ?? 0) };
    } finally {
      files.close(fd);
    }
  }
}

/** The file of a log, relative to the folder. */
export function fileOf({ state }: LoadedFolder, log: LogName): string {
  return state.logs[log]?.file ?? fileOfLog(log);
}

/**
 * Checks that a log is not longer than the journals say: it is written after its journal record, so a longer one means
 * that records were lost. An owner may check at any time, a reader only while no process commits.
 *
 * @param sizeBytes the size of the log, measured after `loaded` was read
 * @throws Failure corrupt_state
 */
export function checkAgainstJournal(
  files: FileSystem,
  folder: string,
  loaded: LoadedFolder,
  log: LogName,
  sizeBytes: number,
): void {
  const { number, readBytes } = loaded.journal;
  const inner = innerFolder(folder);
  const end = logEnd(loaded, log);
  if (sizeBytes <= end || files.stat(journalPath(inner, number))?.sizeBytes !== readBytes) return;
  if (files.stat(journalPath(inner, number + 1)) !== undefined) return;
  throw beyondJournal(path.join(folder, fileOf(loaded, log)), sizeBytes, end);
}

function beyondJournal(name: string, sizeBytes: number, end: number): Failure {
  return damagedLog(name, `it has ${sizeBytes} bytes, but the journal accounts for only ${end}`);
}

/**
 * Repairs the logs: verifies them up to the checkpoint, and writes the rest again from the journals. They are not
 * synced, since the journals contain the same until the next checkpoint.
 *
 * @throws Failure corrupt_state when a log is shorter than the checkpoint says, differs before it, or is longer than
 * all commits
 */
export function repairLogs(files: FileSystem, folder: string, loaded: LoadedFolder): void {
  checkUnknownLogs(files, folder, loaded);
  for (const log of logsOf(loaded)) {
    const name = path.join(folder, fileOf(loaded, log));
    const sizeBytes = checkLog(files, name, loaded.state.logs[log] ?? EMPTY_LOG);
    const tail = loaded.tails.get(log) ?? [];
    const end = logEnd(loaded, log);
    // A log is written only after its journal record is synced: if no record has its end, the journal has lost one.
    if (sizeBytes > end) throw beyondJournal(name, sizeBytes, end);
    if (tail.length === 0) continue;
    const fd = files.open(name, 'append');
    try {
      for (const part of tail) {
        const bytes = Buffer.allocUnsafe(part.sizeBytes);
        files.read(part.fd, bytes, part.at);
        files.write(fd, bytes, part.position);
      }
    } finally {
      files.close(fd);
    }
  }
}
