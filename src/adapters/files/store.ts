import {
  decideConditionalEdit,
  type ConditionalEdit,
  type EditConditions,
  type RowRequest,
} from '../../domain/edits/conditional.ts';
import { decideEdit, type Edit, type EditRequest, type EditVia } from '../../domain/edit.ts';
import type { Fact, FactLog } from '../../domain/facts.ts';
import type { Effect, EffectKind } from '../../domain/effects.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { OwnOptions } from '../../ports/owner.ts';
import type {
  Changes,
  Destination,
  Keys,
  Outgoing,
  OutgoingRecord,
  Snapshot,
  Store,
} from '../../ports/store.ts';
import type { TableMerge } from '../../ports/table-copy.ts';
import { CsvFiles } from './csv/files.ts';
import { changesRow, type EditHook } from './edits/take-in.ts';
import { checkSince, copyPaths, mergeCopy, readCopy, type CopyPaths } from './edits/table-copy.ts';
import type { FileSystem } from './fs.ts';
import type { EditEvents } from './journal/change-encoder.ts';
import { FORMAT } from './journal/checkpoint.ts';
import { formerFolder } from './journal/upgrade.ts';
import { innerFolder, type LogName } from './layout.ts';
import { Ledger } from './ledger.ts';
import type { LogView } from './logs/log.ts';
import type { EditFrom, MergeFrom } from './logs/edit-line.ts';
import { keepUndelivered } from './logs/undelivered.ts';
import { FolderReads } from './reads.ts';
import { INVENTORY, USERS, type TableKind, type TableName } from './tables/columns.ts';
import type { Table } from './tables/table.ts';
import type { Tables } from './tables/tables.ts';
import { transactionState } from './transactions/state.ts';
import { keepFile } from './whole-files.ts';
import { OwedEffects } from './transactions/effects.ts';
import { GroupCommit } from './transactions/group.ts';
import { guarded, WriteTurns } from './transactions/write-turns.ts';

export interface FileStoreOptions extends Pick<OwnOptions, 'newId' | 'besideBroken' | 'onEdits' | 'onOwed'> {
  readonly files: FileSystem;
  readonly folder: string;
  readonly clock: Clock;
  /** The user named in the log of edits. */
  readonly user: string;
  readonly via: EditVia;
  readonly onNotice: (notice: StoreNotice) => void;
  /** As in OwnOptions. Without it, the next call or disposal throws the failure. */
  readonly onFailure?: ((failure: Error) => void) | undefined;
  /** Disposed after the last write, to make way for the next owner. */
  readonly onEnd?: AsyncDisposable;
  /** The size of the journal that triggers a checkpoint. */
  readonly checkpointBytes?: number;
  /** The size at which a segment of the outbox is continued in another file. */
  readonly segmentBytes?: number;
}

/** The store of a folder that this process owns. Operations that change state run one after the other. */
export class FileStore extends FolderReads implements Store {
  readonly isShared = false;
  readonly storeId: string;
  protected readonly files: FileSystem;
  protected readonly folder: string;
  readonly #options: FileStoreOptions;
  readonly #ledger: Ledger;
  readonly #turns: WriteTurns;
  readonly #csvs: CsvFiles;
  readonly #group: GroupCommit;
  readonly #onEdits: EditHook;
  readonly #ending = new AbortController();
  readonly #effects: OwedEffects;
  readonly #drains = new Map<Destination, Promise<unknown>>();
  #background: Promise<void> = Promise.resolve();

  private constructor(options: FileStoreOptions, ledger: Ledger) {
    super();
    this.#options = options;
    this.files = options.files;
    this.folder = options.folder;
    this.#ledger = ledger;
    this.storeId = ledger.folderId;
    const { files, folder, clock, user: by, onNotice } = options;
    this.#turns = new WriteTurns(folder, options.onFailure);
    const onEdits: EditHook = options.onEdits === undefined ? null : (edits) => this.#eventsOf(edits);
    this.#onEdits = onEdits;
    this.#csvs = new CsvFiles({ files, folder, ledger, clock, by, onNotice, onEdits }, this.#turns);
    this.#group = new GroupCommit({
      folder,
      ledger,
      turns: this.#turns,
      clock,
      look: () => this.#csvs.look(),
      eventsOf: (edits) => this.#eventsOf(edits),
    });
    this.#effects = new OwedEffects(ledger, this.#group, clock);
  }

  /** @throws Failure corrupt_file, corrupt_state, write_failed */
  static async open(options: FileStoreOptions): Promise<FileStore> {
    // A failure before the store exists occurs again later, or makes no difference.
    let onFailure: (error: unknown) => void = () => undefined;
    const ledger = await guarded(options.folder, () =>
      Ledger.open(options.files, options.folder, (error) => onFailure(error), options),
    );
    const store = new FileStore(options, ledger);
    onFailure = (error) => void store.#turns.fail(error);
    try {
      await guarded(options.folder, async () => {
        await store.#csvs.start(options.besideBroken);
        // A large file that was applied is checkpointed before orders arrive, not alongside the first of them.
        if (ledger.checkpointDue) await ledger.startCheckpoint();
      });
    } catch (error) {
      store.#csvs.close();
      await ledger.close();
      throw error;
    }
    if (ledger.formerFormat !== null) {
      const keptIn = formerFolder(innerFolder(options.folder));
      options.onNotice({ kind: 'upgraded', from: ledger.formerFormat, to: FORMAT, keptIn });
    }
    if (ledger.recoveredCommits > 0) {
      options.onNotice({ kind: 'recovered', journalRecords: ledger.recoveredCommits });
    }
    store.#background = store.#csvs.keep(store.#ending.signal);
    return store;
  }

  protected get tables(): Tables {
    return this.#ledger.tables;
  }

  protected view(log: LogName): LogView {
    return this.#ledger.view(log);
  }

  transact<R>(_keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R> {
    return this.#group.transact({ by: this.#options.user, via: this.#options.via }, decide);
  }

  /** An edit requested by another process. @throws Failure of decideEdit */
  edit(request: EditRequest, from: EditFrom): Promise<Edit> {
    return this.#group.transact(from, (snapshot) => {
      const edit = decideEdit(request, snapshot);
      return { changes: { edits: [edit] }, result: edit };
    });
  }

  /** The same under conditions. @throws Failure of decideConditionalEdit */
  editIf(request: RowRequest, conditions: EditConditions, from: EditFrom): Promise<ConditionalEdit> {
    return this.#group.transact(from, (snapshot) => decideConditionalEdit(request, conditions, snapshot));
  }

  /** Applies an edited copy of a table. @throws Failure corrupt_file, not_found for the copy; as `TableCopy.merge` */
  async mergeCopy(table: TableName, name: string, from: MergeFrom): Promise<TableMerge> {
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
    { unlessEdited, ...from }: MergeFrom,
  ): Promise<TableMerge> {
    const { files, clock } = this.#options;
    const copy = readCopy(files, kind, paths);
    return this.#turns.run(async () => {
      await this.#csvs.look();
      checkSince(files, kind, { paths, copy, unlessEdited }, this.#ledger.view('edits'));
      const stamp = { seq: this.#ledger.nextSeq, at: clock.now(), ...from, copy: paths.name };
      const { commit, merge } = mergeCopy(kind, table, copy, stamp, this.#onEdits);
      if (commit !== null) {
        await this.#ledger.commit(commit);
        // A different order of rows does not change the table.
        this.#csvs.writeAgain(kind.table);
      }
      if (this.#ledger.checkpointDue) await this.#ledger.startCheckpoint();
      return merge;
    });
  }

  /** The consequences of edits, based on the state before them. */
  #eventsOf(edits: Iterable<Edit>): EditEvents {
    const { onEdits, clock } = this.#options;
    const changing = onEdits === undefined ? [] : [...edits].filter(changesRow);
    if (onEdits === undefined || changing.length === 0) return {};
    return onEdits(changing, transactionState(this.#ledger, clock));
  }

  drain(
    destination: Destination,
    send: (unsent: readonly Outgoing[]) => Promise<readonly OutgoingRecord[]>,
  ): Promise<number> {
    const before = this.#drains.get(destination) ?? Promise.resolve();
    const run = before.then(async () => {
      // It does not include what is decided meanwhile.
      const unsent = this.#nextOf(destination);
      if (unsent.length === 0) return 0;
      const refused = await send(unsent);
      if (refused.length > 0) await this.#turns.run(() => keepUndelivered(this.files, this.folder, refused));
      await this.#group.stage(() =>
        this.#ledger.stage({ lines: [this.#ledger.outbox.sent(destination, unsent.length)] }),
      );
      return unsent.length - refused.length;
    });
    const settled = run.catch(() => undefined);
    this.#drains.set(destination, settled);
    return run;
  }

  /** @throws Failure corrupt_state: then the store must not be used again */
  #nextOf(destination: Destination): readonly Outgoing[] {
    try {
      return this.#ledger.outbox.next(destination);
    } catch (error) {
      throw this.#turns.fail(error);
    }
  }

  unsent(): ReadonlyMap<Destination, number> {
    return this.tables.queues.waiting();
  }

  unsentElsewhere(): Promise<number> {
    return Promise.resolve(0);
  }

  takeEffects(options: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    return this.#effects.take(options);
  }

  dueInMs(kinds: readonly EffectKind[]): number | null {
    return this.#effects.dueInMs(kinds);
  }

  keepFile(name: string, text: string): Promise<string> {
    return this.#turns.run(() => keepFile(this.#options.files, this.#options.folder, name, text));
  }

  /** Rebuilds the index from the logs, and has the CSVs rewritten; disposal makes it durable. */
  async rebuildViews(): Promise<void> {
    await this.#turns.run(async () => this.#ledger.rebuildIndex());
    this.#csvs.writeAgain();
  }

  async users(): Promise<Iterable<User>> {
    await this.#turns.run(() => this.#csvs.look());
    return [...this.#ledger.tables.users.rows.values()];
  }

  async items(): Promise<Iterable<Item>> {
    await this.#turns.run(() => this.#csvs.look());
    return [...this.#ledger.tables.inventory.rows.values()];
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    return this.#turns.run(async () => this.#ledger.decided(orderId));
  }

  async facts<T extends Fact>({ name }: FactLog<T>, key: string): Promise<readonly T[]> {
    return this.#turns.run(async () => this.#ledger.facts(name, key) as readonly T[]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#turns.hasEnded) return;
    this.#ending.abort();
    await this.#background;
    await Promise.all(this.#drains.values());
    try {
      if (!this.#turns.hasFailed) {
        await this.#turns.run(() => this.#csvs.look());
        // Repeated when an edit was found in place of a file; a file that a user is still saving is left to the next
        // owner.
        for (let attempt = 1; attempt <= 3; attempt++) await this.#csvs.rewrite();
        await this.#turns.run(() => {
          this.#turns.end();
          return this.#ledger.finish();
        });
      }
    } finally {
      this.#turns.end();
      await this.#turns.settled();
      this.#csvs.close();
      await this.#ledger.close();
      await this.#options.onEnd?.[Symbol.asyncDispose]();
    }
    this.#turns.throwUnheard();
  }
}
