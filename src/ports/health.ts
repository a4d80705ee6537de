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

/** Lines of a log as they are stored. */
export interface PlacedLines<T> {
  /** Relative to the folder. */
  readonly file: string;
  /** Number of the first, counted from 1. */
  readonly firstLine: number;
  /** undefined: a line that orderctl did not write. */
  readonly lines: readonly (T | undefined)[];
}

/** How far history reached at one moment; what it says is for the store that made it. */
export interface HistoryPlace {
  readonly storeId: string | null;
  /** The length of each log, or the number of the last commit. */
  readonly ends: ReadonlyMap<string, number>;
}

/** Orders that were archived, added up. */
export interface ArchivedSums {
  readonly accepted: number;
  readonly rejected: number;
  /** What they took of each item. */
  readonly sold: ReadonlyMap<string, number>;
}

/** What is added up of a store at one moment: its books. Only what was committed is in it. */
export type BooksView = Pick<StoreInspection, 'items' | 'archived' | 'place' | 'historyFrom'>;

/** A store at one moment, down to its files, for an audit. Only what was committed is trusted. */
export interface StoreInspection extends AsyncDisposable {
  /** Whether a process owned the store at that moment; a failure says why this user cannot know. */
  readonly isOwned: boolean | Failure;
  /** The tables as committed, without hand edits that were not taken in. */
  users(): Iterable<User>;
  items(): Iterable<Item>;
  positions(): readonly StoredPosition[];
  /** As in Store. */
  unsent(): ReadonlyMap<Destination, number>;
  /** What is committed and waits to be sent, each destination in its order, read as it is asked for. */
  allUnsent(): Iterable<Outgoing> | AsyncIterable<Outgoing>;
  undelivered(): AsyncIterable<Undelivered>;
  decided(orderId: string): Promise<Decided | undefined>;
  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<PlacedLines<Decided>>;
  /** Orders that `decisions` and `historyFrom` leave out, and which come before all others; null: none. */
  archived(): ArchivedSums | null;
  edits(): AsyncIterable<PlacedLines<LoggedEdit>>;
  movements(): AsyncIterable<PlacedLines<LoggedMovement>>;
  facts<T extends Fact>(log: FactLog<T>): AsyncIterable<PlacedLines<T>>;
  /** How far history reaches. */
  readonly place: HistoryPlace;
  /**
   * As `history` of StoreReader, what was added after the place of an earlier inspection: a reader that comes again and
   * again reads each line once.
   *
   * @param from null: all of it
   * @throws Failure changed_since: another store, or an earlier copy, is in its place; corrupt_state
   */
  historyFrom(
    from: HistoryPlace | null,
    facts: readonly FactLog<never>[],
  ): AsyncIterable<readonly HistoryLine[]>;
  /** All that are owed, parked ones too. */
  effects(): Iterable<Effect>;
  /** Where the row of an item or user stands in its file, for messages. */
  whereRow(table: 'users' | 'items', name: string): string;
  /** Compares the files with each other; what their lines say is for the caller to check. */
  findings(): AsyncIterable<Finding>;
}

/**
 * What a store lies on: a disk of this machine; a layer that goes with its container; memory; or a file system of
 * another kernel, on which one owner cannot be kept apart from another.
 */
export type Medium = 'disk' | 'container' | 'memory' | 'remote';

export interface Room {
  readonly freeBytes: number;
  /** The first file or folder that this user may not write; null: there is none. */
  readonly unwritable: string | null;
  readonly medium: Medium;
  /** The number of the user that the store belongs to, where this user is the superuser and another; else null. */
  readonly owner: number | null;
}

/** The state of the store on its disk, and its repair. */
export interface StoreHealth {
  /**
   * Whether there is a store; owning one that is not there makes it.
   *
   * @throws Failure already_exists: the place has one of another kind
   */
  isThere(): Promise<boolean>;
  /** null: it lies on no disk of this machine. */
  room(): Promise<Room | null>;
  /** Files that users saved and that could not be taken in: the user has to deal with them. */
  keptAside(): readonly { readonly file: string; readonly why: SetAside }[];
  /**
   * As `read`, for an audit.
   *
   * @throws Failure not_found (it is no storage folder), corrupt_state when the truth itself is damaged
   */
  inspect(): Promise<StoreInspection>;
  /**
   * Owns the store for a moment and builds the views of the logs again: the index of order ids, the CSVs, the ends of
   * the logs since the last checkpoint.
   *
   * @throws Failure as `own`
   */
  rebuildViews(options: { onNotice: (notice: StoreNotice) => void }): Promise<void>;
}
