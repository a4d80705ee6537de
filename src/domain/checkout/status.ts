import { has, type CheckoutFact } from './facts.ts';

/** Of an order, in both flows. */
export const ORDER_STATUSES = [
  ...(['PENDING', 'VALIDATED', 'PAID', 'COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED'] as const),
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** In whatever order the facts come: one that comes late never takes a status back. */
export function statusOf(facts: readonly CheckoutFact[]): OrderStatus {
  if (has(facts, 'cancelled')) return 'CANCELLED';
  if (has(facts, 'rejected')) return 'REJECTED';
  if (has(facts, 'declined')) return 'FAILED';
  // Its money is still out.
  if (has(facts, 'gone')) return has(facts, 'refunded') ? 'FAILED' : 'PAID';
  if (has(facts, 'reserved')) return 'COMPLETED';
  if (has(facts, 'paid')) return 'PAID';
  return has(facts, 'validated') ? 'VALIDATED' : 'PENDING';
}
