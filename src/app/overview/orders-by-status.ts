import { has, type CheckoutFact } from '../../domain/checkout/facts.ts';
import { ORDER_STATUSES, statusOf, type OrderStatus } from '../../domain/checkout/status.ts';

/** Steps that may be the first known step of an order: it can be cancelled before it arrives. */
const FIRST: ReadonlySet<string> = new Set(['validated', 'rejected', 'cancelled']);

/** Counts the orders of the checkout by status, from their facts in log order. */
export class OrdersByStatus {
  readonly counts = Object.fromEntries(ORDER_STATUSES.map((status) => [status, 0])) as Record<
    OrderStatus,
    number
  >;
  /** The facts of orders whose status may still change: only orders that are in progress. */
  readonly #open = new Map<string, readonly CheckoutFact[]>();

  take(fact: CheckoutFact): void {
    const { order_id: id, step } = fact;
    const known = this.#open.get(id);
    if (known === undefined && !FIRST.has(step)) return;
    if (known !== undefined) this.counts[statusOf(known)] -= 1;
    const facts = [...(known ?? []), fact];
    this.counts[statusOf(facts)] += 1;
    if (isFinal(facts)) this.#open.delete(id);
    else this.#open.set(id, facts);
  }
}

function isFinal(facts: readonly CheckoutFact[]): boolean {
  if (has(facts, 'rejected', 'declined', 'dispatched')) return true;
  // An order that was cancelled before it arrived is rejected when it arrives.
  if (has(facts, 'cancelled')) return has(facts, 'validated');
  return statusOf(facts) === 'FAILED';
}
