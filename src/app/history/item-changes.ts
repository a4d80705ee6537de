import type { EditVia } from '../../domain/edit.ts';
import { totalsByItem } from '../../domain/orders/order.ts';
import type { KeptView } from '../../ports/access.ts';
import {
  STOCK_LOGS,
  type HistoryLine,
  type LogPlace,
  type OrderReader,
  type StockLog,
  type StockPiece,
} from '../../ports/store.ts';
import type { StockChange } from '../live/stock-changes.ts';
import { checkedStore, isLogsMark, type LogsMark } from './marks.ts';

/** The most chunks of logs that a page reads, however few of them are about the item. */
const MOST_PIECES = 16;

/** A change of the stock on hand of an item. */
export interface ItemChange {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly cause: StockChange['cause'];
  /** Stock on hand; null: the item did not exist. */
  readonly before: number | null;
  readonly after: number | null;
  /** The order or event that caused it. */
  readonly orderId: string | null;
  readonly eventId: string | null;
  /** For an edit, like the next two. */
  readonly by: string | null;
  readonly via: EditVia | null;
  readonly why: string | null;
}

/** Where a list of changes continues: in each log, the end of what is not listed yet. */
export type ItemChangesMark = LogsMark<StockLog>;

export function isItemChangesMark(value: unknown): value is ItemChangesMark {
  return isLogsMark(value, STOCK_LOGS);
}

export interface ItemChangesPage {
  readonly changes: readonly ItemChange[];
  /** null: there are no earlier changes. */
  readonly next: ItemChangesMark | null;
}

/**
 * One page of the changes to the stock of an item, latest first. The cost of a page depends on what it reads, not on
 * the size of the logs; it may have fewer changes than its limit, or none, when the item changes rarely. Edits that
 * leave the quantity unchanged are not listed.
 *
 * @param mark null: start from the latest change
 * @throws Failure invalid_value: the mark is of another store; as KeptView
 */
export function itemChangesPage(
  view: KeptView,
  item: string,
  { limit, mark }: { readonly limit: number; readonly mark: ItemChangesMark | null },
): Promise<ItemChangesPage> {
  return view.lookAtOrders(async (reader) => {
    const store = await checkedStore(reader, mark);
    const changes: ItemChange[] = [];
    await using tails = new Tails(reader, item, mark?.places ?? null);
    while (changes.length < limit) {
      const line = await tails.take();
      if (line === null) break;
      const change = changeOf(line, item);
      if (change !== null && change.before !== change.after) changes.push(change);
    }
    const places = tails.places();
    return { changes, next: places === null ? null : { store, places } };
  });
}

/** Merges the logs, backwards from their ends or from a mark. */
class Tails implements AsyncDisposable {
  readonly #tails: readonly Tail[];
  #pieces = 0;

  constructor(reader: OrderReader, item: string, places: ItemChangesMark['places'] | null) {
    const logs = places === null ? STOCK_LOGS : STOCK_LOGS.filter((log) => places[log] !== undefined);
    this.#tails = logs.map(
      (log) => new Tail(log, places?.[log], reader.stockFromEnd(log, item, places?.[log])),
    );
  }

  /** @returns the latest line that was not taken; null: there is none, or it is beyond what a page may read */
  async take(): Promise<HistoryLine | null> {
    for (;;) {
      let latest: Tail | null = null;
      for (const tail of this.#tails) if (latest === null || tail.isLaterThan(latest)) latest = tail;
      if (latest === null || latest.isAtEnd) return null;
      const line = latest.take();
      if (line !== undefined) return line;
      if (this.#pieces === MOST_PIECES) return null;
      this.#pieces += 1;
      await latest.read();
    }
  }

  places(): ItemChangesMark['places'] | null {
    const left = this.#tails.flatMap(({ log, place, isAtEnd }) =>
      isAtEnd || place === undefined ? [] : [[log, place] as const],
    );
    return left.length === 0 ? null : Object.fromEntries(left);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const tail of this.#tails) await tail[Symbol.asyncDispose]();
  }
}

/** Later than any line. */
const UNREAD: StockPiece['first'] = { seq: Infinity, at: Infinity };

class Tail implements AsyncDisposable {
  readonly log: StockLog;
  readonly #pieces: AsyncIterator<StockPiece>;
  #piece: StockPiece | null = null;
  #next = 0;
  #begin: LogPlace | undefined;
  #isRead = false;

  constructor(log: StockLog, begin: LogPlace | undefined, pieces: AsyncIterable<StockPiece>) {
    this.log = log;
    this.#begin = begin;
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  get isAtEnd(): boolean {
    return this.#isRead && this.#head === undefined;
  }

  get #head(): StockPiece['lines'][number] | undefined {
    return this.#piece?.lines[this.#next];
  }

  /** The place after which all lines were taken; undefined: nothing was read. */
  get place(): LogPlace | undefined {
    return this.#head?.behind ?? this.#begin;
  }

  /** An upper bound: no line that was not taken is later. */
  get #bound(): Pick<HistoryLine, 'seq' | 'at'> {
    return this.#head?.line ?? this.#piece?.first ?? UNREAD;
  }

  isLaterThan(other: Tail): boolean {
    if (this.isAtEnd || other.isAtEnd) return !this.isAtEnd;
    const [one, two] = [this.#bound, other.#bound];
    if (one.seq !== two.seq) return (one.seq ?? 0) > (two.seq ?? 0);
    // Within a commit, the later log in the list took effect later; lines without a number have times.
    return one.seq !== null || (one.at ?? 0) >= (two.at ?? 0);
  }

  take(): HistoryLine | undefined {
    const head = this.#head;
    if (head !== undefined) this.#next += 1;
    return head?.line;
  }

  async read(): Promise<void> {
    const result = await this.#pieces.next();
    if (result.done === true) this.#isRead = true;
    else {
      this.#piece = result.value;
      this.#next = 0;
      this.#begin = result.value.begin;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pieces.return?.();
  }
}

function changeOf(line: HistoryLine, item: string): ItemChange | null {
  const none = { orderId: null, eventId: null, by: null, via: null, why: null };
  if (line.kind === 'edit' && line.edit.kind === 'item') {
    const { at, by, via, why = null, before, after } = line.edit;
    const quantities = { before: before?.quantity ?? null, after: after?.quantity ?? null };
    return { ...none, at, cause: 'edit', ...quantities, by, via, why };
  }
  if (line.kind === 'movement') {
    const { at, cause, onHand: after, delta, orderId, eventId } = line.movement;
    return { ...none, at, cause, before: after - delta, after, orderId, eventId };
  }
  if (line.kind !== 'decision') return null;
  const { order, outcome, decidedAt: at } = line.decided;
  const before = outcome.stock[order.items.findIndex((one) => one.item === item)] ?? 0;
  const sold = totalsByItem(order.items).get(item) ?? 0;
  return { ...none, at, cause: 'sale', before, after: before - sold, orderId: order.orderId };
}
