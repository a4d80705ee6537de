import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decided } from '../../domain/orders/decided.ts';
import { Failure } from '../../domain/failure.ts';
import { FORMAT, writeSnapshot, writeState, type FolderState } from './journal/checkpoint.ts';
import { journalPath, innerFolder, LOG_NAMES, type LogName } from './layout.ts';
import type { FileSystem } from './fs.ts';
import { DecidedIds } from './ids/decided-ids.ts';
import type { IdIndex } from './ids/index.ts';
import { entryOf, type Commit } from './journal/commit.ts';
import { encodeEntry } from './journal/entry.ts';
import { Journal } from './journal/journal.ts';
import {
  describeLogs,
  newFolderId,
  newerHalf,
  nextJournal,
  openLogs,
  removeOlder,
  syncNameOf,
  viewOf,
} from './ledger-files.ts';
import type { AppendLog, LogCut, LogView } from './logs/log.ts';
import { openIndex } from './ids/lookup.ts';
import { loadFolder, repairLogs, type LoadedFolder } from './journal/recover.ts';
import type { StateLine } from './tables/state-line.ts';
import { Tables } from './tables/tables.ts';

/**
 * A checkpoint bounds what a start has to recover, and what every reader has to read beside a running owner: about a
 * millisecond a MiB. Half and double the size make no difference to how fast orders are stored.
 */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;
/**
 * A large snapshot is written less often, so that it never costs more than the commits between two. Opening the
 * folder reads both, and a MiB of the snapshot takes much longer than a MiB of the journal.
 */
const CHECKPOINT_PER_SNAPSHOT = 8;

/**
 * How long the log of versions of a CSV may become, as a share of the size that calls for a checkpoint: 16 MiB, of which
 * the newer 8 are kept. With versions of a few minutes alone, the one that a user's editor loaded is gone when he saves.
 */
const VERSIONS_PER_CHECKPOINT = 1;
const MERGE_AT_END_MS = 1_000;

type VersionLog = 'users' | 'inventory';
const VERSION_LOGS: readonly VersionLog[] = ['users', 'inventory'];

/** What a checkpoint will say. */
interface Cut {
  readonly journal: FolderState['journal'];
  readonly lines: Iterable<StateLine>;
  readonly logs: Readonly<Record<LogName, LogCut>>;
}

const NOTHING = { seq: 0, chain: 0 };

/**
 * The truth of a folder in the hands of its owner: tables in memory, journal, logs and index of ids, moving
 * together. One commit at a time; the caller sees to that. Errors leave it in an unknown state: then it must not
 * be used again.
 */
export class Ledger {
  readonly folderId: string;
  readonly tables: Tables;
  /** Commits that recovery found after the last checkpoint. */
  readonly recoveredCommits: number;
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #logs: Record<LogName, AppendLog>;
  readonly #ids: DecidedIds;
  #journal: Journal;
  #state: FolderState | undefined;
  #checkpoint: Promise<void> | undefined;
  #hasChanged = false;
  /** What failed in the background. A sync that failed is never tried again: it would succeed, and promise what is lost. */
  #failure: { readonly error: unknown } | undefined;
  readonly #checkpointBytes: number;
  readonly #onFailure: (error: unknown) => void;

  private constructor(parts: {
    files: FileSystem;
    folder: string;
    folderId: string;
    loaded: LoadedFolder | undefined;
    logs: Record<LogName, AppendLog>;
    index: IdIndex;
    journal: Journal;
    checkpointBytes: number;
    onFailure: (error: unknown) => void;
  }) {
    this.#onFailure = parts.onFailure;
    this.#checkpointBytes = parts.checkpointBytes;
    this.#files = parts.files;
    this.#folder = parts.folder;
    this.#state = parts.loaded?.state;
    this.folderId = parts.folderId;
    this.tables = parts.loaded?.tables ?? new Tables();
    this.recoveredCommits = parts.loaded?.commits ?? 0;
    this.#logs = parts.logs;
    this.#ids = new DecidedIds(parts.files, innerFolder(parts.folder), parts.index, {
      view: (log) => this.view(log),
      onRebuilt: () => (this.#hasChanged = true),
      onFailure: (error) => this.#fail(error),
    });
    this.#journal = parts.journal;
  }

  /**
   * Opens a folder that this process owns: makes it when it is fresh, recovers it when it needs to be. What is
   * found in the journals is synced before anything is built on it.
   *
   * @param onFailure called when work in the background fails: then the ledger must not be used again
   */
  static async open(
    files: FileSystem,
    folder: string,
    onFailure: (error: unknown) => void,
    { checkpointBytes = CHECKPOINT_BYTES, newId = false }: { checkpointBytes?: number; newId?: boolean } = {},
  ): Promise<Ledger> {
    const inner = innerFolder(folder);
    const loaded = loadFolder(files, folder);
    try {
      if (loaded === undefined) {
        files.makeDirectory(inner);
        await syncNameOf(files, folder);
        await files.syncDirectory(folder);
      } else {
        for (const fd of loaded.journalFds) await files.datasync(fd);
        // Their names too: an owner that was killed may not have come to it.
        await files.syncDirectory(inner);
        repairLogs(files, folder, loaded);
      }
      const logs = openLogs(files, folder, loaded);
      const { index, rebuilt } = openIndex(files, inner, loaded?.state, (log) => viewOf(files, logs[log]));
      const goesOn = !newId && loaded?.commits === 0 && !loaded.journal.torn && !rebuilt;
      const journal = goesOn
        ? Journal.open(
            files,
            journalPath(inner, loaded.journal.number),
            loaded.journal.number,
            loaded.journal.end,
          )
        : await nextJournal(files, inner, loaded?.journal ?? { number: 0, end: NOTHING });
      const known = newId ? undefined : loaded?.state.folderId;
      const folderId = known ?? (await newFolderId());
      const parts = { files, folder, folderId, loaded, logs, index, journal, checkpointBytes, onFailure };
      const ledger = new Ledger(parts);
      // A record of ours in the journal: an owner from before, should it wake up, finds that it is not alone.
      if (goesOn) await journal.commit([]);
      else await ledger.#writeCheckpoint(ledger.#cut(loaded?.journal.end ?? NOTHING));
      ledger.#ids.startMerge();
      return ledger;
    } finally {
      for (const fd of loaded?.journalFds ?? []) files.close(fd);
    }
  }

  /** Makes a commit durable and then visible. */
  async commit(commit: Commit): Promise<void> {
    this.#assertSound();
    const entry = entryOf(commit, (log) => this.#logs[log].sizeBytes);
    await this.#journal.commit(encodeEntry(entry));
    this.#hasChanged = true;

    for (const log of ['orders', 'rejections'] as const) {
      this.#ids.add(log, commit[log], this.#logs[log].sizeBytes);
    }
    for (const { log, parts } of entry.logs) for (const part of parts) this.#logs[log].append(part);
    for (const line of commit.lines) this.tables.apply(line);
    if (commit.sales !== undefined) this.tables.applySales(commit.sales);
  }

  /** Builds the index again from the logs, for the next checkpoint to name. */
  rebuildIndex(): void {
    this.#ids.rebuild();
  }

  decided(orderId: string): Decided | undefined {
    return this.#ids.decided(orderId);
  }

  /** A log up to its present end. */
  view(log: LogName): LogView {
    return viewOf(this.#files, this.#logs[log]);
  }

  get checkpointDue(): boolean {
    const due = Math.max(
      this.#checkpointBytes,
      (this.#state?.tables.sizeBytes ?? 0) * CHECKPOINT_PER_SNAPSHOT,
    );
    if (this.#checkpoint !== undefined) return false;
    return this.#journal.end.sizeBytes > due || VERSION_LOGS.some((log) => this.#isLong(log));
  }

  /** Begins a checkpoint: resolves when commits may go on, while the rest is done in the background. */
  async startCheckpoint(): Promise<void> {
    const old = this.#journal;
    this.#assertSound();
    this.#journal = await nextJournal(this.#files, innerFolder(this.#folder), old);
    old.close();
    const shortened = VERSION_LOGS.filter((log) => this.#isLong(log));
    for (const log of shortened) {
      this.#logs[log] = newerHalf(
        this.#files,
        innerFolder(this.#folder),
        log,
        this.#logs[log],
        this.#journal.number,
      );
    }
    this.#checkpoint = this.#writeCheckpoint(this.#cut(old.end))
      .then(() => this.#ids.startMerge())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => (this.#checkpoint = undefined));
    // Journals hold positions in a log: none may be for the new file before state.json names it.
    if (shortened.length > 0) await this.#checkpoint;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#onFailure(error);
  }

  #isLong(log: VersionLog): boolean {
    return this.#logs[log].sizeBytes > this.#checkpointBytes * VERSIONS_PER_CHECKPOINT;
  }

  /** The last checkpoint of this owner: whatever the journal holds goes into it. */
  async finish(): Promise<void> {
    await this.#checkpoint;
    if (!this.#hasChanged) return;
    // Owners that live shortly would never see the end of a merge that is always given up.
    await Promise.race([this.#ids.merged(), sleep(MERGE_AT_END_MS, undefined, { ref: false })]);
    await this.startCheckpoint();
    await this.#checkpoint;
  }

  /** Waits for the background, then lets go of all files. Writes nothing. */
  async close(): Promise<void> {
    await this.#checkpoint;
    this.#journal.close();
    for (const log of LOG_NAMES) this.#logs[log].close();
    this.#ids.close();
    await this.#ids.merged();
  }

  /** Everything that the checkpoint will say, as it is at this moment. */
  #cut(after: { seq: number; chain: number }): Cut {
    for (const log of LOG_NAMES) this.#logs[log].assertOurs();
    this.#hasChanged = false;
    const logs = LOG_NAMES.map((log) => [log, this.#logs[log].cut()] as const);
    return {
      journal: { number: this.#journal.number, seq: after.seq, chain: after.chain },
      lines: this.tables.snapshot(),
      logs: Object.fromEntries(logs) as Record<LogName, LogCut>,
    };
  }

  async #writeCheckpoint(cut: Cut): Promise<void> {
    const inner = innerFolder(this.#folder);
    for (const log of LOG_NAMES) await this.#logs[log].sync();
    const file = `tables.${cut.journal.number}`;
    const snapshot = await writeSnapshot(this.#files, path.join(inner, file), cut.lines);
    // It may name more than the cut: a look-up reads the line.
    const ids = await this.#ids.seal();
    await this.#files.syncDirectory(this.#folder);
    await this.#files.syncDirectory(inner);
    const state: FolderState = {
      format: FORMAT,
      folderId: this.folderId,
      journal: cut.journal,
      tables: { file, ...snapshot },
      logs: describeLogs(this.#folder, this.#logs, cut.logs),
      ids,
    };
    await writeState(this.#files, inner, state);
    this.#state = state;
    await this.#ids.dropUnused(ids);
    await removeOlder(this.#files, inner, state);
  }

  #assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#journal.isOurs()) return;
    throw new Failure(
      'folder_in_use',
      `${this.#journal.path} was changed by another process: this one stops writing`,
      {
        fix: 'see that one consumer only works on the folder, then start again: nothing that was decided is lost',
        context: { file: this.#journal.path },
      },
    );
  }
}
