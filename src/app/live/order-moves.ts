import { CHECKOUT, type CheckoutFact } from '../../domain/checkout/facts.ts';
import { statusOf, type OrderStatus } from '../../domain/checkout/status.ts';
import type { KeptView } from '../../ports/access.ts';
import type { HistoryLine } from '../../ports/store.ts';
import { checkoutFactOf } from '../orders/checkout.ts';

/** The number of orders in progress whose steps are kept in memory; the steps of others are read again. */
const KEPT = 10_000;

/** A step of a checkout order, and the status of the order after it. */
export interface OrderMove {
  readonly fact: CheckoutFact;
  readonly status: OrderStatus;
}

/** Determines the status of orders after each of their steps in a history. */
export class OrderMoves {
  readonly #view: KeptView;
  /** The steps of each order; the order with the latest step is last. */
  readonly #steps = new Map<string, readonly CheckoutFact[]>();

  constructor(view: KeptView) {
    this.#view = view;
  }

  /** @throws Failure as reading the store */
  async in(lines: readonly HistoryLine[]): Promise<readonly OrderMove[]> {
    const moves: OrderMove[] = [];
    for (const line of lines) {
      const fact = checkoutFactOf(line);
      if (fact === undefined) continue;
      const steps = [...(await this.#before(fact)), fact];
      this.#keep(fact.order_id, steps);
      moves.push({ fact, status: statusOf(steps) });
    }
    return moves;
  }

  async #before(fact: CheckoutFact): Promise<readonly CheckoutFact[]> {
    const { order_id: id } = fact;
    const known = this.#steps.get(id);
    if (known !== undefined) return known;
    // Only a cancellation request can come before, and then the order would be rejected.
    if (fact.step === 'validated') return [];
    return await this.#view.lookAtOrders((reader) => reader.facts(CHECKOUT, id));
  }

  #keep(id: string, steps: readonly CheckoutFact[]): void {
    this.#steps.delete(id);
    this.#steps.set(id, steps);
    const [oldest] = this.#steps.keys();
    if (this.#steps.size > KEPT && oldest !== undefined) this.#steps.delete(oldest);
  }
}
