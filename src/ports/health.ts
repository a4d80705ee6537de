import type { Decided } from '../domain/orders/decide.ts';
import type { AuditNote, Difference } from '../domain/difference.ts';
import type { LoggedEdit } from '../domain/edit.ts';
import type { Failure } from '../domain/failure.ts';
import type { Item, User } from '../domain/tables.ts';
import type { SetAside } from '../domain/set-aside.ts';
import type { StoreNotice } from './notices.ts';
import type { Outgoing, Position, Undelivered } from './store.ts';

export type Finding =
  | { readonly difference: Difference; readonly note?: never }
  | { readonly note: AuditNote; readonly difference?: never };

/** Lines of a log as they stand in it. */
export interface PlacedLines<T> {
  /** Relative to the folder. */
  readonly file: string;
  /** Number of the first, counted from 1. */
  readonly firstLine: number;
  /** undefined: not a line of ours. */
  readonly lines: readonly (T | undefined)[];
}

/** A folder at one moment, down to its files, for an audit. Nothing is taken as given but what was committed. */
export interface StoreInspection extends AsyncDisposable {
  /** Whether a process owned the folder at that moment; a failure says why this user cannot know. */
  readonly isOwned: boolean | Failure;
  /** The tables as they are committed: without hand edits that were not taken in. */
  users(): Iterable<User>;
  items(): Iterable<Item>;
  positions(): readonly Position[];
  /** Records that are committed and wait to be sent. */
  unsent(): readonly Outgoing[];
  undelivered(): AsyncIterable<Undelivered>;
  decided(orderId: string): Promise<Decided | undefined>;
  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<PlacedLines<Decided>>;
  edits(): AsyncIterable<PlacedLines<LoggedEdit>>;
  /** Where the row of an item or user stands in its file, for messages. */
  whereRow(table: 'users' | 'items', name: string): string;
  /** Holds the files against each other: what they say is for the caller. */
  findings(): AsyncIterable<Finding>;
}

/** The state of the store as a thing on a disk, and what can be repaired. */
export interface StoreHealth {
  /** Whether it holds anything of a store; who owns one that does not makes it. */
  isThere(): boolean;
  /** What the disk under the folder has left, and whether we may write there. */
  room(): { readonly freeBytes: number; readonly writable: boolean };
  /** Files that users saved and that could not be taken in: they wait to be dealt with. */
  keptAside(): readonly { readonly file: string; readonly why: SetAside }[];
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
