import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Decided } from '../../domain/orders/decided.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { FORMAT, writeSnapshot, writeState, type FolderState } from './journal/checkpoint.ts';
import { journalPath, innerFolder, LOG_NAMES, type LogName } from './layout.ts';
import type { DecisionLines } from './logs/decision-lines.ts';
import { totalBytes, type FileSystem } from './fs.ts';
import type { IdIndex } from './ids/index.ts';
import { encodeEntry, type LogBytes } from './journal/entry.ts';
import { Journal } from './journal/journal.ts';
import { lineStartAfter, newFolderId, nextJournal, openLogs, syncNameOf, viewOf } from './ledger-files.ts';
import { AppendLog, NO_LOG, type LogCut, type LogState, type LogView } from './logs/log.ts';
import { lookUp, openIndex, rebuildIndex } from './ids/lookup.ts';
import { loadFolder, repairLogs, type LoadedFolder } from './journal/recover.ts';
import type { Sales } from './tables/sales.ts';
import { renderLine, type StateLine } from './tables/state-line.ts';
import { Tables } from './tables/tables.ts';
import { textBytes } from './logs/text-bytes.ts';

/**
 * A checkpoint bounds what a start has to recover, and what every reader has to read beside a running owner: about a
 * millisecond a MiB. Half and double the size make no difference to how fast orders are stored.
 */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;
/**
 * A large snapshot is written less often, so that it never costs more than the commits between two. Whoever opens the
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

/** What one commit changes. */
export interface Commit {
  readonly orders?: DecisionLines;
  readonly rejections?: DecisionLines;
  readonly sales?: Sales;
  readonly logs?: Partial<Record<'edits' | 'users' | 'inventory', readonly Uint8Array[]>>;
  /** Gone through twice. */
  readonly lines: Iterable<StateLine>;
}

/** What a checkpoint will say. */
interface Cut {
  readonly journal: FolderState['journal'];
  readonly lines: Iterable<StateLine>;
  readonly logs: Readonly<Record<LogName, LogCut>>;
}

const NOTHING = { seq: 0, chain: 0 };

function* rendered(lines: Iterable<StateLine>): Generator<string> {
  for (const line of lines) yield renderLine(line);
}

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
  #index: IdIndex;
  #merge: Promise<void> = Promise.resolve();
  /** A merge has found it damaged. */
  #indexDamaged = false;
  #journal: Journal;
  #state: FolderState | undefined;
  #checkpoint: Promise<void> | undefined;
  #hasChanged = false;
  /** What failed in the background. A sync that failed is never tried again: it would succeed, and promise what is lost. */
  #failure: { readonly error: unknown } | undefined;
  readonly #checkpointBytes: number;
  readonly #onFailure: (error: unknown) => void;
  /** Made once: an id is looked up for every order. */
  readonly #view = (log: LogName): LogView => this.view(log);
  readonly #rebuilt = (): IdIndex => (this.#index = this.#builtIndex());

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
    this.#index = parts.index;
    this.#journal = parts.journal;
  }

  /**
   * Opens a folder that this process owns: makes it when it is fresh, recovers it when it needs to be. What is
   * found in the journals is synced before anything is built on it.
   *
   * @param onFailure told when work in the background fails: then the ledger must not be used again
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
      ledger.#startMerge();
      return ledger;
    } finally {
      for (const fd of loaded?.journalFds ?? []) files.close(fd);
    }
  }

  /** Makes a commit durable and then visible. */
  async commit(commit: Commit): Promise<void> {
    this.#assertSound();
    const logs: LogBytes[] = [];
    for (const log of LOG_NAMES) {
      const parts =
        (log === 'orders' || log === 'rejections' ? commit[log]?.parts : commit.logs?.[log]) ?? [];
      const sizeBytes = totalBytes(parts);
      if (sizeBytes > 0) logs.push({ log, position: this.#logs[log].sizeBytes, parts, sizeBytes });
    }
    const state: Uint8Array[] = textBytes(rendered(commit.lines));
    // After the lines: what was edited is sold from.
    if (commit.sales?.isEmpty === false) state.push(commit.sales.render());
    await this.#journal.commit(encodeEntry({ logs, state }));
    this.#hasChanged = true;

    for (const log of ['orders', 'rejections'] as const) this.#addIds(log, commit[log]);
    for (const { log, parts } of logs) for (const part of parts) this.#logs[log].append(part);
    for (const line of commit.lines) this.tables.apply(line);
    if (commit.sales !== undefined) this.tables.applySales(commit.sales);
  }

  #addIds(log: 'orders' | 'rejections', lines: DecisionLines | undefined): void {
    if (lines === undefined) return;
    const base = this.#logs[log].sizeBytes;
    const { ids, starts } = lines;
    for (let index = 0; index < ids.length; index++) {
      this.#index.add(ids[index] ?? '', { log, position: base + (starts[index] ?? 0) });
    }
  }

  /** Builds the index again from the logs, for the next checkpoint to name. */
  rebuildIndex(): void {
    this.#indexDamaged = false;
    this.#index.close();
    this.#index = this.#builtIndex();
    this.#hasChanged = true;
  }

  #builtIndex(): IdIndex {
    return rebuildIndex(this.#files, innerFolder(this.#folder), (log) => this.view(log));
  }

  decided(orderId: string): Decided | undefined {
    if (this.#indexDamaged) this.rebuildIndex();
    return lookUp(orderId, this.#index, this.#view, this.#rebuilt);
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
    for (const log of shortened) this.#shorten(log);
    this.#checkpoint = this.#writeCheckpoint(this.#cut(old.end))
      .then(() => this.#startMerge())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => (this.#checkpoint = undefined));
    // Journals hold positions in a log: none may be for the new file before state.json names it.
    if (shortened.length > 0) await this.#checkpoint;
  }

  #startMerge(): void {
    this.#merge = this.#index.mergeIfDue().catch((error: unknown) => {
      // The index is a view: the next look-up builds it again.
      if (isFailure(error, 'corrupt_state')) this.#indexDamaged = true;
      else this.#fail(error);
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#onFailure(error);
  }

  #isLong(log: VersionLog): boolean {
    return this.#logs[log].sizeBytes > this.#checkpointBytes * VERSIONS_PER_CHECKPOINT;
  }

  /** Copies the newer half of the known versions into a new file, which the checkpoint to come will name. */
  #shorten(log: VersionLog): void {
    const old = this.#logs[log];
    const from = lineStartAfter(this.view(log), old.sizeBytes / 2);
    const name = path.join(innerFolder(this.#folder), `${log}.versions.${this.#journal.number}`);
    // What a crash left: no state.json has named it.
    this.#files.unlink(name);
    this.#logs[log] = new AppendLog(this.#files, name, 0, NO_LOG);
    for (const chunk of viewOf(this.#files, old).chunks(from)) this.#logs[log].append(chunk);
    old.close();
  }

  /** The last checkpoint of this owner: whatever the journal holds goes into it. */
  async finish(): Promise<void> {
    await this.#checkpoint;
    if (!this.#hasChanged) return;
    // Owners that live shortly would never see the end of a merge that is always given up.
    await Promise.race([this.#merge, sleep(MERGE_AT_END_MS, undefined, { ref: false })]);
    await this.startCheckpoint();
    await this.#checkpoint;
  }

  /** Waits for the background, then lets go of all files. Writes nothing. */
  async close(): Promise<void> {
    await this.#checkpoint;
    this.#journal.close();
    for (const log of LOG_NAMES) this.#logs[log].close();
    this.#index.close();
    await this.#merge;
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
    // It may name more than the cut: whoever looks an id up reads the line.
    let index = this.#index;
    let ids = await index.seal();
    // A look-up that met damage has put another one in its place meanwhile: then these are not all ids.
    while (index !== this.#index) {
      index = this.#index;
      ids = await index.seal();
    }
    await this.#files.syncDirectory(this.#folder);
    await this.#files.syncDirectory(inner);
    const logs = Object.fromEntries(
      LOG_NAMES.map((log) => {
        const file = path.relative(this.#folder, this.#logs[log].path);
        return [log, { file, ...this.#logs[log].describe(cut.logs[log]) }];
      }),
    ) as Record<LogName, LogState & { file: string }>;
    const state: FolderState = {
      format: FORMAT,
      folderId: this.folderId,
      journal: cut.journal,
      tables: { file, ...snapshot },
      logs,
      ids,
    };
    await writeState(this.#files, inner, state);
    this.#state = state;
    await this.#index.dropUnused(ids);
    await this.#removeOlder(state);
  }

  /** What the state before named, and what a crash has left. */
  async #removeOlder(state: FolderState): Promise<void> {
    const inner = innerFolder(this.#folder);
    const named = new Set(LOG_NAMES.map((log) => path.basename(state.logs[log].file)));
    for (const name of this.#files.list(inner)) {
      const number = Number(/^(?:journal|tables)\.(\d+)$/.exec(name)?.[1] ?? NaN);
      const unnamed = /^(?:users|inventory)\.versions\.\d+$/.test(name) && !named.has(name);
      if (unnamed || number < state.journal.number) await this.#files.discard(path.join(inner, name));
    }
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
