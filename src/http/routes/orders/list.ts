import { ALL_ORDERS } from '../../../app/orders/filter.ts';
import { listOrders } from '../../../app/orders/list.ts';
import { decidedMs, isCheckout, orderIdOf, type ListedOrder } from '../../../app/orders/listed-order.ts';
import type { OrderList } from '../../../documents/http/order-state.ts';
import { checkoutDocument } from '../../../documents/write/checkout.ts';
import { decidedState } from '../../../documents/write/http.ts';
import type { OrderStatus } from '../../../domain/checkout/status.ts';
import type { Shop } from '../../shop.ts';
import { cursorOf, limitOf, markOf, timesOf, type PageQuery } from '../pages.ts';

export interface ListQuery extends PageQuery {
  readonly status?: OrderStatus;
  readonly user?: string;
  readonly item?: string;
}

/** Where a page ends: its last order. Orders that are decided meanwhile come before it and shift nothing. */
interface Cursor {
  readonly decidedAt: number;
  readonly orderId: string;
}

/** @throws Failure invalid_value */
export async function listPage({ access }: Pick<Shop, 'access'>, query: ListQuery): Promise<OrderList> {
  const limit = limitOf(query);
  const cursor = markOf(query, isCursor);
  const { sinceMs, untilMs } = timesOf(query);
  const page = new Page(cursor);
  await listOrders(access, {
    filter: {
      ...ALL_ORDERS,
      user: query.user ?? null,
      item: query.item ?? null,
      sinceMs,
      untilMs: cursor === null ? untilMs : Math.min(untilMs ?? Infinity, cursor.decidedAt + 1),
      status: query.status ?? null,
    },
    last: Infinity,
    isReversed: true,
    onOrders: async (orders) => orders.forEach((order) => page.take(order)),
    isEnough: () => page.orders.length > limit,
  });
  page.end();
  const shown = page.orders.slice(0, limit);
  const last = shown.at(-1);
  return {
    orders: shown.map((order) => (isCheckout(order) ? checkoutDocument(order) : decidedState(order))),
    next:
      page.orders.length > limit && last !== undefined
        ? cursorOf({ decidedAt: decidedMs(last), orderId: orderIdOf(last) })
        : null,
  };
}

/** The orders after a cursor. */
class Page {
  readonly orders: ListedOrder[] = [];
  readonly #cursor: Cursor | null;
  /** Decided when the order of the cursor was, which may come among them yet. */
  #sameTime: ListedOrder[] = [];
  #isPast: boolean;

  constructor(cursor: Cursor | null) {
    this.#cursor = cursor;
    this.#isPast = cursor === null;
  }

  take(order: ListedOrder): void {
    if (this.#isPast || this.#cursor === null) this.orders.push(order);
    else if (orderIdOf(order) === this.#cursor.orderId) {
      this.#sameTime = [];
      this.#isPast = true;
    } else if (decidedMs(order) < this.#cursor.decidedAt) {
      this.end();
      this.orders.push(order);
    } else this.#sameTime.push(order);
  }

  /** The order of the cursor has another status by now: rather one of that time again than one left out. */
  end(): void {
    this.orders.push(...this.#sameTime);
    this.#sameTime = [];
    this.#isPast = true;
  }
}

function isCursor(value: unknown): value is Cursor {
  if (typeof value !== 'object' || value === null) return false;
  const { decidedAt, orderId } = value as Partial<Cursor>;
  return typeof decidedAt === 'number' && typeof orderId === 'string';
}
