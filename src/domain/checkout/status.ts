import { has, type CheckoutFact } from './facts.ts';

/** The statuses of an order, in both flows. */
export const ORDER_STATUSES = [
  'PENDING',
  'VALIDATED',
  'PAID',
  'COMPLETED',
  'REJECTED',
  'FAILED',
  'CANCELLED',
] as const;
export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** The status that follows from the facts, in any order: a fact that arrives late never reverts a status. */
export function statusOf(facts: readonly CheckoutFact[]): OrderStatus {
  if (has(facts, 'cancelled')) return 'CANCELLED';
  if (has(facts, 'rejected')) return 'REJECTED';
  if (has(facts, 'declined')) return 'FAILED';
  // Until the refund is done, the customer's money is still with the shop.
  if (has(facts, 'gone')) return has(facts, 'refunded') ? 'FAILED' : 'PAID';
  if (has(facts, 'reserved')) return 'COMPLETED';
  if (has(facts, 'paid')) return 'PAID';
  return has(facts, 'validated') ? 'VALIDATED' : 'PENDING';
}
