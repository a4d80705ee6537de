import path from 'node:path';
import { decideEdit, type Edit, type EditRequest, type EditVia, type LoggedEdit } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { OwnOptions } from '../../ports/owner.ts';
import type { Changes, Keys, Outgoing, Position, Snapshot, Store, Undelivered } from '../../ports/store.ts';
import type { TableMerge } from '../../ports/table-copy.ts';
import { CsvFile } from './csv/file.ts';
import { ChangeEncoder } from './journal/change-encoder.ts';
import { parseEdit } from './logs/edit-line.ts';
import { errorCode, writeFailure, type FileSystem } from './fs.ts';
import { INVENTORY, USERS, type TableKind, statusOf, type TableName } from './tables/columns.ts';
import { keepFile } from './whole-files.ts';
import { Ledger } from './ledger.ts';
import { parsedLines } from './logs/log.ts';
import { parseDecided } from './logs/order-line.ts';
import { innerFolder } from './layout.ts';
import type { Table } from './tables/table.ts';
import { checkNotTakenIn, copyPaths, mergeCopy, readCopy, type CopyPaths } from './edits/table-copy.ts';
import { keepUndelivered, readUndelivered } from './logs/undelivered.ts';

/** CSVs are rewritten at most so often, or twenty times as long as the last rewrite took if that is longer. */
const REWRITE_EVERY_MS = 1_000;
const REWRITE_PER_DURATION = 20;

export interface FileStoreOptions extends Pick<OwnOptions, 'newId' | 'besideBroken'> {
  readonly files: FileSystem;
  readonly folder: string;
  readonly clock: Clock;
  /** Who edits, for the log of edits. */
  readonly user: string;
  readonly via: EditVia;
  readonly onNotice: (notice: StoreNotice) => void;
  /** As in OwnOptions. Without it the failure is thrown by whatever is called next, or by disposal. */
  readonly onFailure?: ((failure: Error) => void) | undefined;
  /** Disposed when the store has written its last: then the next owner may come. */
  readonly onEnd?: AsyncDisposable;
  /** Size of the journal that calls for a checkpoint. */
  readonly checkpointBytes?: number;
}

/** The store of a folder that this process owns. Everything that changes state runs one after the other. */
export class FileStore implements Store {
  readonly storeId: string;
  readonly #options: FileStoreOptions;
  readonly #ledger: Ledger;
  readonly #csvs: readonly [CsvFile<User>, CsvFile<Item>];
  readonly #changes: ChangeEncoder;
  readonly #ending = new AbortController();
  #queue: Promise<unknown> = Promise.resolve();
  #drains: Promise<unknown> = Promise.resolve();
  #background: Promise<void> = Promise.resolve();
  /** Why nothing may be written any more. */
  #poison: Error | undefined;
  /** Whether somebody has been told of it. */
  #told = false;
  #closed = false;
  #showsReads: boolean | undefined;

  private constructor(options: FileStoreOptions, ledger: Ledger) {
    this.#options = options;
    this.#ledger = ledger;
    this.#changes = new ChangeEncoder(ledger.tables);
    this.storeId = ledger.folderId;
    const context = {
      files: options.files,
      folder: options.folder,
      ledger,
      clock: options.clock,
      by: options.user,
      onNotice: options.onNotice,
      showsReads: () => (this.#showsReads ??= options.files.showsReads(innerFolder(options.folder))),
      exclusive: <T>(work: () => Promise<T>) => this.#exclusive(work),
    };
    this.#csvs = [
      new CsvFile(context, USERS, ledger.tables.users),
      new CsvFile(context, INVENTORY, ledger.tables.inventory),
    ];
  }

  /** @throws Failure corrupt_file, corrupt_state, write_failed */
  static async open(options: FileStoreOptions): Promise<FileStore> {
    // What fails before there is a store fails again, or is of no account, when there is one.
    let onFailure: (error: unknown) => void = () => undefined;
    const ledger = await guarded(options.folder, () =>
      Ledger.open(options.files, options.folder, (error) => onFailure(error), options),
    );
    const store = new FileStore(options, ledger);
    onFailure = (error) => void store.#fail(error);
    try {
      await guarded(options.folder, async () => {
        for (const csv of store.#csvs) await csv.start(options.besideBroken);
        // A large file that was taken in is written down before orders come, not beside the first of them.
        if (ledger.checkpointDue) await ledger.startCheckpoint();
      });
    } catch (error) {
      for (const csv of store.#csvs) csv.close();
      await ledger.close();
      throw error;
    }
    if (ledger.recoveredCommits > 0) {
      options.onNotice({ kind: 'recovered', journalRecords: ledger.recoveredCommits });
    }
    store.#background = store.#keepCsvs();
    return store;
  }

  transact<R>(_keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R> {
    return this.#change({ by: this.#options.user, via: this.#options.via }, decide);
  }

  /** An edit that another process asks for. @throws Failure of decideEdit */
  edit(request: EditRequest, from: { by: string; via: EditVia }): Promise<Edit> {
    return this.#change(from, (snapshot) => {
      const edit = decideEdit(request, snapshot);
      return { changes: { edits: [edit] }, result: edit };
    });
  }

  /** Takes an edited copy of a table in. @throws Failure corrupt_file, not_found of the copy */
  async mergeCopy(table: TableName, name: string, from: { by: string; via: EditVia }): Promise<TableMerge> {
    const { users, inventory } = this.#ledger.tables;
    const paths = copyPaths(this.#options.folder, table, name);
    return table === 'users'
      ? this.#merge(USERS, users, paths, from)
      : this.#merge(INVENTORY, inventory, paths, from);
  }

  #merge<R extends User | Item>(
    kind: TableKind<R>,
    table: Table<R>,
    paths: CopyPaths,
    from: { by: string; via: EditVia },
  ): Promise<TableMerge> {
    const { files, clock } = this.#options;
    const copy = readCopy(files, kind, paths);
    return this.#exclusive(async () => {
      await this.#lookForHandEdits();
      checkNotTakenIn(files, paths, this.#ledger.view('edits'));
      const stamp = { at: clock.now(), ...from, copy: paths.name };
      const { commit, merge } = mergeCopy(kind, table, copy, stamp);
      if (commit !== null) {
        await this.#ledger.commit(commit);
        // Another order of rows is no change of the table.
        this.#csvs[kind.table === 'users' ? 0 : 1].writeAgain();
      }
      if (this.#ledger.checkpointDue) await this.#ledger.startCheckpoint();
      return merge;
    });
  }

  async #change<R>(
    from: { by: string; via: EditVia },
    decide: (snapshot: Snapshot) => { changes: Changes; result: R },
  ): Promise<R> {
    const decided = await this.#exclusive(async () => {
      await this.#lookForHandEdits();
      let outcome: { changes: Changes; result: R };
      try {
        outcome = decide(this.#snapshot());
      } catch (error) {
        // Nothing was written: an error of the caller's, or of a look-up, which leaves the store as it is.
        return { error: failureOf(error, this.#options.folder) };
      }
      await this.#commit(outcome.changes, from);
      return { result: outcome.result };
    });
    if ('error' in decided) throw decided.error;
    return decided.result;
  }

  async #lookForHandEdits(): Promise<void> {
    for (const csv of this.#csvs) await csv.look();
  }

  #snapshot(): Snapshot {
    const { tables } = this.#ledger;
    return {
      at: this.#options.clock.now(),
      status: (user) => {
        const value = tables.users.rows.value(user);
        return value === undefined ? undefined : statusOf(value);
      },
      quantity: (item) => tables.inventory.rows.value(item),
      user: (user) => tables.users.rows.get(user),
      item: (item) => tables.inventory.rows.get(item),
      decided: (orderId) => this.#ledger.decided(orderId),
      position: (of) => tables.position(of),
    };
  }

  async #commit(changes: Changes, from: { by: string; via: EditVia }): Promise<void> {
    const commit = this.#changes.toCommit(changes, { at: this.#options.clock.now(), ...from });
    if (commit === null) return;
    await this.#ledger.commit(commit);
    if (this.#ledger.checkpointDue) await this.#ledger.startCheckpoint();
  }

  drain(send: (records: readonly Outgoing[]) => Promise<readonly Outgoing[]>): Promise<number> {
    const run = this.#drains.then(async () => {
      // What is decided meanwhile is not among them.
      const records = this.#ledger.tables.unsent.slice();
      const last = records.at(-1);
      if (last === undefined) return 0;
      const refused = await send(records);
      await this.#exclusive(async () => {
        await keepUndelivered(this.#options.files, this.#options.folder, refused);
        await this.#ledger.commit({ lines: [['sent', last.number]] });
      });
      return records.length - refused.length;
    });
    this.#drains = run.catch(() => undefined);
    return run;
  }

  unsent(): number {
    return this.#ledger.tables.unsent.length;
  }

  keepFile(name: string, text: string): Promise<string> {
    return this.#exclusive(() => keepFile(this.#options.files, this.#options.folder, name, text));
  }

  /** Builds the index again from the logs, and has the CSVs written again; disposal makes it durable. */
  async rebuildViews(): Promise<void> {
    await this.#exclusive(async () => this.#ledger.rebuildIndex());
    for (const csv of this.#csvs) csv.writeAgain();
  }

  async users(): Promise<Iterable<User>> {
    await this.#exclusive(() => this.#lookForHandEdits());
    return [...this.#ledger.tables.users.rows.values()];
  }

  async items(): Promise<Iterable<Item>> {
    await this.#exclusive(() => this.#lookForHandEdits());
    return [...this.#ledger.tables.inventory.rows.values()];
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    return this.#ledger.decided(orderId);
  }

  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<readonly Decided[]> {
    return parsedLines(this.#ledger.view(outcome === 'accepted' ? 'orders' : 'rejections'), parseDecided);
  }

  edits(): AsyncIterable<readonly LoggedEdit[]> {
    return parsedLines(this.#ledger.view('edits'), parseEdit);
  }

  undelivered(): AsyncIterable<Undelivered> {
    return readUndelivered(this.#options.files, this.#options.folder);
  }

  async positions(): Promise<readonly Position[]> {
    return this.#ledger.tables.positions();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#ending.abort();
    await this.#background;
    await this.#drains;
    try {
      if (this.#poison === undefined) {
        await this.#exclusive(() => this.#lookForHandEdits());
        // Again when an edit was found in the place of one; who still writes is left to the next owner.
        for (let attempt = 1; attempt <= 3; attempt++) await this.#rewriteCsvs();
        await this.#exclusive(() => {
          this.#closed = true;
          return this.#ledger.finish();
        });
      }
    } finally {
      this.#closed = true;
      await this.#queue;
      for (const csv of this.#csvs) csv.close();
      await this.#ledger.close();
      await this.#options.onEnd?.[Symbol.asyncDispose]();
    }
    // What failed in the background may have met nobody yet.
    if (!this.#told) this.#throwPoison();
  }

  /** From here on nothing is written. An owner that waits for orders asks for nothing, and is to know of it all the same. */
  #fail(error: unknown): Error {
    if (this.#poison !== undefined) return this.#poison;
    this.#poison = failureOf(error, this.#options.folder);
    if (this.#options.onFailure !== undefined) {
      this.#told = true;
      this.#options.onFailure(this.#poison);
    }
    return this.#poison;
  }

  #throwPoison(): void {
    if (this.#poison === undefined) return;
    this.#told = true;
    throw this.#poison;
  }

  /** Runs `work` after all that came before it. An error of the disk poisons the store: nothing is written after. */
  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#queue.then(async () => {
      this.#throwPoison();
      if (this.#closed) {
        throw new Failure('folder_in_use', `the owner of ${this.#options.folder} is ending`, {
          fix: 'try again in a moment',
        });
      }
      try {
        return await work();
      } catch (error) {
        const failure = failureOf(error, this.#options.folder);
        if (isFatal(failure)) {
          this.#fail(failure);
          this.#told = true;
        }
        throw failure;
      }
    });
    this.#queue = run.catch(() => undefined);
    return run;
  }

  /** Takes hand edits in when nothing else happens, and writes the CSVs when they are due. */
  async #keepCsvs(): Promise<void> {
    const { signal } = this.#ending;
    const { clock } = this.#options;
    let rewrittenAt = clock.now();
    let restMs = REWRITE_EVERY_MS;
    for (;;) {
      await clock.sleep(REWRITE_EVERY_MS, signal);
      if (signal.aborted || this.#poison !== undefined) return;
      try {
        await this.#exclusive(() => this.#lookForHandEdits());
        const restedMs = clock.now() - rewrittenAt;
        // Less than nothing: the clock was set back, and by how much a rewrite is late is not known.
        if (restedMs >= 0 && restedMs < restMs) continue;
        const from = clock.now();
        await this.#rewriteCsvs();
        rewrittenAt = clock.now();
        restMs = Math.max(REWRITE_EVERY_MS, REWRITE_PER_DURATION * (rewrittenAt - from));
      } catch {
        // It has poisoned the store, and is told to whoever transacts or ends it next if not by `onFailure`.
        this.#told = this.#options.onFailure !== undefined;
      }
    }
  }

  async #rewriteCsvs(): Promise<void> {
    try {
      for (const csv of this.#csvs) if (csv.dirty) await csv.rewrite();
    } catch (error) {
      throw this.#fail(error);
    }
  }
}

/** What a person is told: errors of the operating system as a failed write, anything else as it is. */
function failureOf(error: unknown, folder: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof Failure || errorCode(error) === undefined) return error;
  const file = 'path' in error && typeof error.path === 'string' ? error.path : null;
  return writeFailure(error, file ?? path.join(folder, '.orderctl'));
}

/** Whether memory and disk may differ after it. */
function isFatal(error: unknown): boolean {
  return (
    !(error instanceof Failure) ||
    error.code === 'write_failed' ||
    error.code === 'read_failed' ||
    error.code === 'corrupt_state' ||
    error.code === 'folder_in_use'
  );
}

async function guarded<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failureOf(error, folder);
  }
}
