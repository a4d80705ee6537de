import type { Decided } from '../../domain/orders/decided.ts';
import type { Reason } from '../../domain/orders/reasons.ts';

/** Selects decisions that match everything that is not null. */
export interface OrderFilter {
  readonly user: string | null;
  /** In one of its lines. */
  readonly item: string | null;
  /** Decision time, milliseconds since the epoch: inclusive. */
  readonly sinceMs: number | null;
  /** Exclusive. */
  readonly untilMs: number | null;
}

export function matchesOrder({ order, decidedAt }: Decided, filter: OrderFilter): boolean {
  if (filter.user !== null && order.user !== filter.user) return false;
  if (filter.item !== null && !order.items.some(({ item }) => item === filter.item)) return false;
  if (filter.sinceMs !== null && decidedAt < filter.sinceMs) return false;
  return filter.untilMs === null || decidedAt < filter.untilMs;
}

/** As OrderFilter, of decisions of both outcomes. */
export interface DecisionFilter extends OrderFilter {
  readonly status: 'accepted' | 'rejected' | null;
  /** Of rejections. */
  readonly reason: Reason | null;
}

export function matchesDecision(decided: Decided, filter: DecisionFilter): boolean {
  const { outcome } = decided;
  if (filter.status !== null && outcome.kind !== filter.status) return false;
  if (filter.reason !== null && (outcome.kind !== 'rejected' || outcome.reason !== filter.reason))
    return false;
  return matchesOrder(decided, filter);
}
