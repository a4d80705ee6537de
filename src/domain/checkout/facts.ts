import type { FactLog } from '../facts.ts';

/** An order line, as in the messages of the checkout. */
export interface Line {
  readonly product_id: string;
  readonly quantity: number;
  /** A decimal string with two places. */
  readonly unit_price: string;
}

interface Step {
  readonly order_id: string;
  /** When the step was committed, in ISO 8601. */
  readonly at: string;
  /** The record that caused the step; for a payment, the record that requested it. */
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** The order as it was placed. */
interface Placed extends Step {
  readonly customer_id: string;
  readonly items: readonly Line[];
  readonly total_amount: string;
  readonly shipping_address: string;
  readonly created_at: string;
}

/** A step of a checkout order. An order has each step at most once. */
export type CheckoutFact = Readonly<
  | (Placed & { step: 'validated' })
  | (Placed & { step: 'rejected'; reason: string; detail: string })
  /** A charge is pending; its effect holds the progress. */
  | (Step & { step: 'charge_owed'; amount: string })
  | (Step & { step: 'paid'; amount: string; reference: string; attempts: number })
  | (Step & { step: 'declined'; amount: string; reference: string | null; reason: string; attempts: number })
  /** The order was cancelled before it was charged. */
  | (Step & { step: 'not_charged' })
  /** Stock was reserved for all lines. */
  | (Step & { step: 'reserved'; items: readonly Line[] })
  /** The order was paid, but its stock had been sold to others. */
  | (Step & { step: 'gone'; reason: string; detail: string })
  | (Step & { step: 'refund_owed'; amount: string; reason: string })
  | (Step & { step: 'refunded'; amount: string; reference: string; reason: string; attempts: number })
  | (Step & { step: 'cancelled'; detail: string })
  | (Step & { step: 'cancel_refused'; detail: string })
  | (Step & { step: 'dispatched'; carrier: string; tracking_number: string })
>;

export type CheckoutStep = CheckoutFact['step'];

/** The steps of all checkout orders. An order id in this log belongs to the checkout. */
export const CHECKOUT: FactLog<CheckoutFact> = { name: 'checkout', key: 'order_id' };

/** The fact of a step, if the order has it. */
export function factOf<S extends CheckoutStep>(
  facts: readonly CheckoutFact[],
  step: S,
): Extract<CheckoutFact, { step: S }> | undefined {
  return facts.find((fact): fact is Extract<CheckoutFact, { step: S }> => fact.step === step);
}

export function has(facts: readonly CheckoutFact[], ...steps: readonly CheckoutStep[]): boolean {
  return facts.some(({ step }) => steps.includes(step));
}

/** The order as it was placed, whether it was validated or rejected. */
export function placedOf(
  facts: readonly CheckoutFact[],
): Extract<CheckoutFact, { step: 'validated' | 'rejected' }> | undefined {
  return factOf(facts, 'validated') ?? factOf(facts, 'rejected');
}

/** The total quantity of each product, in the order in which products first appear. */
export function quantitiesOf(lines: readonly Line[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { product_id, quantity } of lines)
    totals.set(product_id, (totals.get(product_id) ?? 0) + quantity);
  return totals;
}
