import type { Effect } from '../../domain/effects.ts';
import type { FactLog } from '../../domain/facts.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { ListName, ListRow } from './lists.ts';
import type { HistoryLine, Outgoing, StoredPosition, Undelivered } from '../store.ts';

/** The content of a store other than its history. */
export interface StoreRest {
  readonly users: Iterable<User>;
  readonly items: Iterable<Item>;
  readonly positions: readonly StoredPosition[];
  readonly small: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  readonly effects: Iterable<Effect>;
  /** In order for each destination. Can be read only once. */
  readonly unsent: Iterable<Outgoing> | AsyncIterable<Outgoing>;
  readonly undelivered: AsyncIterable<Undelivered>;
  readonly lists: Readonly<Record<ListName, readonly ListRow[]>>;
}

/** Changes to the whole content of a store, except numbers of transactions and the order of lines. */
export interface Rewriting {
  /**
   * Returns the new line, or the same object if it does not change. Called in the order of history, from the start
   * again.
   */
  readonly line: (line: HistoryLine) => HistoryLine;
  readonly user: (row: User) => User;
  /** The rows and lines that may change; no others need to be checked. */
  readonly touched: {
    readonly users: ReadonlySet<string>;
    readonly orders: ReadonlySet<string>;
    /** Numbers of transactions; 0: those without a number. */
    readonly edits: ReadonlySet<number>;
    /** Keys by the name of the log. */
    readonly facts: ReadonlyMap<string, ReadonlySet<string>>;
  };
}

/** A store that is copied or rewritten. No other process can own it until disposal. */
export interface StoreSource extends AsyncDisposable {
  readonly storeId: string;
  /** The whole history in order, with all logs of facts. */
  history(): AsyncIterable<readonly HistoryLine[]>;
  factLogs(): Promise<readonly FactLog<never>[]>;
  rest(): Promise<StoreRest>;
  /**
   * Seals the store: no process can change it until the seal is removed.
   *
   * @param to the target of the copy
   * @returns false: the store has changed since `history` was read, and was not sealed
   */
  seal(to: string): Promise<boolean>;
  /**
   * Rewrites the store in place. After a crash it is either unchanged, or its next owner completes the rewrite.
   * Afterwards this object must only be disposed.
   *
   * @returns the places in the store that still contain one of `texts`, for messages
   * @throws Failure changed_since (the store has changed since `history` was read), folder_in_use (its orders are being
   * archived), write_failed
   */
  rewrite(rewriting: Rewriting, texts: readonly string[]): Promise<readonly string[]>;
}

/** The number of lines that are added at a time. */
const BATCH_LINES = 5_000;

/** The lines after a transaction, in pieces that never split a transaction. Lines without a number come first. */
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

/** A store that is being created. No other process can use it before `open`. */
export interface StoreTarget extends AsyncDisposable {
  /** The number of the last transaction in the store; 0: none. */
  readonly after: number;
  /** Adds whole transactions that follow `after`. Durable when this resolves. */
  add(lines: readonly HistoryLine[]): Promise<void>;
  /** Replaces the rest of the content. */
  finish(rest: StoreRest): Promise<void>;
  open(): Promise<void>;
}
