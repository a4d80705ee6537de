import path from 'node:path';
import { syncNameOf } from '../../directories.ts';
import { Failure } from '../../domain/failure.ts';
import type { OwnedIndex } from './ids/owned-index.ts';
import { FORMAT, writeSnapshot, writeState, type FolderState } from './journal/checkpoint.ts';
import { innerFolder, journalPath, segmentNumber } from './layout.ts';
import type { LogCuts, Logs } from './logs/logs.ts';
import type { StateLine } from './tables/state-line.ts';
import type { FileSystem } from './fs.ts';
import { Journal } from './journal/journal.ts';
import { repairLogs, type LoadedFolder } from './journal/recover.ts';
import { keepFormer } from './journal/upgrade.ts';

/** Creates a fresh folder; durable when this resolves. */
export async function makeFolder(files: FileSystem, folder: string): Promise<void> {
  files.makeDirectory(innerFolder(folder));
  await syncNameOf(folder, (name) => files.syncDirectory(name));
  await files.syncDirectory(folder);
}

/**
 * Brings the files of a folder in line with its true state, and syncs those that it was found in, since commits build
 * on it.
 */
export async function repairFolder(files: FileSystem, folder: string, loaded: LoadedFolder): Promise<void> {
  const inner = innerFolder(folder);
  for (const fd of loaded.journalFds) await files.datasync(fd);
  // Their names too: an owner that was killed may not have synced them.
  await files.syncDirectory(inner);
  if (loaded.state.format !== FORMAT) await keepFormer(files, inner, loaded);
  repairLogs(files, folder, loaded);
}

/** Creates the journal that continues where another ends; durable with its name when this resolves. */
export async function nextJournal(
  files: FileSystem,
  inner: string,
  before: { readonly number: number; readonly end: { seq: number; chain: number } },
): Promise<Journal> {
  const number = before.number + 1;
  const name = journalPath(inner, number);
  // A crash left it half created: recovery found no record in it.
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

/** Random. Loads cryptography, but only once in the life of a folder. */
export async function newFolderId(): Promise<string> {
  const { randomUUID } = await import('node:crypto');
  return randomUUID();
}

/**
 * Call this before anything is written.
 *
 * @throws Failure folder_in_use when another process has written, write_failed when the folder no longer exists
 */
export function assertAlone(files: FileSystem, folder: string, journal: Journal): void {
  if (journal.isOurs()) return;
  throw files.stat(innerFolder(folder)) === undefined ? removed(folder) : notAlone(journal.path);
}

function notAlone(journal: string): Failure {
  return new Failure('folder_in_use', `${journal} was changed by another process: this one stops writing`, {
    fix: 'make sure that only one consumer uses the folder, then start again: no decision is lost',
    context: { file: journal },
  });
}

function removed(folder: string): Failure {
  return new Failure('write_failed', `${folder} was removed or moved: this process stops writing`, {
    fix: 'put the folder back, or restore a backup, then start again',
    context: { file: folder },
  });
}

/** The content of a checkpoint that is to be written. */
export interface Cut {
  readonly seq: number;
  readonly journal: FolderState['journal'];
  readonly lines: Iterable<StateLine>;
  readonly logs: LogCuts;
  /** The newest segment of the outbox. */
  readonly lastSegment: number;
}

interface CheckpointParts {
  readonly files: FileSystem;
  readonly folder: string;
  readonly logs: Logs;
  readonly ids: OwnedIndex;
  /**
   * Throws when another process has written. An owner that was paused in the middle of a checkpoint, and whose folder
   * another process owns since, would otherwise replace a newer state with its own, and remove the files that the newer
   * one names.
   */
  readonly assertOurs: () => void;
}

/** Makes a cut durable, and removes the files that are no longer needed. */
export async function writeCheckpoint(
  { files, folder, logs, ids, assertOurs }: CheckpointParts,
  folderId: string,
  cut: Cut,
): Promise<FolderState> {
  const inner = innerFolder(folder);
  await logs.sync();
  const file = `tables.${cut.journal.number}`;
  const snapshot = await writeSnapshot(files, path.join(inner, file), cut.lines);
  // The index may have lines after the cut: each look-up verifies the line.
  const runs = await ids.seal();
  await files.syncDirectory(folder);
  await files.syncDirectory(inner);
  const state: FolderState = {
    format: FORMAT,
    folderId,
    seq: cut.seq,
    journal: cut.journal,
    tables: { file, ...snapshot },
    logs: logs.describe(cut.logs),
    ids: runs,
  };
  await writeState(files, inner, state, assertOurs);
  for (const name of [...ids.unused(runs), ...olderFiles(files, inner, state, cut.lastSegment)]) {
    assertOurs();
    await files.discard(path.join(inner, name));
  }
  return state;
}

/** Files that the previous state named, and those that a crash has left. */
function olderFiles(
  files: FileSystem,
  inner: string,
  state: FolderState,
  lastSegment: number,
): readonly string[] {
  const named = new Set(Object.values(state.logs).map((log) => path.basename(log?.file ?? '')));
  return files.list(inner).filter((name) => {
    const number = Number(/^(?:journal|tables)\.(\d+)$/.exec(name)?.[1] ?? NaN);
    const unnamed = /^(?:users|inventory)\.versions\.\d+$/.test(name) && !named.has(name);
    const isSent = segmentNumber(name) <= lastSegment && !named.has(name);
    return unnamed || isSent || number < state.journal.number;
  });
}
