import type { KeptView } from '../../ports/access.ts';
import type { LineAt, LogPlace, OrderReader } from '../../ports/store.ts';
import { checkoutOrdersFromEnd } from './checkout.ts';
import { checkedStore, isLogsMark, type LogsMark } from '../history/marks.ts';
import { Cursor, isBefore } from './decision-order.ts';
import { isListed, type ListFilter } from './filter.ts';
import { CLOCK_SLACK_MS } from './list.ts';
import { logsOf } from './list-sources.ts';
import { decidedMs, isCheckout, type ListedOrder } from './listed-order.ts';

/** The most orders that a page reads, however few of them match. */
const MOST_READ = 2_000;
/** The most orders in one access to the store, which blocks others. */
const AT_ONCE = 250;

const LOGS = ['accepted', 'rejected', 'checkout'] as const;
type Log = (typeof LOGS)[number];

type Places = OrdersMark['places'];

/** Where a list continues: the next line of each log. */
export type OrdersMark = LogsMark<Log>;

export function isOrdersMark(value: unknown): value is OrdersMark {
  return isLogsMark(value, LOGS);
}

export interface OrdersPage {
  readonly orders: readonly ListedOrder[];
  /** null: there are no earlier orders. */
  readonly next: OrdersMark | null;
}

interface PageOptions {
  readonly filter: ListFilter;
  readonly limit: number;
  /** null: start from the latest order. */
  readonly mark: OrdersMark | null;
  /** Aborts when the result is no longer needed. */
  readonly signal: AbortSignal;
}

/**
 * One page of the orders of both flows, latest decision first. The cost of a page depends on the orders it reads, not
 * on the size of the logs; it may have fewer orders than its limit, or none, when few match. New decisions do not shift
 * pages.
 *
 * @throws Failure invalid_value: the mark is of another store; as KeptView; the signal's reason
 */
export async function ordersPage(
  view: KeptView,
  { filter, limit, mark, signal }: PageOptions,
): Promise<OrdersPage> {
  const orders: ListedOrder[] = [];
  let next = mark;
  for (let read = 0; read < MOST_READ; read += AT_ONCE) {
    const wanted = limit - orders.length;
    const piece = await view.lookAtOrders((reader) => readPiece(reader, filter, wanted, next));
    orders.push(...piece.orders);
    ({ next } = piece);
    if (next === null || orders.length >= limit) break;
    // Lets other requests run in between.
    await new Promise((resolve) => setImmediate(resolve));
    signal.throwIfAborted();
  }
  return { orders, next };
}

async function readPiece(
  reader: OrderReader,
  filter: ListFilter,
  limit: number,
  mark: OrdersMark | null,
): Promise<OrdersPage> {
  const store = await checkedStore(reader, mark);
  await using sources = new Sources(reader, filter, mark?.places ?? null);
  const orders: ListedOrder[] = [];
  let isPast = filter.sinceMs !== null;
  for (let read = 0; read < AT_ONCE && orders.length < limit; read += 1) {
    const order = await sources.take();
    if (order === undefined) return { orders, next: null };
    if (isListed(order, filter)) orders.push(order);
    isPast &&= decidedMs(order) < (filter.sinceMs ?? 0) - CLOCK_SLACK_MS;
  }
  const places = isPast ? null : await sources.places();
  return { orders, next: places === null ? null : { store, places } };
}

/** The logs in which an order can match, read backwards from their ends or from a mark. */
class Sources implements AsyncDisposable {
  readonly #cursors = new Map<Log, Cursor<LineAt<ListedOrder>>>();

  constructor(reader: OrderReader, { status }: ListFilter, places: Places | null) {
    const direct: readonly Log[] = logsOf(status);
    for (const log of LOGS) {
      const isWanted = log === 'checkout' ? status !== 'accepted' : direct.includes(log);
      const from = places?.[log];
      if (!isWanted || (places !== null && from === undefined)) continue;
      const lines =
        log === 'checkout' ? checkoutOrdersFromEnd(reader, from) : reader.decisionsFromEnd(log, from);
      this.#cursors.set(log, new Cursor<LineAt<ListedOrder>>(lines));
    }
  }

  /** The latest order that was not taken yet. */
  async take(): Promise<ListedOrder | undefined> {
    let latest: Cursor<LineAt<ListedOrder>> | undefined;
    for (const cursor of this.#cursors.values()) {
      await cursor.fill();
      if (cursor.head === undefined) continue;
      if (latest?.head === undefined || isLater(cursor.head.value, latest.head.value)) latest = cursor;
    }
    const order = latest?.head?.value;
    latest?.next();
    return order;
  }

  async places(): Promise<Places | null> {
    const places: Partial<Record<Log, LogPlace>> = {};
    for (const [log, cursor] of this.#cursors) {
      await cursor.fill();
      if (cursor.head !== undefined) places[log] = cursor.head.place;
    }
    return Object.keys(places).length === 0 ? null : places;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cursor of this.#cursors.values()) await cursor[Symbol.asyncDispose]();
  }
}

function isLater(one: ListedOrder, other: ListedOrder): boolean {
  if (isCheckout(one) || isCheckout(other)) return decidedMs(one) > decidedMs(other);
  return isBefore(other, one);
}
