import { lackingStock } from '../../domain/orders/reasons.ts';
import { quantitiesOf, type CheckoutFact, type Line } from '../../domain/checkout/facts.ts';
import type { OtherOutcome } from './outcome.ts';
import type { SoldLine, Stock } from './stock.ts';

type Fact<S extends CheckoutFact['step']> = Extract<CheckoutFact, { step: S }>;

/** An order in progress. */
interface Open {
  readonly lines: readonly Line[];
  /** The order would not have been validated. */
  readonly isRefused: boolean;
  /** Whether its stock was taken; `wouldBe`: whether it would have been. */
  was: boolean;
  wouldBe: boolean;
}

interface Surroundings {
  readonly was: Stock;
  readonly wouldBe: Stock;
  readonly isUser: (name: string) => boolean;
  readonly onOther: (other: OtherOutcome) => void;
}

/**
 * Decides orders of the checkout again: whether there is enough stock when they are validated, and when stock is
 * reserved. The answers of the gateway, and their times, stay the same.
 */
export class CheckoutAgain {
  readonly #of: Surroundings;
  readonly #open = new Map<string, Open>();
  /** The number of orders that were rejected but would not have been. */
  unknown = 0;

  constructor(surroundings: Surroundings) {
    this.#of = surroundings;
  }

  /** @returns whether the fact is a decision about its stock */
  take(fact: CheckoutFact): boolean {
    const { order_id: id } = fact;
    switch (fact.step) {
      case 'validated': {
        const isRefused = !this.#of.wouldBe.hasAll(quantitiesOf(fact.items));
        this.#open.set(id, { lines: fact.items, isRefused, was: false, wouldBe: false });
        return false;
      }
      case 'rejected':
        if (this.#isValidNow(fact)) this.unknown += 1;
        return false;
      case 'reserved':
      case 'gone':
        return this.#reserve(fact);
      case 'cancelled':
        this.#cancel(id);
        return false;
      case 'declined':
      case 'not_charged':
      case 'dispatched':
        this.#open.delete(id);
        return false;
      case 'charge_owed':
      case 'paid':
      case 'refund_owed':
      case 'refunded':
      case 'cancel_refused':
        return false;
    }
  }

  #isValidNow({ reason, customer_id, items }: Fact<'rejected'>): boolean {
    const { wouldBe, isUser } = this.#of;
    if (reason === 'unknown_user') return isUser(customer_id);
    if (reason === 'unknown_item')
      return items.every(({ product_id }) => wouldBe.quantity(product_id) !== undefined);
    return reason === 'insufficient_stock' && wouldBe.hasAll(quantitiesOf(items));
  }

  #reserve(fact: Fact<'reserved' | 'gone'>): boolean {
    const order = this.#open.get(fact.order_id);
    if (order === undefined) return false;
    const { was, wouldBe, onOther } = this.#of;
    const decidedAt = Date.parse(fact.at);
    const lines = soldLines(order.lines);
    order.was = fact.step === 'reserved';
    order.wouldBe = !order.isRefused && wouldBe.hasAll(quantitiesOf(order.lines));
    if (order.was) was.sell(lines, decidedAt);
    if (order.wouldBe) wouldBe.sell(lines, decidedAt);
    if (fact.step === 'gone') this.#open.delete(fact.order_id);
    if (order.was === order.wouldBe) return true;
    const about = { orderId: fact.order_id, flow: 'checkout', decidedAt } as const;
    if (fact.step === 'gone')
      onOther({ ...about, was: 'rejected', wouldBe: 'accepted', detail: fact.detail });
    else onOther({ ...about, was: 'accepted', wouldBe: 'rejected', detail: lacking(order.lines, wouldBe) });
    return true;
  }

  #cancel(id: string): void {
    const order = this.#open.get(id);
    if (order === undefined) return;
    if (order.was) this.#of.was.takeBack(soldLines(order.lines));
    if (order.wouldBe) this.#of.wouldBe.takeBack(soldLines(order.lines));
    this.#open.delete(id);
  }
}

function soldLines(lines: readonly Line[]): SoldLine[] {
  return lines.map(({ product_id, quantity, unit_price }) => ({
    item: product_id,
    quantity,
    unitPrice: unit_price,
  }));
}

function lacking(lines: readonly Line[], stock: Stock): string {
  const found = [...quantitiesOf(lines)].find(([item, quantity]) => quantity > (stock.quantity(item) ?? -1));
  if (found === undefined) return 'stock was insufficient when it was validated';
  const [item, quantity] = found;
  return lackingStock(`item ${item}`, stock.quantity(item) ?? 'nothing', quantity);
}
