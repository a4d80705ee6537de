import type { Decided } from '../../domain/orders/decided.ts';
import { listOrders } from '../../app/orders/list.ts';
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
  const stop = new EnoughError();
  try {
    await listOrders(access, {
      filter: {
        user: query.user ?? null,
        item: query.item ?? null,
        sinceMs,
        untilMs: cursor === null ? untilMs : Math.min(untilMs ?? Infinity, cursor.decidedAt + 1),
        status: statusOf(query.status),
        reason: null,
      },
      last: Infinity,
      isReversed: true,
      onOrders: async (orders) => {
        for (const decided of orders) {
          if (isPast) page.push(decided);
          else isPast = decided.order.orderId === cursor?.orderId;
          if (page.length > limit) throw stop;
        }
      },
    });
  } catch (error) {
    if (error !== stop) throw error;
  }
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

/** Ends the reading of a list from its listener. */
class EnoughError extends Error {}

function statusOf(status: ListQuery['status']): 'accepted' | 'rejected' | null {
  if (status === undefined) return null;
  return status === 'COMPLETED' ? 'accepted' : 'rejected';
}

function isCursor(value: unknown): value is Cursor {
  if (typeof value !== 'object' || value === null) return false;
  const { decidedAt, orderId } = value as Partial<Cursor>;
  return typeof decidedAt === 'number' && typeof orderId === 'string';
}
