import type { CheckoutFact, CheckoutStep } from '../domain/checkout/facts.ts';
import { quantitiesOf, type Line } from '../domain/checkout/facts.ts';
import type { RecordId } from '../domain/orders/order.ts';

/** A step of a checkout order, described for people. */
export interface TimelineStep {
  readonly step: CheckoutStep;
  /** When the step was committed, in ISO 8601. */
  readonly at: string;
  /** The record that caused the step; for a payment, the record that requested it. */
  readonly record: RecordId;
  readonly detail: string;
}

/** The causal order of steps: a step has a higher rank than every step that can cause it. */
const RANKS: Readonly<Record<CheckoutStep, number>> = {
  validated: 0,
  rejected: 0,
  charge_owed: 1,
  not_charged: 2,
  declined: 2,
  paid: 2,
  reserved: 3,
  gone: 3,
  dispatched: 4,
  cancelled: 5,
  cancel_refused: 5,
  refund_owed: 6,
  refunded: 7,
};

/**
 * The steps of an order. The result does not depend on the order or repetition of facts. Steps are sorted by rank first
 * and then by time, since the clocks of several machines differ.
 */
export function timelineOf(facts: Iterable<CheckoutFact>): readonly TimelineStep[] {
  const steps = new Map<CheckoutStep, CheckoutFact>();
  for (const fact of facts) {
    const known = steps.get(fact.step);
    // An order has each step at most once: repeated facts are equal.
    if (known === undefined || fact.at < known.at) steps.set(fact.step, fact);
  }
  return [...steps.values()]
    .sort((a, b) => RANKS[a.step] - RANKS[b.step] || compare(a.at, b.at) || compare(a.step, b.step))
    .map((fact) => {
      const { step, at, topic, partition, offset } = fact;
      return { step, at, record: { topic, partition, offset }, detail: inWords(fact) };
    });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function inWords(fact: CheckoutFact): string {
  switch (fact.step) {
    case 'validated':
      return `${linesInWords(fact.items)} for ${fact.total_amount}`;
    case 'rejected':
    case 'gone':
    case 'cancelled':
    case 'cancel_refused':
      return fact.detail;
    case 'charge_owed':
      return `${fact.amount} to be charged`;
    case 'paid':
      return `${fact.amount} paid as ${fact.reference}${tries(fact.attempts)}`;
    case 'declined':
      return `${fact.amount} declined: ${fact.reason}${tries(fact.attempts)}`;
    case 'not_charged':
      return 'no money has moved';
    case 'reserved':
      return `${linesInWords(fact.items)} taken from stock`;
    case 'refund_owed':
      return `${fact.amount} to be refunded: ${fact.reason}`;
    case 'refunded':
      return `${fact.amount} refunded as ${fact.reference}${tries(fact.attempts)}`;
    case 'dispatched':
      return `by ${fact.carrier} as ${fact.tracking_number}`;
  }
}

function linesInWords(lines: readonly Line[]): string {
  return [...quantitiesOf(lines)].map(([item, quantity]) => `${item}×${quantity}`).join(', ');
}

function tries(attempts: number): string {
  return attempts > 1 ? `, after ${attempts} tries` : '';
}
