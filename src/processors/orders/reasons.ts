import { lackingStock } from '../../domain/orders/reasons.ts';
import { MAX_LINE_QUANTITY, type OrderLine } from '../../domain/orders/order.ts';
import type { Reason } from '../../domain/orders/reasons.ts';
import type { UserStatus } from '../../domain/tables.ts';

/** A reason, and how it applies to the order. */
export interface Refusal {
  readonly reason: Reason;
  /** A sentence that names the user or item. */
  readonly detail: string;
}

export function unknownUser(user: string): Refusal {
  return { reason: 'unknown_user', detail: `user ${user} does not exist` };
}

export function userNotPaid(user: string, status: UserStatus): Refusal {
  return { reason: 'user_not_paid', detail: `user ${user} is ${status}` };
}

export const NO_LINES: Refusal = { reason: 'invalid_quantity', detail: 'the order has no lines' };

export function invalidQuantity({ item, quantity }: OrderLine): Refusal {
  const detail = `quantity of ${item} is ${quantity}, not a whole number from 1 to ${MAX_LINE_QUANTITY}`;
  return { reason: 'invalid_quantity', detail };
}

export function unknownItem(item: string): Refusal {
  return { reason: 'unknown_item', detail: `item ${item} does not exist` };
}

export function insufficientStock(item: string, onHand: number, wanted: number): Refusal {
  return { reason: 'insufficient_stock', detail: lackingStock(`item ${item}`, onHand, wanted) };
}
