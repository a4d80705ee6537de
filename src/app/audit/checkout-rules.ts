import type { CheckoutStep } from '../../domain/checkout/facts.ts';

/** Steps of one order that cannot be combined: of each line, one at most. */
export const EITHER: readonly (readonly CheckoutStep[])[] = [
  ['validated', 'rejected'],
  ['paid', 'declined', 'not_charged'],
  ['reserved', 'gone'],
  ['cancelled', 'cancel_refused'],
  ['cancelled', 'dispatched'],
  ['cancelled', 'gone'],
];
/** A step, and one that comes before it. */
export const AFTER: readonly (readonly [CheckoutStep, CheckoutStep])[] = [
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
export const ENDS: readonly CheckoutStep[] = ['rejected', 'declined', 'dispatched', 'refunded'];
