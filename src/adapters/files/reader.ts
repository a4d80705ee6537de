import path from 'node:path';
import type { Decided } from '../../domain/decide.ts';
import type { LoggedEdit } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { Outgoing, Position, StoreReader } from '../../ports/store.ts';
import type { Clock } from '../../ports/clock.ts';
import { STATE_FILE } from './checkpoint.ts';
import { parseEdit } from './edit-line.ts';
import type { FileSystem } from './fs.ts';
import {
  findHandEdit,
  INVENTORY,
  sameStat,
  takeInLines,
  unsettledMs,
  USERS,
  type TableKind,
} from './hand-edit-look.ts';
import type { IdIndex } from './id-index.ts';
import { checkLog, LogView, openOrUndefined, parsedLines, type LogName } from './log.ts';
import { lookUp, openIndex, rebuildIndex } from './lookup.ts';
import { parseDecided } from './order-line.ts';
import { innerFolder, loadFolder, type LoadedFolder } from './recover.ts';
import { Tables, type Row, type TableState } from './tables.ts';
import { readUndelivered } from './undelivered.ts';

const RETRIES = 20;
const RETRY_MS = 25;

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
      try {
        const loaded = loadFolder(files, folder);
        const reader = new FolderReader(files, folder, loaded);
        try {
          for (const log of ['orders', 'rejections', 'edits', 'users', 'inventory'] as const)
            reader.#openLog(log);
          if (sameStat(before, files.stat(state))) {
            await reader.#mergeHandEdits(clock);
            return reader;
          }
          await reader[Symbol.asyncDispose]();
        } catch (error) {
          await reader[Symbol.asyncDispose]();
          throw error;
        }
      } catch (error) {
        // A checkpoint made at this moment takes files away that the state before it named.
        const moved = !sameStat(before, files.stat(state));
        if (!moved || !(error instanceof Failure) || attempt >= RETRIES) throw error;
      }
      await clock.sleep(RETRY_MS);
    }
  }

  #openLog(log: LogName): void {
    if (this.#loaded === undefined) return;
    const state = this.#loaded.state.logs[log];
    const name = path.join(this.#folder, state.file);
    checkLog(this.#files, name, state);
    const parts = [...this.#loaded.tails[log]];
    if (state.sizeBytes > 0) {
      const fd = openOrUndefined(this.#files, name);
      if (fd === undefined) return;
      this.#fds.push(fd);
      parts.unshift({ fd, at: 0, position: 0, sizeBytes: state.sizeBytes });
    }
    this.#views.set(log, new LogView(this.#files, parts));
  }

  async #mergeHandEdits(clock: Clock): Promise<void> {
    await this.#merge(USERS, this.#tables.users, clock);
    await this.#merge(INVENTORY, this.#tables.inventory, clock);
  }

  async #merge<R extends Row>(kind: TableKind<R>, table: TableState<R>, clock: Clock): Promise<void> {
    const name = path.join(this.#folder, kind.file);
    for (let attempt = 1; attempt <= RETRIES; attempt++) {
      const stat = this.#files.stat(name);
      const waitMs = stat === undefined ? 0 : unsettledMs(this.#files, name, stat);
      const found = findHandEdit(this.#files, this.#folder, kind, table, this.#view(kind.table));
      if (found.kind === 'known') return;
      // Missing for the moment of a rewrite, or an editor at work.
      const known = table.newest !== null;
      if (attempt < RETRIES && (waitMs > 0 || (found.kind === 'missing' && known))) {
        await clock.sleep(waitMs > 0 ? waitMs : RETRY_MS);
        continue;
      }
      if (found.kind === 'broken') throw found.failure;
      if (found.kind === 'edited' && found.edit.kind === 'merged') {
        for (const line of takeInLines(kind, table, found, found.edit).lines) this.#tables.apply(line);
      }
      return;
    }
  }

  async users(): Promise<Iterable<User>> {
    return this.#tables.users.rows.values();
  }

  async items(): Promise<Iterable<Item>> {
    return this.#tables.inventory.rows.values();
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    if (this.#loaded === undefined) return undefined;
    const view = (log: LogName): LogView => this.#view(log);
    this.#index ??= openIndex(this.#files, innerFolder(this.#folder), this.#loaded.state, view).index;
    const rebuild = (): IdIndex => rebuildIndex(this.#files, innerFolder(this.#folder), view);
    const { decided, index } = lookUp(orderId, this.#index, view, rebuild);
    this.#index = index;
    return decided;
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
