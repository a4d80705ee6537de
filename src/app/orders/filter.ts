import type { OrderStatus } from '../../domain/checkout/status.ts';
import { quantitiesOf } from '../../domain/checkout/facts.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { CheckoutOrder } from '../../views/checkout-order.ts';
import { decidedMs, isCheckout, type ListedOrder } from './listed-order.ts';

/** Selects decisions that match everything that is not null. */
export interface OrderFilter {
  readonly user: string | null;
  /** An item in any of its lines. */
  readonly item: string | null;
  /** The earliest decision time, inclusive, in milliseconds since the epoch. */
  readonly sinceMs: number | null;
  /** The end of the time range, exclusive. */
  readonly untilMs: number | null;
}

export function matchesOrder({ order, decidedAt }: Decided, filter: OrderFilter): boolean {
  if (filter.user !== null && order.user !== filter.user) return false;
  if (filter.item !== null && !order.items.some(({ item }) => item === filter.item)) return false;
  return isWithin(decidedAt, filter);
}

/** As OrderFilter, for orders of both flows with any status. */
export interface ListFilter extends OrderFilter {
  /** `accepted`: only direct orders, which are COMPLETED as well. */
  readonly status: OrderStatus | 'accepted' | null;
  /** Why the order was rejected, or failed. */
  readonly reason: string | null;
}

export const ALL_ORDERS: ListFilter = {
  status: null,
  reason: null,
  user: null,
  item: null,
  sinceMs: null,
  untilMs: null,
};

export function isListed(order: ListedOrder, filter: ListFilter): boolean {
  return isCheckout(order) ? matchesCheckout(order, filter) : matchesDecision(order, filter);
}

function matchesDecision(decided: Decided, filter: ListFilter): boolean {
  const { outcome } = decided;
  const { status, reason } = filter;
  if (status !== null && !statusesOf(outcome.kind).includes(status)) return false;
  if (reason !== null && (outcome.kind !== 'rejected' || outcome.reason !== reason)) return false;
  return matchesOrder(decided, filter);
}

function matchesCheckout(order: CheckoutOrder, filter: ListFilter): boolean {
  if (filter.status !== null && order.status !== filter.status) return false;
  if (filter.reason !== null && order.reason !== filter.reason) return false;
  if (filter.user !== null && order.customer !== filter.user) return false;
  if (filter.item !== null && !quantitiesOf(order.items).has(filter.item)) return false;
  return isWithin(decidedMs(order), filter);
}

/** The status filters that select a direct order. */
export function statusesOf(outcome: 'accepted' | 'rejected'): readonly (OrderStatus | 'accepted')[] {
  return outcome === 'accepted' ? ['accepted', 'COMPLETED'] : ['REJECTED'];
}

function isWithin(ms: number, { sinceMs, untilMs }: OrderFilter): boolean {
  return (sinceMs === null || ms >= sinceMs) && (untilMs === null || ms < untilMs);
}
