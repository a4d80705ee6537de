import path from 'node:path';
import { journalPath, LOG_FILES, type LogName } from './layout.ts';
import { errorCode, type FileSystem } from './fs.ts';
import { Journal } from './journal/journal.ts';
import { AppendLog, linesOf, LogView, NO_LOG } from './logs/log.ts';
import { logEnd, type LoadedFolder } from './journal/recover.ts';

/** A log up to where its owner has written it. */
export function viewOf(files: FileSystem, { fd, sizeBytes, lineWindow }: AppendLog): LogView {
  return new LogView(files, [{ fd, at: 0, position: 0, sizeBytes }], lineWindow);
}

/** Where the first line begins at or after `position`; where the last one does when none is after it. */
export function lineStartAfter(view: LogView, position: number): number {
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
