import type { Decided } from '../domain/orders/decided.ts';
import type { AuditNote, Difference } from '../domain/difference.ts';
import type { LoggedEdit } from '../domain/edit.ts';
import type { Effect } from '../domain/effects.ts';
import type { Fact, FactLog } from '../domain/facts.ts';
import type { Failure } from '../domain/failure.ts';
import type { Item, User } from '../domain/tables.ts';
import type { SetAside } from '../domain/set-aside.ts';
import type { StoreNotice } from './notices.ts';
import type {
  Destination,
  HistoryLine,
  LoggedMovement,
  Outgoing,
  StoredPosition,
  Undelivered,
} from './store.ts';

export type Finding =
  | { readonly difference: Difference; readonly note?: never }
  | { readonly note: AuditNote; readonly difference?: never };

/** Lines of a log, with their place in the file. */
export interface PlacedLines<T> {
  /** Relative to the folder. */
  readonly file: string;
  /** Number of the first line, counted from 1. */
  readonly firstLine: number;
  /** undefined: a line that orderctl did not write. */
  readonly lines: readonly (T | undefined)[];
}

/** The end of history at one moment, in a form that only its store understands. */
export interface HistoryPlace {
  readonly storeId: string | null;
  /** The length of each log, or the number of the last commit. */
  readonly ends: ReadonlyMap<string, number>;
}

/** Totals of the archived orders. */
export interface ArchivedSums {
  readonly accepted: number;
  readonly rejected: number;
  /** Units of each item that they took. */
  readonly sold: ReadonlyMap<string, number>;
}

/** The data of the books at one moment. It contains only committed data. */
export type BooksView = Pick<StoreInspection, 'items' | 'archived' | 'place' | 'historyFrom'>;

/** A store at one moment, including its files, for an audit. Only committed data is trusted. */
export interface StoreInspection extends AsyncDisposable {
  /** Whether a process owned the store at that moment; a failure if this user cannot find out. */
  readonly isOwned: boolean | Failure;
  /** The tables as committed, without hand edits that were not merged. */
  users(): Iterable<User>;
  items(): Iterable<Item>;
  positions(): readonly StoredPosition[];
  /** As in Store. */
  unsent(): ReadonlyMap<Destination, number>;
  /** All committed messages that are still to be sent, in order for each destination, read on demand. */
  allUnsent(): Iterable<Outgoing> | AsyncIterable<Outgoing>;
  undelivered(): AsyncIterable<Undelivered>;
  decided(orderId: string): Promise<Decided | undefined>;
  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<PlacedLines<Decided>>;
  /**
   * Totals of the archived orders, which `decisions` and `historyFrom` leave out and which precede all others; null:
   * none.
   */
  archived(): ArchivedSums | null;
  edits(): AsyncIterable<PlacedLines<LoggedEdit>>;
  movements(): AsyncIterable<PlacedLines<LoggedMovement>>;
  facts<T extends Fact>(log: FactLog<T>): AsyncIterable<PlacedLines<T>>;
  /** The end of history. */
  readonly place: HistoryPlace;
  /**
   * Like `history` of StoreReader, but only what was added after the place of an earlier inspection, so that a repeated
   * reader reads each line once.
   *
   * @param from null: from the start
   * @throws Failure changed_since (the store was replaced by another one or by an earlier copy), corrupt_state
   */
  historyFrom(
    from: HistoryPlace | null,
    facts: readonly FactLog<never>[],
  ): AsyncIterable<readonly HistoryLine[]>;
  /** All pending effects, including parked ones. */
  effects(): Iterable<Effect>;
  /** The location of a row in its file, for messages. */
  whereRow(table: 'users' | 'items', name: string): string;
  /** Compares the files with each other. The caller checks the content of their lines. */
  findings(): AsyncIterable<Finding>;
}

/**
 * What a store is stored on: a disk of this machine; a container layer, deleted with its container; memory; or a remote
 * file system, on which locks cannot ensure a single owner.
 */
export type Medium = 'disk' | 'container' | 'memory' | 'remote';

export interface Room {
  readonly freeBytes: number;
  /** The first file or folder that this user cannot write; null: none. */
  readonly unwritable: string | null;
  readonly medium: Medium;
  /** The uid of the owner of the store, if this user is root and the owner is not; else null. */
  readonly owner: number | null;
}

/** The condition of a store on its disk, and its repair. */
export interface StoreHealth {
  /**
   * Whether the store exists. Owning a store that does not exist creates it.
   *
   * @throws Failure already_exists (a store of another kind exists at this location)
   */
  isThere(): Promise<boolean>;
  /** null: the store is not on a disk of this machine. */
  room(): Promise<Room | null>;
  /** Files that users saved and that could not be merged. The user must resolve them. */
  keptAside(): readonly { readonly file: string; readonly why: SetAside }[];
  /**
   * Like `read`, for an audit.
   *
   * @throws Failure not_found (not a storage folder), corrupt_state (authoritative data is damaged)
   */
  inspect(): Promise<StoreInspection>;
  /**
   * Owns the store for a moment and rebuilds the views of the logs: the index of order ids, the CSVs, and the ends of
   * the logs since the last checkpoint.
   *
   * @throws Failure as `own`
   */
  rebuildViews(options: { onNotice: (notice: StoreNotice) => void }): Promise<void>;
}
