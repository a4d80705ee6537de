import { CHECKOUT, type CheckoutFact } from '../../domain/checkout/facts.ts';
import { statusOf, type OrderStatus } from '../../domain/checkout/status.ts';
import type { KeptView } from '../../ports/access.ts';
import type { HistoryLine } from '../../ports/store.ts';
import { checkoutFactOf } from '../orders/checkout.ts';

/** Orders on their way whose steps are in memory; those of others are read again. */
const KEPT = 10_000;

/** A step of an order of the checkout, and where the order stands after it. */
export interface OrderMove {
  readonly fact: CheckoutFact;
  readonly status: OrderStatus;
}

/** Turns the steps in a history into the statuses that they lead to. */
export class OrderMoves {
  readonly #view: KeptView;
  /** The steps of each; the order that moved last is the last. */
  readonly #steps = new Map<string, readonly CheckoutFact[]>();

  constructor(view: KeptView) {
    this.#view = view;
  }

  /** @throws Failure of reading the store */
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
    // Nothing comes before that but a wish to cancel, after which it would be rejected.
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
