import type { FactLog } from '../facts.ts';

/** A line of an order, as its messages have it. */
export interface Line {
  readonly product_id: string;
  readonly quantity: number;
  /** A decimal string with two places. */
  readonly unit_price: string;
}

interface Step {
  readonly order_id: string;
  /** ISO 8601: when it was committed. */
  readonly at: string;
  /** The record that led to it; of a payment, the one that asked for it. */
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

/** What happened to an order of the checkout. Each step comes at most once. */
export type CheckoutFact = Readonly<
  | (Placed & { step: 'validated' })
  | (Placed & { step: 'rejected'; reason: string; detail: string })
  /** It is to be charged: an effect says how far that is. */
  | (Step & { step: 'charge_owed'; amount: string })
  | (Step & { step: 'paid'; amount: string; reference: string; attempts: number })
  | (Step & { step: 'declined'; amount: string; reference: string | null; reason: string; attempts: number })
  /** It was cancelled before any money moved. */
  | (Step & { step: 'not_charged' })
  /** All of it was taken out of stock. */
  | (Step & { step: 'reserved'; items: readonly Line[] })
  /** Paid, but its stock had gone to others. */
  | (Step & { step: 'gone'; reason: string; detail: string })
  | (Step & { step: 'refund_owed'; amount: string; reason: string })
  | (Step & { step: 'refunded'; amount: string; reference: string; reason: string; attempts: number })
  | (Step & { step: 'cancelled'; detail: string })
  | (Step & { step: 'cancel_refused'; detail: string })
  | (Step & { step: 'dispatched'; carrier: string; tracking_number: string })
>;

export type CheckoutStep = CheckoutFact['step'];

/** All that happened to orders of the checkout. An order id that it holds belongs to that flow. */
export const CHECKOUT: FactLog<CheckoutFact> = { name: 'checkout', key: 'order_id' };

/** The one fact of that step. */
export function factOf<S extends CheckoutStep>(
  facts: readonly CheckoutFact[],
  step: S,
): Extract<CheckoutFact, { step: S }> | undefined {
  return facts.find((fact): fact is Extract<CheckoutFact, { step: S }> => fact.step === step);
}

export function has(facts: readonly CheckoutFact[], ...steps: readonly CheckoutStep[]): boolean {
  return facts.some(({ step }) => steps.includes(step));
}

/** The order as it was placed, whatever became of it. */
export function placedOf(
  facts: readonly CheckoutFact[],
): Extract<CheckoutFact, { step: 'validated' | 'rejected' }> | undefined {
  return factOf(facts, 'validated') ?? factOf(facts, 'rejected');
}

/** Quantities by product, lines of one product together, in order of first mention. */
export function quantitiesOf(lines: readonly Line[]): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { product_id, quantity } of lines)
    totals.set(product_id, (totals.get(product_id) ?? 0) + quantity);
  return totals;
}
