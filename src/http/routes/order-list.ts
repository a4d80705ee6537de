import type { Decided } from '../../domain/orders/decided.ts';
import { listOrders } from '../../app/orders/list.ts';
import type { OrderList } from '../../documents/http/order-state.ts';
import { decidedState } from '../../documents/write/http.ts';
import { Failure } from '../../domain/failure.ts';
import { parseIsoTime } from '../../domain/iso-time.ts';
import type { Shop } from '../shop.ts';

export interface ListQuery {
  readonly status?: 'COMPLETED' | 'REJECTED';
  readonly user?: string;
  readonly item?: string;
  readonly since?: string;
  readonly until?: string;
  readonly limit?: string;
  readonly cursor?: string;
}

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 500;

/** Where a page ends: its last decision. Orders that are decided meanwhile come before it and shift nothing. */
interface Cursor {
  readonly decidedAt: number;
  readonly orderId: string;
}

/** @throws Failure invalid_value */
export async function listPage({ access }: Pick<Shop, 'access'>, query: ListQuery): Promise<OrderList> {
  const limit = Math.min(Number(query.limit ?? DEFAULT_LIMIT), MAX_LIMIT);
  const cursor = query.cursor === undefined ? null : cursorIn(query.cursor);
  const until = query.until === undefined ? null : timeIn('until', query.until);
  const page: Decided[] = [];
  let isPast = cursor === null;
  const stop = new EnoughError();
  try {
    await listOrders(access, {
      filter: {
        user: query.user ?? null,
        item: query.item ?? null,
        sinceMs: query.since === undefined ? null : timeIn('since', query.since),
        untilMs: cursor === null ? until : Math.min(until ?? Infinity, cursor.decidedAt + 1),
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
    next: page.length > limit && last !== undefined ? cursorOf(last) : null,
  };
}

/** Ends the reading of a list from its listener. */
class EnoughError extends Error {}

function statusOf(status: ListQuery['status']): 'accepted' | 'rejected' | null {
  if (status === undefined) return null;
  return status === 'COMPLETED' ? 'accepted' : 'rejected';
}

function timeIn(name: string, text: string): number {
  const time = parseIsoTime(text);
  if (typeof time === 'object') return time.ms;
  throw new Failure('invalid_value', `${name} ${JSON.stringify(text)} is not a time by ISO 8601`, {
    fix: 'for example 2026-11-21T10:00:00Z',
  });
}

function cursorOf({ decidedAt, order }: Decided): string {
  return Buffer.from(JSON.stringify([decidedAt, order.orderId])).toString('base64url');
}

function cursorIn(text: string): Cursor {
  try {
    const [decidedAt, orderId] = JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown[];
    if (typeof decidedAt === 'number' && typeof orderId === 'string') return { decidedAt, orderId };
  } catch {
    // Said below.
  }
  throw new Failure('invalid_value', `cursor ${JSON.stringify(text)} was not given by this API`, {
    fix: 'use "next" of the page before',
  });
}
