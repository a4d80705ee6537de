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

/** What is to be changed of all that a store holds, the numbers of transactions and the order of lines apart. */
export interface Rewriting {
  /** A line as it is to be; the same object where it stays. Called in the order of history, and again from its start. */
  readonly line: (line: HistoryLine) => HistoryLine;
  readonly user: (row: User) => User;
  /** Whose rows and lines change: no others need be looked at. */
  readonly touched: {
    readonly users: ReadonlySet<string>;
    readonly orders: ReadonlySet<string>;
    /** Numbers of the transactions; 0: those without one. */
    readonly edits: ReadonlySet<number>;
    /** Keys, by the name of the log. */
    readonly facts: ReadonlyMap<string, ReadonlySet<string>>;
  };
}

/** A store that is copied or rewritten: nobody else owns it until disposal. */
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
  /**
   * Writes the store again as it is to be, in its place. A crash leaves it as it was, or as it is to be once its next owner has
   * gone on with that. Afterwards this is only to be disposed.
   *
   * @returns places in the store that still hold one of `texts`, for messages
   * @throws Failure changed_since: it was changed since `history` was read; folder_in_use: its orders are being archived; write_failed
   */
  rewrite(rewriting: Rewriting, texts: readonly string[]): Promise<readonly string[]>;
}

/** Lines that are added together. */
const BATCH_LINES = 5_000;

/** Lines behind a transaction, in pieces that no transaction is in two of. Lines without a number come before all. */
export async function* wholeTransactions(
  history: AsyncIterable<readonly HistoryLine[]>,
  after: number,
): AsyncGenerator<readonly HistoryLine[]> {
  let batch: HistoryLine[] = [];
  for await (const chunk of history) {
    for (const line of chunk) {
      const seq = line.seq ?? 0;
      if (seq < after || (seq === after && after > 0)) continue;
      const last = batch.at(-1);
      if (batch.length >= BATCH_LINES && last !== undefined && (last.seq ?? 0) !== seq) {
        yield batch;
        batch = [];
      }
      batch.push(line);
    }
  }
  if (batch.length > 0) yield batch;
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
