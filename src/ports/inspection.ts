import type { Decided } from '../domain/orders/decide.ts';
import type { AuditNote, Difference } from '../domain/difference.ts';
import type { LoggedEdit } from '../domain/edit.ts';
import type { Failure } from '../domain/failure.ts';
import type { Item, User } from '../domain/tables.ts';
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
