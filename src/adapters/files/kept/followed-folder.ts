import path from 'node:path';
import type { Fact, FactLog } from '../../../domain/facts.ts';
import type { Decided } from '../../../domain/orders/decided.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { StoreNotice } from '../../../ports/notices.ts';
import type { BooksView } from '../../../ports/health.ts';
import type { OrderReader, RowReader } from '../../../ports/store.ts';
import { sameStat } from '../edits/hand-edit-look.ts';
import { openWithEdits } from '../edits/with-edits.ts';
import type { FileStat, FileSystem } from '../fs.ts';
import { indexedLogs } from '../ids/indexed-logs.ts';
import { findFacts, lookUp } from '../ids/lookup.ts';
import { readState, type FolderState } from '../journal/checkpoint.ts';
import type { DecodedEntry } from '../journal/entry.ts';
import { fileOf, type LoadedFolder } from '../journal/recover.ts';
import type { FolderSnapshot } from '../journal/snapshot.ts';
import { CommittedLines } from '../journal/state-lines.ts';
import { JournalTail, replaced } from '../journal/tail.ts';
import { factLogName, innerFolder, STATE_FILE, type LogName } from '../layout.ts';
import { historyEnd, historyFrom } from '../logs/history.ts';
import { LogView } from '../logs/log.ts';
import { FolderViews } from '../reads.ts';
import { INVENTORY, USERS } from '../tables/columns.ts';
import { fingerprintFile, sameFingerprint, type FileFingerprint } from '../tables/fingerprint.ts';
import type { Tables } from '../tables/tables.ts';
import { readWhole } from '../whole-files.ts';
import { KeptIndex } from './kept-index.ts';
import { KeptLog } from './kept-log.ts';

/** For a file that may have been replaced while it was read. */
const UNKNOWN: FileStat = {
  sizeBytes: -1,
  modifiedNs: -1n,
  inode: -1n,
  isUnread: false,
  access: { mode: 0, uid: 0, gid: 0 },
};

/** Logs of the history that have no index. */
const UNINDEXED = ['edits', 'movements'] as const satisfies readonly LogName[];

type Stats = Map<string, FileStat | undefined>;

/**
 * A folder, followed while its owner runs: the journal shows what has changed, and a new checkpoint where to read on.
 * Costs as much as was added since the last look, and nothing that grows with the folder.
 */
export class FollowedFolder extends FolderViews implements OrderReader, RowReader {
  protected readonly files: FileSystem;
  protected readonly folder: string;
  readonly #snapshot: FolderSnapshot;
  /** The CSVs as they were when they were read. */
  readonly #stats: Stats;
  readonly #lines: CommittedLines;
  readonly #logs = new Map<LogName, KeptLog>();
  /** undefined: there is no journal yet. */
  readonly #tail: JournalTail | undefined;
  /** The rows include a hand edit that is not applied yet: the next commit comes before it. */
  readonly #isEdited: boolean;
  /** Such a commit was read: the rows are neither those with the edit nor those without it. */
  #isMixed = false;
  readonly #stateFile: string;
  /** As it was when state.json was read. */
  #stateStat: FileStat | undefined;
  #state: FolderState | undefined;
  readonly #index: KeptIndex | undefined;

  private constructor(
    files: FileSystem,
    folder: string,
    { snapshot, isEdited }: { readonly snapshot: FolderSnapshot; readonly isEdited: boolean },
    stats: Stats,
  ) {
    super();
    this.files = files;
    this.folder = folder;
    this.#snapshot = snapshot;
    this.#stateFile = stateFileOf(folder);
    this.#stateStat = stats.get(this.#stateFile);
    this.#stats = new Map([...stats].filter(([name]) => name !== this.#stateFile));
    this.#isEdited = isEdited;
    this.#lines = new CommittedLines(snapshot.tables);
    const { loaded } = snapshot;
    if (loaded === undefined) return;
    this.#state = loaded.state;
    const found = this.#indexedLogs();
    const names = [...found.map(({ name }) => name), ...UNINDEXED];
    for (const name of names) this.#logs.set(name, this.#keptLog(name, loaded));
    this.#index = new KeptIndex(files, innerFolder(folder), loaded.state, {
      logs: () => this.#indexedLogs(),
      view: (log) => this.view(log),
    });
    this.#tail = new JournalTail(files, folder, loaded, new Set(this.#logs.keys()), {
      onEntry: (entry, payloadAt, fd) => this.#take(entry, payloadAt, fd),
      onJournal: () => this.#settle(),
    });
  }

  /** @throws as FolderReader.open does */
  static async open(
    files: FileSystem,
    folder: string,
    clock: Clock,
    onNotice?: (notice: StoreNotice) => void,
  ): Promise<FollowedFolder> {
    const before = statsOf(files, folder);
    const opened = await openWithEdits(files, folder, clock, onNotice);
    const stats = statsOf(files, folder);
    for (const [name, stat] of stats) if (!sameStat(before.get(name), stat)) stats.set(name, UNKNOWN);
    try {
      return new FollowedFolder(files, folder, opened, stats);
    } catch (error) {
      opened.snapshot.close();
      throw error;
    }
  }

  get storeId(): string | null {
    return this.#state?.folderId ?? null;
  }

  protected get tables(): Tables {
    return this.#snapshot.tables;
  }

  /** See `KeptView.lookAtBooks`. */
  books(): BooksView | null {
    if (this.#isEdited) return null;
    const ends = new Map<string, number>(
      Array.from(this.#logs, ([log, kept]) => [log, kept.view().sizeBytes]),
    );
    const place = historyEnd(this.tables, this.storeId, ends);
    return {
      place,
      items: () => this.tables.inventory.rows.values(),
      archived: () => null,
      historyFrom: (from, facts) =>
        historyFrom(this.folder, (log) => this.view(log), { from, to: place, facts }),
    };
  }

  /** Whether something was added or, if `withRows`, a user has saved a CSV. */
  hasChanged(withRows: boolean): boolean {
    if (!this.#areLogsInPlace()) return true;
    if (this.#tail?.hasMore ?? !sameStat(this.#stateStat, this.files.stat(this.#stateFile))) return true;
    if (!withRows) return false;
    if (this.#isMixed) return true;
    for (const [name, stat] of this.#stats) if (!sameStat(stat, this.files.stat(name))) return true;
    return false;
  }

  /**
   * Reads what was added.
   *
   * @returns false: the folder must be opened again
   * @throws Failure changed_since, corrupt_state: the same
   */
  advance(withRows: boolean): boolean {
    if (!this.hasChanged(withRows)) return true;
    if (this.#tail === undefined || (withRows && this.#isEdited)) return false;
    if (!this.#areLogsInPlace()) return false;
    // Read before the journal: what the owner has put in place was committed as a version earlier.
    const csvs = withRows ? this.#changedCsvs() : [];
    const { seq } = this.#tail;
    this.#tail.look();
    this.#lines.finish();
    this.#isMixed ||= this.#isEdited && this.#tail.seq > seq;
    if (!this.goOnFromCheckpoint()) return false;
    for (const { name, newest, stat, fingerprint } of csvs) {
      if (fingerprint !== null && !sameFingerprint(newest(), fingerprint)) return false;
      this.#stats.set(name, stat);
    }
    return true;
  }

  /**
   * Reads state.json if it was replaced, by a checkpoint without anything new. The index then uses the runs of that
   * checkpoint, and earlier journals are no longer needed.
   *
   * @returns as `advance`
   */
  goOnFromCheckpoint(): boolean {
    const stat = this.files.stat(this.#stateFile);
    if (sameStat(this.#stateStat, stat)) return true;
    if (!this.#goOnFrom(readState(this.files, innerFolder(this.folder)))) return false;
    this.#stateStat = stat;
    return true;
  }

  /** Whether all logs are still the same files, and none was cut. */
  #areLogsInPlace(): boolean {
    for (const log of this.#logs.values()) if (!log.isInPlace()) return false;
    return true;
  }

  #changedCsvs() {
    const { users, inventory } = this.tables;
    return [users, inventory].flatMap((table) => {
      const name = path.join(this.folder, table.kind.file);
      const stat = this.files.stat(name);
      if (sameStat(this.#stats.get(name), stat)) return [];
      const bytes = readWhole(this.files, name);
      const fingerprint = bytes === undefined ? null : fingerprintFile(bytes);
      return [{ name, stat, fingerprint, newest: (): FileFingerprint | null => table.newest }];
    });
  }

  /** Applies one record of the journal. */
  #take({ logs, state }: DecodedEntry, payloadAt: number, fd: number): void {
    this.#lines.apply(state);
    for (const { log, position, bytes, at } of logs) {
      const isNew = !this.#logs.has(log) && this.#indexedLogs().some(({ name }) => name === log);
      if (isNew) this.#logs.set(log, this.#keptLog(log, this.#snapshot.loaded));
      this.#logs.get(log)?.add({ fd, at: payloadAt + at, position, sizeBytes: bytes.byteLength });
    }
  }

  /** @throws Failure changed_since: an owner left lines of a log unwritten, and the next one does not continue there */
  #settle(): void {
    for (const log of this.#logs.values()) if (!log.settle()) throw replaced(this.folder);
  }

  /** @returns false: the state is that of another folder, or of a later moment */
  #goOnFrom(state: FolderState | undefined): boolean {
    const { folderId, format } = this.#state ?? {};
    const isNext = state?.folderId === folderId && state?.format === format;
    if (state === undefined || !isNext || state.seq > (this.#tail?.seq ?? 0)) return false;
    for (const [name, log] of this.#logs)
      if ((state.logs[name]?.sizeBytes ?? 0) > log.view().sizeBytes) return false;
    this.#settle();
    this.#snapshot.close();
    this.#index?.goOnFrom(state);
    this.#state = state;
    return true;
  }

  #indexedLogs() {
    return indexedLogs(this.tables.facts);
  }

  #keptLog(log: LogName, loaded: LoadedFolder | undefined): KeptLog {
    const isKnown = loaded !== undefined;
    const name = path.join(this.folder, isKnown ? fileOf(loaded, log) : '');
    return new KeptLog(
      this.files,
      name,
      loaded?.state.logs[log]?.sizeBytes ?? 0,
      loaded?.tails.get(log) ?? [],
    );
  }

  protected view(log: LogName): LogView {
    return this.#logs.get(log)?.view() ?? new LogView(this.files, []);
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    if (this.#index === undefined) return undefined;
    return lookUp(orderId, this.#index.whole(), (log) => this.view(log), this.#index.rebuilt);
  }

  async facts<T extends Fact>({ name }: FactLog<T>, key: string): Promise<readonly T[]> {
    const known = this.tables.facts.get(name);
    if (known === undefined || this.#index === undefined) return [];
    const view = this.view(factLogName(name));
    return findFacts(key, known, this.#index.whole(), view, this.#index.rebuilt) as readonly T[];
  }

  close(): void {
    this.#tail?.[Symbol.dispose]();
    this.#index?.close();
    for (const log of this.#logs.values()) log.close();
    this.#snapshot.close();
  }
}

function stateFileOf(folder: string): string {
  return path.join(innerFolder(folder), STATE_FILE);
}

function statsOf(files: FileSystem, folder: string): Stats {
  const names = [stateFileOf(folder), path.join(folder, USERS.file), path.join(folder, INVENTORY.file)];
  return new Map(names.map((name) => [name, files.stat(name)]));
}
