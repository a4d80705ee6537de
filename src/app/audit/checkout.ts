import { quantitiesOf, type CheckoutFact, type CheckoutStep } from '../../domain/checkout/facts.ts';
import { difference, type Difference } from '../../domain/difference.ts';
import type { Movement } from '../../domain/movement.ts';
import { amountFrom, hundredths } from '../../domain/orders/money.ts';

/** Steps of one order that cannot be combined: of each line, one at most. */
const EITHER: readonly (readonly CheckoutStep[])[] = [
  ['validated', 'rejected'],
  ['paid', 'declined', 'not_charged'],
  ['reserved', 'gone'],
  ['cancelled', 'cancel_refused'],
  ['cancelled', 'dispatched'],
  ['cancelled', 'gone'],
];
/** A step, and one that comes before it. */
const AFTER: readonly (readonly [CheckoutStep, CheckoutStep])[] = [
  ['charge_owed', 'validated'],
  ['paid', 'charge_owed'],
  ['declined', 'charge_owed'],
  ['reserved', 'paid'],
  ['gone', 'paid'],
  ['dispatched', 'reserved'],
  ['refund_owed', 'paid'],
  ['refunded', 'refund_owed'],
];
/** Nothing follows from these any more. */
const ENDS: readonly CheckoutStep[] = ['rejected', 'declined', 'dispatched', 'refunded'];

interface OrderAccount {
  /** The line of each step. */
  readonly steps: Map<CheckoutStep, string>;
  /** As it was placed. */
  total: string | null;
  paid: string | null;
  refunded: string | null;
  reserved: ReadonlyMap<string, number>;
  /** What movements took for it, by item, and gave back. */
  readonly taken: Map<string, number>;
  readonly returned: Map<string, number>;
}

/** Follows every order of the checkout: its steps, its money and its stock. */
export class CheckoutBooks {
  readonly #orders = new Map<string, OrderAccount>();
  readonly #events = new Set<string>();
  readonly #report: (found: Difference) => void;

  constructor(report: (found: Difference) => void) {
    this.#report = report;
  }

  get size(): number {
    return this.#orders.size;
  }

  /** Orders from which something is still to follow. */
  get unfinished(): number {
    let count = 0;
    for (const { steps } of this.#orders.values()) if (!isFinished(steps)) count += 1;
    return count;
  }

  orderIds(): Iterable<string> {
    return this.#orders.keys();
  }

  /** The line that says how an order was placed; undefined: no line does. */
  placedAt(orderId: string): string | undefined {
    const steps = this.#orders.get(orderId)?.steps;
    return steps?.get('validated') ?? steps?.get('rejected');
  }

  has(orderId: string, step: CheckoutStep): boolean {
    return this.#orders.get(orderId)?.steps.has(step) === true;
  }

  take(fact: CheckoutFact, where: string): void {
    const { order_id: orderId, step } = fact;
    const order = this.#account(orderId);
    const before = order.steps.get(step);
    if (before !== undefined) {
      const message = `${where}: order ${orderId} is ${inWords(step)} a second time; it was by ${before}`;
      this.#report(difference('step_twice', where, { orderId, message }));
      return;
    }
    order.steps.set(step, where);
    if (step === 'validated') order.total = fact.total_amount;
    if (step === 'paid') order.paid = fact.amount;
    if (step === 'refunded') order.refunded = fact.amount;
    if (step === 'reserved') order.reserved = quantitiesOf(fact.items);
  }

  move({ item, delta, cause, orderId, eventId }: Movement, where: string): void {
    if (eventId !== null) this.#takeEvent(eventId, where);
    if (orderId === null || (cause !== 'reservation' && cause !== 'release')) return;
    const order = this.#account(orderId);
    const sums = cause === 'reservation' ? order.taken : order.returned;
    sums.set(item, (sums.get(item) ?? 0) + Math.abs(delta));
  }

  #takeEvent(eventId: string, where: string): void {
    if (!this.#events.has(eventId)) {
      this.#events.add(eventId);
      return;
    }
    const message = `${where}: event ${eventId} changes the stock a second time`;
    this.#report(difference('event_twice', where, { message }));
  }

  /** @param wasRemoved whether an item was ever removed: then its stock may have had nowhere to go back to */
  close(wasRemoved: (item: string) => boolean): void {
    for (const [orderId, order] of this.#orders) {
      this.#compareSteps(orderId, order);
      this.#compareMoney(orderId, order);
      this.#compareStock(orderId, order, wasRemoved);
    }
  }

  #compareSteps(orderId: string, { steps }: OrderAccount): void {
    for (const excluding of EITHER) {
      const [first, second] = excluding.filter((step) => steps.has(step));
      if (first === undefined || second === undefined) continue;
      const where = steps.get(second) ?? '';
      const message = `${where}: order ${orderId} is ${inWords(second)}, and by ${steps.get(first) ?? ''} ${inWords(first)}`;
      this.#report(difference('outcome_mismatch', where, { orderId, message }));
    }
    for (const [step, earlier] of AFTER) {
      const where = steps.get(step);
      if (where === undefined || steps.has(earlier)) continue;
      const message = `${where}: order ${orderId} is ${inWords(step)}, and was never ${inWords(earlier)}`;
      this.#report(difference('step_missing', where, { orderId, message }));
    }
  }

  /** What is charged and not given back is the total of an order that is completed, else nothing. */
  #compareMoney(orderId: string, { steps, total, paid, refunded }: OrderAccount): void {
    if (paid === null) return;
    const kept = hundredths(paid) - hundredths(refunded ?? '0.00');
    const isCompleted = steps.has('reserved') && !steps.has('cancelled');
    // What is still to be given back is owed by an effect, which is looked at by itself.
    const isOnItsWay = refunded === null && !isCompleted;
    const expected = isCompleted || isOnItsWay ? hundredths(total ?? paid) : 0n;
    if (kept === expected) return;
    const where = steps.get('refunded') ?? steps.get('paid') ?? '';
    const [should, is] = [amountFrom(expected), amountFrom(kept)];
    const message = `${where}: of order ${orderId} ${paid} were charged and ${refunded ?? '0.00'} given back, which leaves ${is}; it should be ${should}`;
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
      this.#compareSum(orderId, item, 'given back by', back, actual);
    }
  }

  #compareSum(orderId: string, item: string, what: string, expected: number, actual: number): void {
    if (expected === actual) return;
    const message = `${actual} of ${item} were ${what} order ${orderId}; by its steps it should be ${expected}`;
    this.#report(
      difference('reservation_mismatch', 'movements.jsonl', { orderId, item, expected, actual, message }),
    );
  }

  #account(orderId: string): OrderAccount {
    let order = this.#orders.get(orderId);
    if (order === undefined) {
      order = {
        ...{ steps: new Map(), total: null, paid: null, refunded: null, reserved: new Map() },
        ...{ taken: new Map(), returned: new Map() },
      };
      this.#orders.set(orderId, order);
    }
    return order;
  }
}

function isFinished(steps: ReadonlyMap<CheckoutStep, string>): boolean {
  if (ENDS.some((step) => steps.has(step))) return true;
  // Cancelled before any money moved.
  return steps.has('not_charged') || (steps.has('cancelled') && !steps.has('charge_owed'));
}

/** Where the name of a step is no word for an order that has come so far. */
const WORDS: Partial<Record<CheckoutStep, string>> = {
  charge_owed: 'to be charged',
  refund_owed: 'to be refunded',
  not_charged: 'not charged',
  cancel_refused: 'not to be cancelled',
};

function inWords(step: CheckoutStep): string {
  return WORDS[step] ?? step;
}
