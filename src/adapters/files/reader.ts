import path from 'node:path';
import type { Decided } from '../../domain/decide.ts';
import type { LoggedEdit } from '../../domain/edit.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { Outgoing, Position, StoreReader } from '../../ports/store.ts';
import type { Clock } from '../../ports/clock.ts';
import { STATE_FILE } from './checkpoint.ts';
import { parseEdit } from './edit-line.ts';
import { readWhole, type FileSystem } from './fs.ts';
import {
  findHandEdit,
  INVENTORY,
  sameStat,
  takeInLines,
  unsettledMs,
  USERS,
  type TableKind,
} from './hand-edit-look.ts';
import { openIdIndex, type IdIndex } from './id-index.ts';
import { checkLog, LOG_NAMES, LogView, openOrUndefined, parsedLines, type LogName } from './log.ts';
import { addTail, findInTail, lookUp, rebuildIndex } from './lookup.ts';
import { parseDecided } from './order-line.ts';
import { checkAgainstJournal, innerFolder, loadFolder, type LoadedFolder } from './recover.ts';
import { Tables, type Row, type TableState } from './tables.ts';
import { readUndelivered } from './undelivered.ts';

const RETRIES = 20;
const RETRY_MS = 25;
/** For so many, searching the lines after the checkpoint is cheaper than indexing all their ids. */
const FEW_LOOK_UPS = 8;

/** A CSV as it lay there. */
interface FoundCsv {
  readonly name: string;
  /** undefined: not there. */
  readonly bytes: Buffer | undefined;
  /** For how long still it may be in the middle of being written. */
  readonly unsettledMs: number;
}

function readCsv(files: FileSystem, folder: string, { file }: { readonly file: string }): FoundCsv {
  const name = path.join(folder, file);
  const stat = files.stat(name);
  const waitMs = stat === undefined ? 0 : unsettledMs(files, name, stat);
  const bytes = readWhole(files, name);
  return { name, bytes, unsettledMs: sameStat(stat, files.stat(name)) ? waitMs : RETRY_MS };
}

/**
 * A folder as it is at this moment, read without a lock beside whoever owns it. What it has opened stays readable
 * when the owner replaces it: descriptors outlive names.
 */
export class FolderReader implements StoreReader {
  readonly folderId: string | null;
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #loaded: LoadedFolder | undefined;
  readonly #tables: Tables;
  readonly #views = new Map<LogName, LogView>();
  readonly #fds: number[];
  #index: IdIndex | undefined;
  /** It has the ids after the checkpoint as well. */
  #isTailIndexed = false;
  #lookUps = 0;

  private constructor(files: FileSystem, folder: string, loaded: LoadedFolder | undefined) {
    this.folderId = loaded?.state.folderId ?? null;
    this.#files = files;
    this.#folder = folder;
    this.#loaded = loaded;
    this.#tables = loaded?.tables ?? new Tables();
    this.#fds = [...(loaded?.journalFds ?? [])];
  }

  /** @throws Failure corrupt_file, corrupt_state */
  static async open(files: FileSystem, folder: string, clock: Clock): Promise<FolderReader> {
    const state = path.join(innerFolder(folder), STATE_FILE);
    for (let attempt = 1; ; attempt++) {
      const before = files.stat(state);
      // Before the journal: what the owner has put in place by now, it has committed as a version before.
      const csvs = [readCsv(files, folder, USERS), readCsv(files, folder, INVENTORY)] as const;
      let waitMs = RETRY_MS;
      let reader: FolderReader | undefined;
      try {
        reader = new FolderReader(files, folder, loadFolder(files, folder));
        for (const log of LOG_NAMES) reader.#openLog(log);
        if (sameStat(before, files.stat(state))) {
          waitMs = reader.#mergeHandEdits(csvs, attempt >= RETRIES);
          if (waitMs === 0) return reader;
        }
        await reader[Symbol.asyncDispose]();
      } catch (error) {
        await reader?.[Symbol.asyncDispose]();
        // A checkpoint made at this moment takes files away that the state before it named.
        const moved = !sameStat(before, files.stat(state));
        if (!moved || !(error instanceof Failure) || attempt >= RETRIES) throw error;
      }
      await clock.sleep(waitMs);
    }
  }

  #openLog(log: LogName): void {
    if (this.#loaded === undefined) return;
    const state = this.#loaded.state.logs[log];
    const name = path.join(this.#folder, state.file);
    const sizeBytes = checkLog(this.#files, name, state);
    checkAgainstJournal(this.#files, this.#folder, this.#loaded, log, sizeBytes);
    const parts = [...this.#loaded.tails[log]];
    if (state.sizeBytes > 0) {
      const fd = openOrUndefined(this.#files, name);
      if (fd === undefined) return;
      this.#fds.push(fd);
      parts.unshift({ fd, at: 0, position: 0, sizeBytes: state.sizeBytes });
    }
    this.#views.set(log, new LogView(this.#files, parts));
  }

  /** @returns 0, or in how many milliseconds to look at the folder again: an editor is at work */
  #mergeHandEdits([users, inventory]: readonly [FoundCsv, FoundCsv], isLast: boolean): number {
    return (
      this.#merge(USERS, this.#tables.users, users, isLast) ||
      this.#merge(INVENTORY, this.#tables.inventory, inventory, isLast)
    );
  }

  #merge<R extends Row>(kind: TableKind<R>, table: TableState<R>, csv: FoundCsv, isLast: boolean): number {
    const found = findHandEdit(csv.bytes, csv.name, kind, table, this.#view(kind.table));
    if (found.kind === 'known' || found.kind === 'missing') return 0;
    if (csv.unsettledMs > 0 && !isLast) return csv.unsettledMs;
    if (found.kind === 'broken') throw found.failure;
    if (found.edit.kind === 'merged') {
      for (const line of takeInLines(kind, table, found, found.edit).lines) this.#tables.apply(line);
    }
    return 0;
  }

  async users(): Promise<Iterable<User>> {
    return this.#tables.users.rows.values();
  }

  async items(): Promise<Iterable<Item>> {
    return this.#tables.inventory.rows.values();
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    if (this.#loaded === undefined) return undefined;
    const { state } = this.#loaded;
    const view = (log: LogName): LogView => this.#view(log);
    this.#lookUps += 1;
    if (this.#lookUps <= FEW_LOOK_UPS) {
      const found = findInTail(orderId, state, view);
      if (found !== undefined) return found;
    }
    const rebuild = (): IdIndex => {
      this.#isTailIndexed = true;
      return rebuildIndex(this.#files, innerFolder(this.#folder), view);
    };
    this.#index ??= this.#openRuns(rebuild);
    if (this.#lookUps > FEW_LOOK_UPS && !this.#isTailIndexed) {
      addTail(this.#index, state, view);
      this.#isTailIndexed = true;
    }
    const { decided, index } = lookUp(orderId, this.#index, view, rebuild);
    this.#index = index;
    return decided;
  }

  #openRuns(rebuild: () => IdIndex): IdIndex {
    try {
      return openIdIndex(this.#files, innerFolder(this.#folder), this.#loaded?.state.ids ?? []);
    } catch (error) {
      // Damaged, or taken away by an owner that has merged it since.
      if (isFailure(error, 'corrupt_state')) return rebuild();
      throw error;
    }
  }

  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<readonly Decided[]> {
    return parsedLines(this.#view(outcome === 'accepted' ? 'orders' : 'rejections'), parseDecided);
  }

  edits(): AsyncIterable<readonly LoggedEdit[]> {
    return parsedLines(this.#view('edits'), parseEdit);
  }

  undelivered(): AsyncIterable<Outgoing> {
    return readUndelivered(this.#files, this.#folder);
  }

  async positions(): Promise<readonly Position[]> {
    return this.#tables.positions();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const fd of this.#fds.splice(0)) this.#files.close(fd);
    this.#index?.close();
  }

  #view(log: LogName): LogView {
    return this.#views.get(log) ?? new LogView(this.#files, []);
  }
}
