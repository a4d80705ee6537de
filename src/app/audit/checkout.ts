import { quantitiesOf, type CheckoutFact, type CheckoutStep } from '../../domain/checkout/facts.ts';
import { difference, type Difference } from '../../domain/difference.ts';
import type { Movement } from '../../domain/movement.ts';
import { amountFrom, hundredths } from '../../domain/orders/money.ts';
import { AFTER, EITHER } from './checkout-rules.ts';

interface OrderAccount {
  /** Where each step is logged. */
  readonly steps: Map<CheckoutStep, string>;
  /** When it was placed. */
  total: string | null;
  paid: string | null;
  refunded: string | null;
  reserved: ReadonlyMap<string, number>;
  /** The units that movements took for the order and returned, by item. */
  readonly taken: Map<string, number>;
  readonly returned: Map<string, number>;
}

/** Follows some orders of the checkout, line by line: their steps, money and stock. */
export class CheckoutBooks {
  readonly #orders = new Map<string, OrderAccount>();
  readonly #report: (found: Difference) => void;

  constructor(orderIds: Iterable<string>, report: (found: Difference) => void) {
    for (const orderId of orderIds) this.#orders.set(orderId, newAccount());
    this.#report = report;
  }

  take(fact: CheckoutFact, where: string): void {
    const { order_id: orderId, step } = fact;
    const order = this.#orders.get(orderId);
    if (order === undefined) return;
    const before = order.steps.get(step);
    if (before !== undefined) {
      const message = `${where}: order ${orderId} is ${inWords(step)} a second time; the first time was ${before}`;
      this.#report(difference('step_twice', where, { orderId, message }));
      return;
    }
    order.steps.set(step, where);
    if (step === 'validated') order.total = fact.total_amount;
    if (step === 'paid') order.paid = fact.amount;
    if (step === 'refunded') order.refunded = fact.amount;
    if (step === 'reserved') order.reserved = quantitiesOf(fact.items);
  }

  move({ item, delta, cause, orderId }: Movement): void {
    const order = this.#orders.get(orderId ?? '');
    if (order === undefined || (cause !== 'reservation' && cause !== 'release')) return;
    const sums = cause === 'reservation' ? order.taken : order.returned;
    sums.set(item, (sums.get(item) ?? 0) + Math.abs(delta));
  }

  /** @param wasRemoved whether an item was ever removed: then its stock may not have been returned */
  close(wasRemoved: (item: string) => boolean): void {
    for (const [orderId, order] of this.#orders) {
      this.#compareSteps(orderId, order);
      this.#compareMoney(orderId, order);
      this.#compareStock(orderId, order, wasRemoved);
    }
  }

  #compareSteps(orderId: string, { steps }: OrderAccount): void {
    const paid = steps.get('paid');
    if (paid !== undefined && steps.has('rejected') && !steps.has('refund_owed')) {
      const message = `${paid}: order ${orderId} is paid and rejected, but is not to be refunded`;
      this.#report(difference('step_missing', paid, { orderId, message }));
    }
    for (const excluding of EITHER) {
      const [first, second] = excluding.filter((step) => steps.has(step));
      if (first === undefined || second === undefined) continue;
      const where = steps.get(second) ?? '';
      const message = `${where}: order ${orderId} is ${inWords(second)}, but by ${steps.get(first) ?? ''} it is ${inWords(first)}`;
      this.#report(difference('outcome_mismatch', where, { orderId, message }));
    }
    for (const [step, earlier] of AFTER) {
      const where = steps.get(step);
      if (where === undefined || earlier.some((one) => steps.has(one))) continue;
      const [first = step] = earlier;
      const message = `${where}: order ${orderId} is ${inWords(step)}, but was never ${inWords(first)}`;
      this.#report(difference('step_missing', where, { orderId, message }));
    }
  }

  /** The money that is charged and not refunded must be the total of a completed order, otherwise zero. */
  #compareMoney(orderId: string, { steps, total, paid, refunded }: OrderAccount): void {
    if (paid === null) return;
    const kept = hundredths(paid) - hundredths(refunded ?? '0.00');
    const isCompleted = steps.has('reserved') && !steps.has('cancelled');
    // A refund that is pending has an effect, which is checked elsewhere.
    const isOnItsWay = refunded === null && !isCompleted;
    const expected = isCompleted || isOnItsWay ? hundredths(total ?? paid) : 0n;
    if (kept === expected) return;
    const where = steps.get('refunded') ?? steps.get('paid') ?? '';
    const [should, is] = [amountFrom(expected), amountFrom(kept)];
    const message = `${where}: order ${orderId} was charged ${paid} and refunded ${refunded ?? '0.00'}, which leaves ${is}; it should leave ${should}`;
    this.#report(difference('money_mismatch', where, { orderId, expected: should, actual: is, message }));
  }

  #compareStock(orderId: string, order: OrderAccount, wasRemoved: (item: string) => boolean): void {
    const { steps, reserved, taken, returned } = order;
    const isCancelled = steps.has('cancelled');
    for (const item of new Set([...reserved.keys(), ...taken.keys(), ...returned.keys()])) {
      const wanted = reserved.get(item) ?? 0;
      this.#compareSum(orderId, item, 'taken for', wanted, taken.get(item) ?? 0);
      const back = isCancelled ? wanted : 0;
      const actual = returned.get(item) ?? 0;
      if (actual === 0 && wasRemoved(item)) continue;
      this.#compareSum(orderId, item, 'returned by', back, actual);
    }
  }

  #compareSum(orderId: string, item: string, what: string, expected: number, actual: number): void {
    if (expected === actual) return;
    const message = `${actual} of ${item} were ${what} order ${orderId}; according to its steps it should be ${expected}`;
    this.#report(
      difference('reservation_mismatch', 'movements.jsonl', { orderId, item, expected, actual, message }),
    );
  }
}

function newAccount(): OrderAccount {
  return {
    steps: new Map(),
    total: null,
    paid: null,
    refunded: null,
    reserved: new Map(),
    taken: new Map(),
    returned: new Map(),
  };
}

/** Descriptions of steps whose names do not describe an order. */
const WORDS: Partial<Record<CheckoutStep, string>> = {
  charge_owed: 'to be charged',
  refund_owed: 'to be refunded',
  not_charged: 'not charged',
  cancel_refused: 'not to be cancelled',
};

function inWords(step: CheckoutStep): string {
  return WORDS[step] ?? step;
}
