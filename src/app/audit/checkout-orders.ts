import { quantitiesOf, type CheckoutFact, type CheckoutStep } from '../../domain/checkout/facts.ts';
import type { Movement } from '../../domain/movement.ts';
import { hundredths } from '../../domain/orders/money.ts';
import { AFTER, AWAITED, EITHER, ENDS, type Awaited } from './checkout-rules.ts';

const STEPS: Readonly<Record<CheckoutStep, number>> = {
  validated: 1,
  rejected: 2,
  charge_owed: 4,
  paid: 8,
  declined: 16,
  not_charged: 32,
  reserved: 64,
  gone: 128,
  refund_owed: 256,
  refunded: 512,
  cancelled: 1 << 10,
  cancel_refused: 1 << 11,
  dispatched: 1 << 12,
};
/** A step was logged twice. */
const TWICE = 1 << 13;
/** The order has steps or movements. */
const KNOWN = 1 << 14;
/** Causes of notifications to its customer: one bit for each cause, from here on. */
const FIRST_CAUSE = 15;
const CAUSES = 16;
const ROWS = 1_024;

const bitsOf = (steps: readonly CheckoutStep[]): number =>
  steps.reduce((bits, step) => bits | STEPS[step], 0);
const ANY_STEP = Object.values(STEPS).reduce((bits, step) => bits | step, 0);
const EITHER_BITS = EITHER.map(bitsOf);
const AFTER_BITS = AFTER.map(([step, earlier]) => [STEPS[step], bitsOf(earlier)] as const);
const END_BITS = bitsOf(ENDS);
/** An order that is paid and rejected must be refunded. */
const KEEPS_MONEY = bitsOf(['paid', 'rejected', 'refund_owed']);

/**
 * All orders of the checkout, in about fifty bytes each: enough to tell which of them are consistent. The lines of the
 * others, which are few, are read again.
 */
export class CheckoutOrders {
  readonly #rows = new Map<string, number>();
  /** Steps, and the marks above. */
  #bits = new Uint32Array(ROWS);
  /** The number of the line that says how it was placed; 0: there is none. */
  #placed = new Uint32Array(ROWS);
  /** In hundredths; NaN: unknown. */
  #total = new Float64Array(ROWS);
  #paid = new Float64Array(ROWS);
  #refunded = new Float64Array(ROWS);
  /** Sums over items, each weighted by its name, of the units that were reserved, taken and returned. */
  #reserved = new Float64Array(ROWS);
  #taken = new Float64Array(ROWS);
  #returned = new Float64Array(ROWS);
  readonly #causes = new Map<string, number>();
  size = 0;

  /** The number of orders that still wait for something. */
  get unfinished(): number {
    let count = 0;
    for (const row of this.#rows.values()) if (isUnfinished(this.#bits[row] ?? 0)) count += 1;
    return count;
  }

  /** The unfinished orders, with what each waits for; null: the answer to an effect. */
  *awaited(): Generator<readonly [string, Awaited | null]> {
    for (const [orderId, row] of this.#rows) {
      const bits = this.#bits[row] ?? 0;
      if (isUnfinished(bits)) yield [orderId, awaitedBy(bits)];
    }
  }

  *orderIds(): Generator<string> {
    for (const [orderId, row] of this.#rows) if (((this.#bits[row] ?? 0) & KNOWN) !== 0) yield orderId;
  }

  has(orderId: string, step: CheckoutStep): boolean {
    const row = this.#rows.get(orderId);
    return row !== undefined && ((this.#bits[row] ?? 0) & STEPS[step]) !== 0;
  }

  /** Whether the order is part of the checkout, even if it has not been placed yet. */
  holds(orderId: string): boolean {
    const row = this.#rows.get(orderId);
    return row !== undefined && ((this.#bits[row] ?? 0) & ANY_STEP) !== 0;
  }

  /** The number of the line in the log of facts that says how the order was placed; undefined: there is none. */
  placedAt(orderId: string): number | undefined {
    const line = this.#placed[this.#rows.get(orderId) ?? NaN] ?? 0;
    return line === 0 ? undefined : line;
  }

  take(fact: CheckoutFact, line: number): void {
    const row = this.#known(fact.order_id);
    const bits = this.#bits[row] ?? 0;
    const step = STEPS[fact.step];
    this.#bits[row] = bits | step | ((bits & step) === 0 ? 0 : TWICE);
    if ((bits & step) !== 0) return;
    if (fact.step === 'validated' || (fact.step === 'rejected' && (bits & STEPS.validated) === 0)) {
      this.#placed[row] = line;
    }
    if (fact.step === 'validated') this.#total[row] = Number(hundredths(fact.total_amount));
    if (fact.step === 'paid') this.#paid[row] = Number(hundredths(fact.amount));
    if (fact.step === 'refunded') this.#refunded[row] = Number(hundredths(fact.amount));
    if (fact.step !== 'reserved') return;
    for (const [item, quantity] of quantitiesOf(fact.items)) add(this.#reserved, row, item, quantity);
  }

  move({ item, delta, cause, orderId }: Movement): void {
    if (orderId === null || (cause !== 'reservation' && cause !== 'release')) return;
    const row = this.#known(orderId);
    add(cause === 'reservation' ? this.#taken : this.#returned, row, item, Math.abs(delta));
  }

  /** @returns false when the customer has already been notified of that */
  notify(orderId: string, cause: string): boolean {
    const row = this.#row(orderId);
    const known = this.#causes.get(cause) ?? this.#causes.size;
    if (known >= CAUSES) throw new RangeError('there are more causes of notifications than bits');
    this.#causes.set(cause, known);
    const bit = 1 << (FIRST_CAUSE + known);
    const bits = this.#bits[row] ?? 0;
    this.#bits[row] = bits | bit;
    return (bits & bit) === 0;
  }

  /** Orders whose steps, money or stock may be inconsistent. */
  *odd(): Generator<string> {
    for (const [orderId, row] of this.#rows) if (this.#isOdd(row)) yield orderId;
  }

  #isOdd(row: number): boolean {
    const bits = this.#bits[row] ?? 0;
    if ((bits & TWICE) !== 0) return true;
    if (EITHER_BITS.some((either) => isMoreThanOne(bits & either))) return true;
    if (AFTER_BITS.some(([step, earlier]) => (bits & step) !== 0 && (bits & earlier) === 0)) return true;
    if ((bits & KEEPS_MONEY) === (STEPS.paid | STEPS.rejected)) return true;
    const reserved = this.#reserved[row] ?? 0;
    const isCancelled = (bits & STEPS.cancelled) !== 0;
    if (this.#taken[row] !== reserved || this.#returned[row] !== (isCancelled ? reserved : 0)) return true;
    if ((bits & STEPS.paid) === 0) return false;
    const paid = this.#paid[row] ?? NaN;
    const isCompleted = (bits & STEPS.reserved) !== 0 && !isCancelled;
    const isRefunded = (bits & STEPS.refunded) !== 0;
    if (isCompleted || !isRefunded) return isRefunded || paid !== this.#total[row];
    return paid !== this.#refunded[row];
  }

  #known(orderId: string): number {
    const row = this.#row(orderId);
    const bits = this.#bits[row] ?? 0;
    if ((bits & KNOWN) === 0) {
      this.#bits[row] = bits | KNOWN;
      this.size += 1;
    }
    return row;
  }

  #row(orderId: string): number {
    let row = this.#rows.get(orderId);
    if (row !== undefined) return row;
    row = this.#rows.size;
    this.#rows.set(orderId, row);
    if (row >= this.#bits.length) this.#grow();
    return row;
  }

  #grow(): void {
    this.#bits = larger(this.#bits);
    this.#placed = larger(this.#placed);
    this.#total = larger(this.#total);
    this.#paid = larger(this.#paid);
    this.#refunded = larger(this.#refunded);
    this.#reserved = larger(this.#reserved);
    this.#taken = larger(this.#taken);
    this.#returned = larger(this.#returned);
  }
}

function isUnfinished(bits: number): boolean {
  // A request to cancel an order of the direct flow, or one that has not arrived, leaves steps without an order.
  if ((bits & STEPS.validated) === 0 || (bits & (END_BITS | STEPS.not_charged)) !== 0) return false;
  // An order that was cancelled before any money moved is finished.
  return (bits & STEPS.cancelled) === 0 || (bits & STEPS.charge_owed) !== 0;
}

function awaitedBy(bits: number): Awaited | null {
  const isCharged = (bits & STEPS.charge_owed) === 0 || (bits & STEPS.paid) !== 0;
  if (!isCharged || (bits & STEPS.refund_owed) !== 0) return null;
  return AWAITED.find(({ step }) => (bits & STEPS[step]) !== 0) ?? null;
}

function isMoreThanOne(bits: number): boolean {
  return (bits & (bits - 1)) !== 0;
}

/**
 * The sum does not depend on the order of the items and is exact up to 2⁵³; beyond that, the order is checked again.
 */
function add(sums: Float64Array, row: number, item: string, units: number): void {
  sums[row] = (sums[row] ?? 0) + weightOf(item) * units;
}

/** FNV-1a, 32 bits: names with equal weights count as one. */
function weightOf(item: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < item.length; at++) hash = Math.imul(hash ^ item.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

function larger<A extends Uint32Array | Float64Array>(array: A): A {
  const made = new (array.constructor as new (length: number) => A)(array.length * 2);
  made.set(array);
  return made;
}
