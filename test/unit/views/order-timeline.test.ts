import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CheckoutFact } from '../../../src/domain/checkout/facts.ts';
import { statusOf } from '../../../src/domain/checkout/status.ts';
import type { Effect } from '../../../src/domain/effects.ts';
import { checkoutOrder } from '../../../src/views/checkout-order.ts';
import { timelineOf } from '../../../src/views/order-timeline.ts';

const at = (second: number): string => `2026-01-02T00:00:0${second}.000Z`;
const items = [{ product_id: 'book', quantity: 2, unit_price: '2.50' }];
const step = (second: number, fields: object): CheckoutFact =>
  ({ order_id: 'O-1', at: at(second), topic: 't', partition: 0, offset: second, ...fields }) as CheckoutFact;
const FACTS: readonly CheckoutFact[] = [
  step(0, {
    step: 'validated',
    customer_id: 'amy',
    items,
    total_amount: '5.00',
    shipping_address: 'here',
    created_at: at(0),
  }),
  step(1, { step: 'charge_owed', amount: '5.00' }),
  step(2, { step: 'paid', amount: '5.00', reference: 'ch_1', attempts: 2 }),
  step(3, { step: 'reserved', items }),
  step(4, { step: 'cancelled', detail: 'twice' }),
  step(5, { step: 'refund_owed', amount: '5.00', reason: 'cancelled' }),
  step(6, { step: 'refunded', amount: '5.00', reference: 're_1', reason: 'cancelled', attempts: 1 }),
];

it('is the same in whatever order facts come, and however often', () => {
  const expected = timelineOf(FACTS);
  expect(expected.map((one) => one.step)).toEqual(FACTS.map((one) => one.step));
  const twice = fc.shuffledSubarray([...FACTS, ...FACTS], { minLength: 2 * FACTS.length });
  fc.assert(
    fc.property(twice, (facts) => {
      expect(timelineOf(facts)).toEqual(expected);
      expect(checkoutOrder('O-1', facts, {})).toEqual(checkoutOrder('O-1', FACTS, {}));
    }),
  );
});

it('goes by what can follow from what where clocks differ', () => {
  const ahead = FACTS.map((fact, number) => ({ ...fact, at: at(6 - number) }));
  expect(timelineOf(ahead).map((one) => one.step)).toEqual(FACTS.map((one) => one.step));
});

it('a status never goes back, whichever fact comes next', () => {
  const RANK = ['PENDING', 'VALIDATED', 'PAID', 'COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED'];
  fc.assert(
    fc.property(fc.shuffledSubarray([...FACTS], { minLength: FACTS.length }), (facts) => {
      let rank = 0;
      facts.forEach((_, count) => {
        const next = RANK.indexOf(statusOf(facts.slice(0, count + 1)));
        expect(next).toBeGreaterThanOrEqual(rank);
        rank = next;
      });
    }),
  );
});

it('says what is owed, how often it was tried, and when it is tried again', () => {
  const charge: Effect = {
    ...({ id: 'c', kind: 'charge', key: 'k', fields: {}, state: 'due', firstTriedAt: 1 } as const),
    dueAt: 5_000,
    attempts: 2,
  };
  const owed = (effect: Effect | undefined) =>
    checkoutOrder('O-1', FACTS.slice(0, 2), effect === undefined ? {} : { charge: effect }).payment;
  expect(owed(charge)).toEqual({
    status: 'retrying',
    amount: '5.00',
    reference: null,
    attempts: 2,
    reason: null,
    nextTryAt: 5_000,
  });
  expect(owed({ ...charge, attempts: 0 })).toMatchObject({ status: 'owed', nextTryAt: null });
  expect(owed({ ...charge, state: 'parked' })).toMatchObject({ status: 'parked', nextTryAt: null });
  expect(owed(undefined)).toBeNull();
});
