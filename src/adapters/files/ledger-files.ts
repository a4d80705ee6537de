import type { FolderState } from './journal/checkpoint.ts';
import path from 'node:path';
import { journalPath, LOG_FILES, type LogName, LOG_NAMES } from './layout.ts';
import { errorCode, type FileSystem } from './fs.ts';
import { Journal } from './journal/journal.ts';
import { AppendLog, linesOf, LogView, NO_LOG, type LogCut } from './logs/log.ts';
import { logEnd, type LoadedFolder } from './journal/recover.ts';

/** A log up to where its owner has written it. */
export function viewOf(files: FileSystem, { fd, sizeBytes, lineWindow }: AppendLog): LogView {
  return new LogView(files, [{ fd, at: 0, position: 0, sizeBytes }], lineWindow);
}

/** Where the first line begins at or after `position`; where the last one does when none is after it. */
function lineStartAfter(view: LogView, position: number): number {
  let start = 0;
  let at = 0;
  for (const chunk of view.chunks()) {
    for (const { at: lineAt } of linesOf(chunk)) {
      start = at + lineAt;
      if (start >= position) return start;
    }
    at += chunk.byteLength;
  }
  return start;
}

/** The logs of a folder, each at the end of what is true of it. */
export function openLogs(
  files: FileSystem,
  folder: string,
  loaded: LoadedFolder | undefined,
): Record<LogName, AppendLog> {
  const open = (log: LogName): AppendLog => {
    const known = loaded?.state.logs[log] ?? { file: LOG_FILES[log], ...NO_LOG };
    const sizeBytes = loaded === undefined ? 0 : logEnd(loaded, log);
    return new AppendLog(files, path.join(folder, known.file), sizeBytes, known);
  };
  return {
    orders: open('orders'),
    rejections: open('rejections'),
    edits: open('edits'),
    users: open('users'),
    inventory: open('inventory'),
  };
}

/** Directories of others, which are not to be read, and file systems that do not sync any. */
const NOT_OURS_TO_SYNC = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL']);

/** Makes the name of a folder durable, and the names of those above it that may have been made along with it. */
export async function syncNameOf(files: FileSystem, folder: string): Promise<void> {
  const parent = path.dirname(folder);
  await files.syncDirectory(parent);
  try {
    for (let up = parent; up !== path.dirname(up);) await files.syncDirectory((up = path.dirname(up)));
  } catch (error) {
    if (!NOT_OURS_TO_SYNC.has(errorCode(error) ?? '')) throw error;
  }
}

/** Makes the journal that goes on where another ends; it is durable with its name when this resolves. */
export async function nextJournal(
  files: FileSystem,
  inner: string,
  before: { readonly number: number; readonly end: { seq: number; chain: number } },
): Promise<Journal> {
  const number = before.number + 1;
  const name = journalPath(inner, number);
  // What a crash left while it was being made: recovery found no record in it.
  files.unlink(name);
  const journal = await Journal.create(files, name, number, before.end);
  try {
    await files.syncDirectory(inner);
  } catch (error) {
    journal.close();
    throw error;
  }
  return journal;
}

/** Random; cryptography is loaded for it once in the life of a folder, not with each command. */
export async function newFolderId(): Promise<string> {
  const { randomUUID } = await import('node:crypto');
  return randomUUID();
}

/**
 * Copies the newer half of a log of versions into a new file, which the checkpoint to come will name, and closes the
 * old one.
 *
 * @param number of the journal that goes on after that checkpoint
 */
export function newerHalf(
  files: FileSystem,
  inner: string,
  log: 'users' | 'inventory',
  old: AppendLog,
  number: number,
): AppendLog {
  const view = viewOf(files, old);
  const name = path.join(inner, `${log}.versions.${number}`);
  // What a crash left: no state.json has named it.
  files.unlink(name);
  const shortened = new AppendLog(files, name, 0, NO_LOG);
  for (const chunk of view.chunks(lineStartAfter(view, old.sizeBytes / 2))) shortened.append(chunk);
  old.close();
  return shortened;
}

/** What a checkpoint says of the logs as they were at its cut. */
export function describeLogs(
  folder: string,
  logs: Readonly<Record<LogName, AppendLog>>,
  cuts: Readonly<Record<LogName, LogCut>>,
): FolderState['logs'] {
  const described = LOG_NAMES.map((log) => {
    const file = path.relative(folder, logs[log].path);
    return [log, { file, ...logs[log].describe(cuts[log]) }];
  });
  return Object.fromEntries(described) as FolderState['logs'];
}

/** Removes what the state before named, and what a crash has left. */
export async function removeOlder(files: FileSystem, inner: string, state: FolderState): Promise<void> {
  const named = new Set(LOG_NAMES.map((log) => path.basename(state.logs[log].file)));
  for (const name of files.list(inner)) {
    const number = Number(/^(?:journal|tables)\.(\d+)$/.exec(name)?.[1] ?? NaN);
    const unnamed = /^(?:users|inventory)\.versions\.\d+$/.test(name) && !named.has(name);
    if (unnamed || number < state.journal.number) await files.discard(path.join(inner, name));
  }
}
