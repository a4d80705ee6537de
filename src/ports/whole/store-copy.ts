import type { Effect } from '../../domain/effects.ts';
import type { FactLog } from '../../domain/facts.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { ListName, ListRow } from './lists.ts';
import type { HistoryLine, Outgoing, StoredPosition, Undelivered } from '../store.ts';

/** What a store holds beside its history. */
export interface StoreRest {
  readonly users: Iterable<User>;
  readonly items: Iterable<Item>;
  readonly positions: readonly StoredPosition[];
  readonly small: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  readonly effects: Iterable<Effect>;
  /** Each destination in its order, read once. */
  readonly unsent: Iterable<Outgoing> | AsyncIterable<Outgoing>;
  readonly undelivered: AsyncIterable<Undelivered>;
  readonly lists: Readonly<Record<ListName, readonly ListRow[]>>;
}

/** A store that is copied: nobody else owns it until disposal. */
export interface StoreSource extends AsyncDisposable {
  readonly storeId: string;
  /** All that happened, with every log of facts that it has, in its order. */
  history(): AsyncIterable<readonly HistoryLine[]>;
  factLogs(): Promise<readonly FactLog<never>[]>;
  rest(): Promise<StoreRest>;
  /**
   * From here on nobody changes it, until its seal is broken.
   *
   * @param to what it is copied to
   * @returns false when it was changed since `history` was read: nothing is sealed
   */
  seal(to: string): Promise<boolean>;
}

/** A store that is being made; until `open` nobody else can use it. */
export interface StoreTarget extends AsyncDisposable {
  /** The number of the last transaction that it has; 0: it has none. */
  readonly after: number;
  /** Whole transactions, behind that one. Durable when this resolves. */
  add(lines: readonly HistoryLine[]): Promise<void>;
  /** Replaces what it has of these. */
  finish(rest: StoreRest): Promise<void>;
  open(): Promise<void>;
}
