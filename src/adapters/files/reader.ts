import type { Decided } from '../../domain/orders/decided.ts';
import type { Fact, FactLog } from '../../domain/facts.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { HistoryLine, StoreView } from '../../ports/store.ts';
import { styleOf } from './csv/records.ts';
import { renderTable } from './csv/render.ts';
import type { FileSystem } from './fs.ts';
import { openWithEdits } from './edits/with-edits.ts';
import type { TableName } from './tables/columns.ts';
import { openIdIndex, type IdIndex } from './ids/index.ts';
import type { LogView } from './logs/log.ts';
import { followLogs } from './logs/follow.ts';
import { factLogName, innerFolder, type LogName } from './layout.ts';
import { indexedLogs } from './ids/indexed-logs.ts';
import { addTail, findFacts, findInTail, lookUp, rebuildIndex } from './ids/lookup.ts';
import { factsAfter } from './logs/fact-lines.ts';
import type { LoadedFolder } from './journal/recover.ts';
import type { FolderSnapshot } from './journal/snapshot.ts';
import type { Tables } from './tables/tables.ts';
import { FolderViews } from './reads.ts';

/** Up to this many look-ups, searching the lines after the checkpoint is cheaper than indexing all their ids. */
const FEW_LOOK_UPS = 8;

/** A folder as it is at this moment, including hand edits that are not applied yet. */
export class FolderReader extends FolderViews implements StoreView {
  readonly storeId: string | null;
  protected readonly files: FileSystem;
  protected readonly folder: string;
  readonly #snapshot: FolderSnapshot;
  readonly #clock: Clock;
  #index: IdIndex | undefined;
  /** The index has the ids after the checkpoint as well. */
  #isTailIndexed = false;
  #lookUps = 0;

  private constructor(files: FileSystem, folder: string, clock: Clock, snapshot: FolderSnapshot) {
    super();
    this.storeId = snapshot.loaded?.state.folderId ?? null;
    this.files = files;
    this.#clock = clock;
    this.folder = folder;
    this.#snapshot = snapshot;
  }

  /**
   * @param onNotice receives broken files, whose last good values are read instead
   * @throws Failure corrupt_file when a broken file has no last good values yet; corrupt_state
   */
  static async open(
    files: FileSystem,
    folder: string,
    clock: Clock,
    onNotice?: (notice: StoreNotice) => void,
  ): Promise<FolderReader> {
    const { snapshot } = await openWithEdits(files, folder, clock, onNotice);
    return new FolderReader(files, folder, clock, snapshot);
  }

  protected get tables(): Tables {
    return this.#snapshot.tables;
  }

  protected view(log: LogName): LogView {
    return this.#snapshot.view(log);
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    const { loaded } = this.#snapshot;
    if (loaded === undefined) return undefined;
    const view = (log: LogName): LogView => this.view(log);
    if (++this.#lookUps <= FEW_LOOK_UPS) {
      const found = findInTail(orderId, loaded.state, view);
      if (found !== undefined) return found;
    }
    return lookUp(orderId, this.#indexFor(loaded), view, this.#rebuilt);
  }

  async facts<T extends Fact>(log: FactLog<T>, key: string): Promise<readonly T[]> {
    return this.#factsOf(log.name, key) as readonly T[];
  }

  #factsOf(log: string, key: string): readonly Fact[] {
    const { loaded } = this.#snapshot;
    const known = this.tables.facts.get(log);
    if (loaded === undefined || known === undefined) return [];
    const name = factLogName(log);
    const view = this.view(name);
    this.#lookUps += 1;
    const index = this.#indexFor(loaded);
    if (this.#isTailIndexed) return findFacts(key, known, index, view, this.#rebuilt);
    // A run may have lines after the checkpoint.
    const from = loaded.state.logs[name]?.sizeBytes ?? 0;
    const found = findFacts(key, known, index, view, this.#rebuilt, from);
    return [...found, ...factsAfter(view, from, known.key, key)];
  }

  readonly #rebuilt = (): IdIndex => {
    this.#isTailIndexed = true;
    const logs = indexedLogs(this.tables.facts);
    return (this.#index = rebuildIndex(this.files, innerFolder(this.folder), logs, (log) => this.view(log)));
  };

  #indexFor({ state }: LoadedFolder): IdIndex {
    this.#index ??= this.#openRuns(state);
    if (this.#lookUps > FEW_LOOK_UPS && !this.#isTailIndexed) {
      addTail(this.#index, state, indexedLogs(this.tables.facts), (log) => this.view(log));
      this.#isTailIndexed = true;
    }
    return this.#index;
  }

  #openRuns(state: LoadedFolder['state']): IdIndex {
    try {
      return openIdIndex(this.files, innerFolder(this.folder), state.ids);
    } catch (error) {
      // Damaged, or removed by an owner that has merged it since.
      if (isFailure(error, 'corrupt_state')) return this.#rebuilt();
      throw error;
    }
  }

  follow(facts: readonly FactLog<never>[], signal: AbortSignal): AsyncIterable<readonly HistoryLine[]> {
    const { loaded } = this.#snapshot;
    return followLogs(this.files, this.folder, loaded, facts, { clock: this.#clock, signal });
  }

  /** The size of the log of edits. */
  get editsBytes(): number {
    return this.view('edits').sizeBytes;
  }

  /** A table as its CSV would be written now, in the style of the current file. */
  render(table: TableName): Iterable<Buffer> {
    const { tables, csvs } = this.#snapshot;
    const style = styleOf(csvs[table].bytes ?? Buffer.alloc(0));
    return table === 'users' ? renderTable(tables.users, style) : renderTable(tables.inventory, style);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#snapshot.close();
    this.#index?.close();
  }
}
