import { setTimeout as sleep } from 'node:timers/promises';
import type { Fact } from '../../domain/facts.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { OwnOptions } from '../../ports/owner.ts';
import { FORMAT, type FolderState } from './journal/checkpoint.ts';
import { factLogName, innerFolder, journalPath, type LogName } from './layout.ts';
import { OwnedOutbox } from './outbox/owned-outbox.ts';
import type { FileSystem } from './fs.ts';
import { OwnedIndex } from './ids/owned-index.ts';
import { indexedLogs } from './ids/indexed-logs.ts';
import type { IdIndex } from './ids/index.ts';
import type { Commit } from './journal/commit.ts';
import { encodeEntry } from './journal/entry.ts';
import { Staging } from './journal/staging.ts';
import { Journal } from './journal/journal.ts';
import {
  assertAlone,
  newFolderId,
  makeFolder,
  nextJournal,
  repairFolder,
  writeCheckpoint,
  type Cut,
} from './ledger-files.ts';
import type { LogView } from './logs/log.ts';
import { Logs } from './logs/logs.ts';
import { openIndex } from './ids/lookup.ts';
import { loadFolder, type LoadedFolder } from './journal/recover.ts';
import { Tables } from './tables/tables.ts';

/**
 * A checkpoint limits what a start must recover, and what every reader must read while an owner runs: about a
 * millisecond per MiB. Half and twice the size make no difference to how fast orders are stored.
 */
const CHECKPOINT_BYTES = 16 * 1024 * 1024;
/**
 * A large snapshot is written less often, so that it never costs more than the commits between two. Opening the folder
 * reads both, and a MiB of the snapshot takes much longer than a MiB of the journal.
 */
const CHECKPOINT_PER_SNAPSHOT = 8;

/**
 * How long the log of versions of a CSV may become, as a share of the journal size that triggers a checkpoint: 16 MiB,
 * of which the newer 8 are kept. With less, the version that a user's editor loaded is lost before the user saves.
 */
const VERSIONS_PER_CHECKPOINT = 1;
const MERGE_AT_END_MS = 1_000;

type VersionLog = 'users' | 'inventory';
const VERSION_LOGS: readonly VersionLog[] = ['users', 'inventory'];

export interface LedgerOptions extends Pick<OwnOptions, 'newId' | 'onOwed'> {
  /** For a fresh folder. */ readonly folderId?: string;
  /** The size of the journal that triggers a checkpoint. */
  readonly checkpointBytes?: number;
  /** The size at which a segment of the outbox is continued in another file. */
  readonly segmentBytes?: number | undefined;
}

const NOTHING = { seq: 0, chain: 0 };

/**
 * The truth of a folder, for its owner: tables in memory, journal, logs and index of ids, which change together. The
 * caller makes one commit at a time. After an error its state is unknown, and it must not be used again.
 */
export class Ledger {
  readonly folderId: string;
  readonly tables: Tables;
  readonly outbox: OwnedOutbox;
  /** Commits that recovery found after the last checkpoint. */
  readonly recoveredCommits: number;
  /** The format in which the folder was found; null: it is the current one, or the folder is fresh. */
  readonly formerFormat: number | null;
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #logs: Logs;
  readonly #ids: OwnedIndex;
  #journal: Journal;
  #state: FolderState | undefined;
  /** The number of the last transaction. */
  #seq: number;
  #checkpoint: Promise<void> | undefined;
  #hasChanged = false;
  readonly #staging: Staging;
  /** What failed in the background. A failed sync is never retried: it would succeed, and promise data that is lost. */
  #failure: { readonly error: unknown } | undefined;
  readonly #checkpointBytes: number;
  readonly #onFailure: (error: unknown) => void;
  readonly #onOwed: OwnOptions['onOwed'];

  private constructor(parts: {
    files: FileSystem;
    folder: string;
    folderId: string;
    loaded: LoadedFolder | undefined;
    logs: Logs;
    index: IdIndex;
    journal: Journal;
    checkpointBytes: number;
    onFailure: (error: unknown) => void;
    onOwed: OwnOptions['onOwed'];
    segmentBytes: number | undefined;
  }) {
    this.#onFailure = parts.onFailure;
    this.#onOwed = parts.onOwed;
    this.#checkpointBytes = parts.checkpointBytes;
    this.#files = parts.files;
    this.#folder = parts.folder;
    this.#state = parts.loaded?.state;
    this.folderId = parts.folderId;
    this.tables = parts.loaded?.tables ?? new Tables();
    this.recoveredCommits = parts.loaded?.commits ?? 0;
    this.#seq = parts.loaded?.seq ?? 0;
    const { format = FORMAT } = parts.loaded?.state ?? {};
    this.formerFormat = format === FORMAT ? null : format;
    this.#logs = parts.logs;
    this.#ids = new OwnedIndex(parts.files, innerFolder(parts.folder), parts.index, {
      view: (log) => this.#logs.stagedView(log),
      logs: () => indexedLogs(this.tables.facts),
      onRebuilt: () => (this.#hasChanged = true),
      onFailure: (error) => this.#fail(error),
    });
    this.#journal = parts.journal;
    this.outbox = new OwnedOutbox(this.tables.queues, this.#logs, parts.segmentBytes);
    this.#staging = new Staging(this.tables, this.#logs, this.#ids, this.outbox);
  }

  /**
   * Opens a folder that this process owns: creates a fresh one, recovers one that needs it. What is found in the
   * journals is synced before anything is built on it.
   *
   * @param onFailure called when work in the background fails: then the ledger must not be used again
   */
  static async open(
    files: FileSystem,
    folder: string,
    onFailure: (error: unknown) => void,
    { checkpointBytes = CHECKPOINT_BYTES, newId = false, folderId: given, ...rest }: LedgerOptions = {},
  ): Promise<Ledger> {
    const inner = innerFolder(folder);
    const loaded = loadFolder(files, folder);
    try {
      if (loaded === undefined) await makeFolder(files, folder);
      else await repairFolder(files, folder, loaded);
      const logs = new Logs(files, folder, loaded);
      const indexed = indexedLogs(loaded?.tables.facts ?? new Map());
      const view = (log: LogName): LogView => logs.view(log);
      const { index, rebuilt } = openIndex(files, inner, loaded?.state, indexed, view);
      const isClean = loaded?.commits === 0 && !loaded.journal.torn && loaded.state.format === FORMAT;
      const continues = isClean && !newId && !rebuilt;
      const journal = continues
        ? Journal.open(files, journalPath(inner, loaded.journal.number), loaded.journal)
        : await nextJournal(files, inner, loaded?.journal ?? { number: 0, end: NOTHING });
      const folderId = (newId ? null : loaded?.state.folderId) ?? given ?? (await newFolderId());
      const calls = { onFailure, onOwed: rest.onOwed, segmentBytes: rest.segmentBytes };
      const parts = { files, folder, folderId, loaded, logs, index, journal, checkpointBytes, ...calls };
      const ledger = new Ledger(parts);
      ledger.#staging.takeFormer(ledger.#seq);
      // Our own record in the journal: a previous owner that wakes up notices that it was replaced.
      if (continues) await journal.commit([]);
      else await ledger.#writeCheckpoint(ledger.#cut(loaded?.journal.end ?? NOTHING));
      ledger.#ids.startMerge();
      return ledger;
    } finally {
      for (const fd of loaded?.journalFds ?? []) files.close(fd);
    }
  }

  /** Makes a commit durable, together with those that were staged before. */
  async commit(commit: Commit): Promise<void> {
    this.stage(commit);
    await this.flush();
  }

  /** Makes a commit part of the state on which the next one is decided; `flush` makes it durable, and ready to be sent. */
  stage(commit: Commit): void {
    this.#seq = this.#staging.stage(commit, this.#seq);
  }

  /** Makes everything staged durable, with one record and one sync. */
  async flush(): Promise<void> {
    this.assertSound();
    const { entry } = this.#staging;
    if (entry === null) return;
    await this.#journal.commit(encodeEntry(entry));
    this.#hasChanged = true;
    if (this.#staging.land()) this.#onOwed?.();
  }

  /** How many bytes for the logs wait for `flush`. */
  get stagedBytes(): number {
    return this.#logs.stagedBytes;
  }

  /** The number of the next transaction. */
  get nextSeq(): number {
    return this.#seq + 1;
  }

  /** Rebuilds the index from the logs, for the next checkpoint. */
  rebuildIndex(): void {
    this.#ids.rebuild();
  }

  decided(orderId: string): Decided | undefined {
    return this.#ids.decided(orderId);
  }

  /** The facts of a key, in the order of their log. @param log its name */
  facts(log: string, key: string): readonly Fact[] {
    const known = this.tables.facts.get(log);
    if (known === undefined) return [];
    return this.#ids.facts(known, key, () => this.#logs.stagedView(factLogName(log)));
  }

  /** A log as far as it is durable. */
  view(log: LogName): LogView {
    return this.#logs.view(log);
  }

  get checkpointDue(): boolean {
    const due = Math.max(
      this.#checkpointBytes,
      (this.#state?.tables.sizeBytes ?? 0) * CHECKPOINT_PER_SNAPSHOT,
    );
    if (this.#checkpoint !== undefined) return false;
    return this.#journal.end.sizeBytes > due || VERSION_LOGS.some((log) => this.#isLong(log));
  }

  /** Starts a checkpoint. Resolves when commits may continue; the rest is done in the background. */
  async startCheckpoint(): Promise<void> {
    const old = this.#journal;
    this.assertSound();
    this.#journal = await nextJournal(this.#files, innerFolder(this.#folder), old);
    old.close();
    const shortened = VERSION_LOGS.filter((log) => this.#isLong(log));
    for (const log of shortened) this.#logs.shorten(log, this.#journal.number);
    this.#checkpoint = this.#writeCheckpoint(this.#cut(old.end))
      .then(() => this.#ids.startMerge())
      .catch((error: unknown) => this.#fail(error))
      .finally(() => (this.#checkpoint = undefined));
    // Journals contain positions in a log: none may refer to the new file before state.json names it.
    if (shortened.length > 0) await this.#checkpoint;
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#onFailure(error);
  }

  #isLong(log: VersionLog): boolean {
    return this.#logs.sizeOf(log) > this.#checkpointBytes * VERSIONS_PER_CHECKPOINT;
  }

  /** The last checkpoint of this owner: everything in the journal becomes part of it. */
  async finish(): Promise<void> {
    await this.#checkpoint;
    if (!this.#hasChanged) return;
    // If merges were always abandoned here, short-lived owners would never finish one.
    await Promise.race([this.#ids.merged(), sleep(MERGE_AT_END_MS, undefined, { ref: false })]);
    await this.startCheckpoint();
    await this.#checkpoint;
  }

  /** Waits for work in the background, then closes all files. Writes nothing. */
  async close(): Promise<void> {
    await this.#checkpoint;
    this.#journal.close();
    this.#logs.close();
    this.#ids.close();
    await this.#ids.merged();
  }

  /** Everything that the checkpoint will record, as it is at this moment. */
  #cut(after: { seq: number; chain: number }): Cut {
    this.outbox.dropSent();
    this.#logs.assertOurs();
    this.#hasChanged = false;
    return {
      journal: { number: this.#journal.number, seq: after.seq, chain: after.chain },
      lines: this.tables.snapshot(),
      logs: this.#logs.cut(),
      seq: this.#seq,
      lastSegment: this.tables.queues.lastSegment,
    };
  }

  async #writeCheckpoint(cut: Cut): Promise<void> {
    const assertOurs = (): void => this.assertSound();
    const parts = { files: this.#files, folder: this.#folder, logs: this.#logs, ids: this.#ids, assertOurs };
    this.#state = await writeCheckpoint(parts, this.folderId, cut);
  }

  /** Call this before a file is replaced or removed. @throws Failure as assertAlone; what failed in the background */
  assertSound(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    assertAlone(this.#files, this.#folder, this.#journal);
  }
}
