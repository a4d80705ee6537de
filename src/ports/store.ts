import type { Advice } from '../domain/advice.ts';
import type { Decided } from '../domain/orders/decide.ts';
import type { Edit, EditRequest, EditVia, LoggedEdit } from '../domain/edit.ts';
import type { SetAside } from '../domain/set-aside.ts';
import type { Item, User, UserStatus } from '../domain/tables.ts';
import type { StoreInspection } from './inspection.ts';
import type { Headers, RecordFingerprint } from './record.ts';
import type { Processes } from './processes.ts';
import type { ConsumerStatus, RunningConsumer, StoppedConsumer } from './status.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** How far a partition has been read: committed together with the decisions, and what counts. */
export interface Position extends TopicPartition {
  /** The offset to read next. */
  readonly next: number;
  /** The last record that was read before `next`; null when none was (a fresh or a moved position). */
  readonly last: RecordFingerprint | null;
  /** The cluster it was read from; null when it was not read yet. */
  readonly clusterId: string | null;
}

/** A record to be sent, committed with the decisions that caused it and sent afterwards, at least once. */
export interface Outgoing {
  /** What it is about, `orders/3@17`: one sent twice bears the same id. */
  readonly id: string;
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

/** A record that the broker refused for good. */
export interface Undelivered extends Outgoing {
  /** By which it is found again: its id; with `~` and eight hexadecimal digits behind it when another of that id came first. */
  readonly name: string;
}

/** What a transaction will look at or change. The store may lock exactly this; to read any other key is a bug. */
export interface Keys {
  readonly users?: Iterable<string>;
  readonly items?: Iterable<string>;
  readonly orders?: Iterable<string>;
  readonly partitions?: Iterable<TopicPartition>;
}

/** The committed state at one moment, readable for the keys of the transaction. */
export interface Snapshot {
  /** The moment of the transaction, milliseconds since the epoch. */
  readonly at: number;
  status(user: string): UserStatus | undefined;
  quantity(item: string): number | undefined;
  /** The whole row, for edits. */
  user(user: string): User | undefined;
  item(item: string): Item | undefined;
  decided(orderId: string): Decided | undefined;
  position(of: TopicPartition): Position | undefined;
}

export interface Changes {
  /**
   * First decisions only, in order. Acceptance takes the stock of its lines: the store deducts it. What `edits` make of
   * an item counts first; an item that they add cannot be sold by the same changes.
   */
  readonly decisions?: readonly Decided[];
  readonly edits?: readonly Edit[];
  readonly positions?: readonly Position[];
  readonly outgoing?: readonly Outgoing[];
}

export interface StoreReader extends AsyncDisposable {
  /** As in Store; null when the folder was never owned. */
  readonly storeId: string | null;
  /** Rows in the order of the file, hand edits that were not taken in yet included. */
  users(): Promise<Iterable<User>>;
  items(): Promise<Iterable<Item>>;
  decided(orderId: string): Promise<Decided | undefined>;
  /** Every decision of that kind in the order of the log, streamed in chunks. */
  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<readonly Decided[]>;
  edits(): AsyncIterable<readonly LoggedEdit[]>;
  /** What `drain` could not send for good, read one by one, in order of their names. @throws Failure corrupt_file */
  undelivered(): AsyncIterable<Undelivered>;
  positions(): Promise<readonly Position[]>;
}

/** What the store has to tell while it works. */
export type StoreNotice =
  /** Hand edits of a file were taken in. */
  | {
      readonly kind: 'hand_edit_merged';
      readonly file: string;
      readonly rows: number;
      /** The version that it was made from, and when that came; null: it is the first file of all. */
      readonly madeFrom: { readonly at: number; readonly isOwnSave: boolean } | null;
    }
  /** A file is broken: its last good values stay in force and it is not written until it is mended. */
  | {
      readonly kind: 'file_broken';
      readonly file: string;
      readonly line: number;
      /** Names file and line. */
      readonly message: string;
      readonly fix: Advice | null;
    }
  | { readonly kind: 'file_mended'; readonly file: string }
  /** A file that cannot be merged is kept aside, and changes nothing; null: the next owner will do so. */
  | {
      readonly kind: 'file_set_aside';
      readonly file: string;
      readonly keptAs: string | null;
      readonly why: SetAside;
    }
  /** A file was taken away: that changes nothing, it is written anew. */
  | { readonly kind: 'file_missing'; readonly file: string }
  /** A file was saved as a version of before, to the byte: that is no change, and it is written anew. */
  | { readonly kind: 'file_outdated'; readonly file: string }
  /** A hand edit would have taken stock below zero: it is 0 now. */
  | { readonly kind: 'stock_clamped'; readonly item: string; readonly wanted: number }
  /** Something was rebuilt after a crash. */
  | { readonly kind: 'recovered'; readonly journalRecords: number }
  /** An edit came from another process by the folder's socket. */
  | { readonly kind: 'edit_taken_in'; readonly edit: Edit }
  /** The same of an edited copy of a table. */
  | { readonly kind: 'copy_taken_in'; readonly file: string; readonly rows: number };

export interface Store extends StoreReader {
  /** Made with the folder: the mark by which a consumer group knows its folder. */
  readonly storeId: string;
  /**
   * The one way to change state. `decide` is synchronous and pure; a store may run it again. When this resolves
   * all of `changes` is durable; when it rejects, none of it happened or the process must leave.
   * Hand edits and edits by other processes are taken in before `decide` runs.
   *
   * @throws Failure write_failed: an operating-system write failed; leave, never retry
   */
  transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R>;
  /**
   * Gives every unsent record to `send`, in order, and marks them sent when it resolves; a crash between sends
   * again. `send` resolves with the records that the broker refuses for good (too large): those are kept in
   * `.orderctl/undelivered/`. When `send` rejects, all stay unsent.
   *
   * @returns how many left
   */
  drain(send: (records: readonly Outgoing[]) => Promise<readonly Outgoing[]>): Promise<number>;
  /** Unsent records, waiting for `drain`. */
  unsent(): number;
  /**
   * Keeps a file beside the state, for people and other tools: in the place of one of that name, durable when this
   * resolves.
   *
   * @returns its path
   * @throws Failure write_failed
   */
  keepFile(name: string, text: string): Promise<string>;
}

export interface OwnOptions {
  /** What the owner is, told to whoever else wants the folder: `consume`. */
  readonly purpose: string;
  /** What the edits of its transactions are logged as. */
  readonly via: EditVia;
  readonly onNotice: (notice: StoreNotice) => void;
  /**
   * Told once when nothing can be stored any more, by whatever that was found: the writing of a CSV in the background,
   * or an edit by another process. The owner is to leave.
   */
  readonly onFailure?: (failure: Error) => void;
  /** A consumer's: answers `consumerStatus` of other processes, at any moment. */
  readonly status?: () => ConsumerStatus;
  /** Gives the folder a new id, durable when `own` resolves: it is a copy of another. */
  readonly newId?: boolean;
  /** Goes on beside a CSV that is broken, with its last good values, and leaves it; else that is corrupt_file. */
  readonly besideBroken?: boolean;
  /** A consumer's: called when another process asks it to stop. */
  readonly onStop?: () => void;
}

/** A copy of a table for an editor. What it was made from lies beside it, so that what the user changes is known. */
export interface TableCopy {
  /** The CSV to edit. */
  readonly file: string;
  /** Whether it is another than it was. */
  isChanged(): boolean;
  /**
   * Takes the changes over into the table as it is now: quantities as the difference, of other cells the changed one
   * wins. By the folder's owner when there is one, else owning the folder for that moment.
   *
   * @throws Failure corrupt_file, with `file` and line, for a mistake in the copy: then nothing was asked of anyone;
   *   otherwise as `edit` of StoreAccess
   */
  merge(options: { via: EditVia; onNotice: (notice: StoreNotice) => void }): Promise<TableMerge>;
  /** Removes it. */
  discard(): void;
}

export interface TableMerge {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** The first of them, up to half a mebibyte; the log of edits has all. */
  readonly edits: readonly Edit[];
  /** Rows or columns are in another order, or a column came or went. */
  readonly isRearranged: boolean;
  /** Stock that the edit would have taken below zero: it is 0 now. */
  readonly clamped: readonly { readonly item: string; readonly wanted: number }[];
}

/** A folder, seen from a process that may own it, ask its owner, or only read. */
export interface StoreAccess {
  /** For messages: of a folder, its absolute path. */
  readonly name: string;
  /**
   * Owns the folder until disposal; disposal writes the CSVs and a checkpoint.
   *
   * @throws Failure folder_in_use (who has it), corrupt_file, corrupt_state, write_failed
   */
  own(options: OwnOptions): Promise<Store>;
  /**
   * Makes one edit: by the folder's owner when there is one, else owning the folder for that moment.
   *
   * @throws Failure of decideEdit, and those of `own`; owner_unreachable when the owner does not answer in time
   */
  edit(
    request: EditRequest,
    options: { via: EditVia; onNotice: (notice: StoreNotice) => void },
  ): Promise<Edit>;
  /**
   * Makes a copy of a table to edit; nothing is locked while it is open. With `onNotice`, a copy of
   * a CSV that is broken has the last good values.
   *
   * @param how.kept the file of a copy that was made before and not discarded
   * @throws Failure not_found when there is no folder, or no such copy; those of `read`
   */
  copyTable(
    table: 'users' | 'inventory',
    how?: { kept?: string | undefined; onNotice?: (notice: StoreNotice) => void },
  ): Promise<TableCopy>;
  /**
   * What the folder's owner says of itself, when it is a consumer; nothing of the folder is read.
   *
   * @returns null when no consumer owns it
   * @throws Failure owner_unreachable when the owner does not answer in time; read_failed when this user may not ask it
   */
  consumerStatus(): Promise<RunningConsumer | null>;
  /**
   * Has the consumer that owns the folder finish and leave, and waits for it.
   *
   * @param options.kill ends an owner that does not do so, after making sure that it is the owner
   * @returns null when no consumer owns the folder
   * @throws Failure owner_unreachable
   */
  stopConsumer(options: { kill: boolean }): Promise<StoppedConsumer | null>;
  readonly processes: Processes;
  /**
   * Holds a task that only one process at a time may be at, until disposal or its end. Goes beside an owner.
   *
   * @throws Failure folder_in_use (who is at it), write_failed
   */
  claim(task: 'redrive'): Promise<AsyncDisposable>;
  /** Whether it holds anything of a store; who owns one that does not makes it. */
  isThere(): boolean;
  /** What the disk under the folder has left, and whether we may write there. */
  room(): { readonly freeBytes: number; readonly writable: boolean };
  /**
   * Ids of recent decisions that begin with `prefix`, newest first: what the ends of the two logs show, at a cost that
   * does not grow with them. For a person to choose from; what was just decided may be missing.
   */
  recentOrderIds(prefix: string, limit: number): readonly string[];
  /** Files that users saved and that could not be taken in: they wait to be dealt with. */
  keptAside(): readonly { readonly file: string; readonly why: SetAside }[];
  /**
   * No lock, any process, never behind the last commit.
   *
   * @param how `onNotice` is told of a file that is broken, whose last good values are read; without it that is thrown
   * @throws Failure not_found (it is no storage folder), corrupt_file, corrupt_state
   */
  read(how?: { readonly onNotice: (notice: StoreNotice) => void }): Promise<StoreReader>;
  /**
   * As `read`, for an audit.
   *
   * @throws Failure not_found (it is no storage folder), corrupt_state when what is true cannot be told
   */
  inspect(): Promise<StoreInspection>;
  /**
   * Owns the folder for a moment and builds anew what is a view of the logs: the index of order ids, the CSVs, the
   * ends of the logs since the last checkpoint.
   *
   * @throws Failure as `own`
   */
  rebuildViews(options: { onNotice: (notice: StoreNotice) => void }): Promise<void>;
}
