import type { KeptView } from '../../ports/access.ts';
import type { LineAt, LogPlace, OrderReader } from '../../ports/store.ts';
import { checkoutOrdersFromEnd } from './checkout.ts';
import { checkedStore, isLogsMark, type LogsMark } from '../history/marks.ts';
import { Cursor, isBefore } from './decision-order.ts';
import { isListed, type ListFilter } from './filter.ts';
import { CLOCK_SLACK_MS } from './list.ts';
import { logsOf } from './list-sources.ts';
import { decidedMs, isCheckout, type ListedOrder } from './listed-order.ts';

/** A page looks at so many orders at most, however few of them it is after. */
const LOOKED_AT = 2_000;
/** As many in one look at the store, which others wait for. */
const AT_ONCE = 250;

const LOGS = ['accepted', 'rejected', 'checkout'] as const;
type Log = (typeof LOGS)[number];

type Places = OrdersMark['places'];

/** Where a list goes on: of each log its next line. */
export type OrdersMark = LogsMark<Log>;

export function isOrdersMark(value: unknown): value is OrdersMark {
  return isLogsMark(value, LOGS);
}

export interface OrdersPage {
  readonly orders: readonly ListedOrder[];
  /** null: none is before these. */
  readonly next: OrdersMark | null;
}

interface PageOptions {
  readonly filter: ListFilter;
  readonly limit: number;
  /** null: from the latest one. */
  readonly mark: OrdersMark | null;
  /** Nobody waits for it any more. */
  readonly signal: AbortSignal;
}

/**
 * Orders of both flows, the latest decided first, a page at a time: a page costs what it looks at, not what there is, and
 * may be short of its limit, or empty, where few orders are asked for. Orders that are decided meanwhile shift nothing.
 *
 * @throws Failure invalid_value: a mark of another store; those of KeptView; the signal's reason
 */
export async function ordersPage(
  view: KeptView,
  { filter, limit, mark, signal }: PageOptions,
): Promise<OrdersPage> {
  const orders: ListedOrder[] = [];
  let next = mark;
  for (let looked = 0; looked < LOOKED_AT; looked += AT_ONCE) {
    const wanted = limit - orders.length;
    const piece = await view.lookAtOrders((reader) => readPiece(reader, filter, wanted, next));
    orders.push(...piece.orders);
    ({ next } = piece);
    if (next === null || orders.length >= limit) break;
    // A request for one order does not wait for all of a page.
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
  for (let looked = 0; looked < AT_ONCE && orders.length < limit; looked += 1) {
    const order = await sources.take();
    if (order === undefined) return { orders, next: null };
    if (isListed(order, filter)) orders.push(order);
    isPast &&= decidedMs(order) < (filter.sinceMs ?? 0) - CLOCK_SLACK_MS;
  }
  const places = isPast ? null : await sources.places();
  return { orders, next: places === null ? null : { store, places } };
}

/** The logs in which an order can match, read from their ends, or a mark, back. */
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

  /** The latest that was not taken yet. */
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
