import type { Decided } from '../../domain/orders/decided.ts';
import { ALL_ORDERS } from '../../app/orders/filter.ts';
import { listOrders } from '../../app/orders/list.ts';
import { isCheckout } from '../../app/orders/listed-order.ts';
import type { OrderList } from '../../documents/http/order-state.ts';
import { decidedState } from '../../documents/write/http.ts';
import type { Shop } from '../shop.ts';
import { cursorOf, limitOf, markOf, timesOf, type PageQuery } from './pages.ts';

export interface ListQuery extends PageQuery {
  readonly status?: 'COMPLETED' | 'REJECTED';
  readonly user?: string;
  readonly item?: string;
}

/** Where a page ends: its last decision. Orders that are decided meanwhile come before it and shift nothing. */
interface Cursor {
  readonly decidedAt: number;
  readonly orderId: string;
}

/** @throws Failure invalid_value */
export async function listPage({ access }: Pick<Shop, 'access'>, query: ListQuery): Promise<OrderList> {
  const limit = limitOf(query);
  const cursor = markOf(query, isCursor);
  const { sinceMs, untilMs } = timesOf(query);
  const page: Decided[] = [];
  let isPast = cursor === null;
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
    onOrders: async (orders) => {
      for (const decided of orders) {
        if (isCheckout(decided)) continue;
        if (isPast) page.push(decided);
        else isPast = decided.order.orderId === cursor?.orderId;
      }
    },
    isEnough: () => page.length > limit,
  });
  const shown = page.slice(0, limit);
  const last = shown.at(-1);
  return {
    orders: shown.map(decidedState),
    next:
      page.length > limit && last !== undefined
        ? cursorOf({ decidedAt: last.decidedAt, orderId: last.order.orderId })
        : null,
  };
}

function isCursor(value: unknown): value is Cursor {
  if (typeof value !== 'object' || value === null) return false;
  const { decidedAt, orderId } = value as Partial<Cursor>;
  return typeof decidedAt === 'number' && typeof orderId === 'string';
}
