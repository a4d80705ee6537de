import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { Clock } from '../../../ports/clock.ts';
import { STATE_FILE, innerFolder, isStorage, noStorage, type LogName } from '../layout.ts';
import { readWhole, openOrUndefined } from '../whole-files.ts';
import type { FileSystem } from '../fs.ts';
import { INVENTORY, USERS } from '../tables/columns.ts';
import { sameStat, savedMsOf, unsettledMs, type FileFacts } from '../edits/hand-edit-look.ts';
import { checkLog, EMPTY_LOG, LogView } from '../logs/log.ts';
import { checkAgainstJournal, fileOf, loadFolder, logsOf, type LoadedFolder } from './recover.ts';
import { Tables } from '../tables/tables.ts';
import { refuseHalfReplaced } from '../whole/seal.ts';

const RETRIES = 20;
const RETRY_MS = 25;

/** A CSV as it was found. */
export interface FoundCsv {
  readonly name: string;
  /** undefined: it does not exist. */
  readonly bytes: Buffer | undefined;
  /** For how many more milliseconds it may be in the middle of being written. */
  readonly unsettledMs: number;
  readonly facts: FileFacts;
}

function readCsv(
  files: FileSystem,
  folder: string,
  { file }: { readonly file: string },
  nowMs: number,
): FoundCsv {
  const name = path.join(folder, file);
  const stat = files.stat(name);
  const waitMs = stat === undefined ? 0 : unsettledMs(files, name, stat);
  const bytes = readWhole(files, name);
  // Once another file is in its place, only the owner knows whether the newest version was read.
  const facts = { nowMs, savedMs: savedMsOf(stat), isNewestUnread: false };
  return { name, bytes, facts, unsettledMs: sameStat(stat, files.stat(name)) ? waitMs : RETRY_MS };
}

/**
 * A folder at one moment, read without a lock while its owner runs. The files that it has opened stay readable when the
 * owner replaces them, since descriptors outlive names.
 */
export class FolderSnapshot {
  /** undefined: the folder has no state yet. */
  readonly loaded: LoadedFolder | undefined;
  /** The committed tables, without hand edits that are not applied yet. */
  readonly tables: Tables;
  readonly csvs: { readonly users: FoundCsv; readonly inventory: FoundCsv };
  readonly #files: FileSystem;
  readonly #views = new Map<LogName, LogView>();
  readonly #fds: number[];

  private constructor(files: FileSystem, loaded: LoadedFolder | undefined, csvs: FolderSnapshot['csvs']) {
    this.loaded = loaded;
    this.tables = loaded?.tables ?? new Tables();
    this.csvs = csvs;
    this.#files = files;
    this.#fds = [...(loaded?.journalFds ?? [])];
  }

  /**
   * @param settle called with what was found; it returns 0, or how many milliseconds to wait before the folder is read
   * again. `isLast`: it is not called again
   * @throws Failure not_found: it is not a storage folder; corrupt_state; those of `settle`
   */
  static async open(
    files: FileSystem,
    folder: string,
    clock: Clock,
    settle: (found: FolderSnapshot, isLast: boolean) => number,
  ): Promise<FolderSnapshot> {
    const state = path.join(innerFolder(folder), STATE_FILE);
    refuseHalfReplaced(files, folder);
    if (!isStorage(files, folder)) throw noStorage(files, folder);
    for (let attempt = 1; ; attempt++) {
      const before = files.stat(state);
      // Read before the journal: what the owner has put in place was committed as a version earlier.
      const csvs = {
        users: readCsv(files, folder, USERS, clock.now()),
        inventory: readCsv(files, folder, INVENTORY, clock.now()),
      };
      let waitMs = RETRY_MS;
      let found: FolderSnapshot | undefined;
      try {
        found = new FolderSnapshot(files, loadFolder(files, folder), csvs);
        if (found.loaded !== undefined) {
          for (const log of logsOf(found.loaded)) found.#openLog(folder, log, found.loaded);
        }
        if (sameStat(before, files.stat(state))) {
          waitMs = settle(found, attempt >= RETRIES);
          if (waitMs === 0) return found;
        }
        found.close();
      } catch (error) {
        found?.close();
        // A checkpoint at this moment removes files that the previous state named.
        const moved = !sameStat(before, files.stat(state));
        if (!moved || !(error instanceof Failure) || attempt >= RETRIES) throw error;
      }
      await clock.sleep(waitMs);
    }
  }

  #openLog(folder: string, log: LogName, loaded: LoadedFolder): void {
    const state = loaded.state.logs[log] ?? EMPTY_LOG;
    const name = path.join(folder, fileOf(loaded, log));
    const sizeBytes = checkLog(this.#files, name, state);
    checkAgainstJournal(this.#files, folder, loaded, log, sizeBytes);
    const parts = [...(loaded.tails.get(log) ?? [])];
    if (state.sizeBytes > 0) {
      const fd = openOrUndefined(this.#files, name);
      if (fd === undefined) return;
      this.#fds.push(fd);
      parts.unshift({ fd, at: 0, position: 0, sizeBytes: state.sizeBytes });
    }
    this.#views.set(log, new LogView(this.#files, parts, name));
  }

  /** A log including everything committed. */
  view(log: LogName): LogView {
    return this.#views.get(log) ?? new LogView(this.#files, []);
  }

  close(): void {
    for (const fd of this.#fds.splice(0)) this.#files.close(fd);
  }
}
