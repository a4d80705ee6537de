import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OrdersByStatus } from '../../src/app/overview/orders-by-status.ts';
import type { CheckoutFact, CheckoutStep } from '../../src/domain/checkout/facts.ts';
import { ORDER_STATUSES, statusOf } from '../../src/domain/checkout/status.ts';

const COURSES: readonly (readonly CheckoutStep[])[] = [
  ['validated', 'charge_owed', 'paid', 'reserved', 'dispatched', 'cancel_refused'],
  ['validated', 'charge_owed', 'paid', 'reserved', 'cancelled', 'refund_owed', 'refunded'],
  ['validated', 'charge_owed', 'cancelled', 'not_charged'],
  ['validated', 'charge_owed', 'cancelled', 'paid', 'refund_owed', 'refunded'],
  ['validated', 'charge_owed', 'paid', 'gone', 'refund_owed', 'refunded', 'cancel_refused'],
  ['validated', 'charge_owed', 'declined', 'cancel_refused'],
  ['rejected', 'cancel_refused'],
  // Cancelled before it arrived.
  ['cancelled', 'rejected'],
];

test('orders are counted by the status that their facts give, however far each has come', () => {
  const course = fc.record({
    steps: fc.constantFrom(...COURSES),
    of: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(course, { maxLength: 20 }), fc.infiniteStream(fc.nat()), (courses, picks) => {
      const left = courses.map(({ steps, of }, at) => {
        const known = steps.slice(0, Math.round(of * steps.length));
        return known.map((step) => ({ order_id: `O-${at}`, step }) as CheckoutFact);
      });
      const expected = Object.fromEntries(ORDER_STATUSES.map((status) => [status, 0]));
      for (const facts of left) {
        if (facts.length > 0) expected[statusOf(facts)] = (expected[statusOf(facts)] ?? 0) + 1;
      }
      const counted = new OrdersByStatus();
      let waiting = left.filter((facts) => facts.length > 0);
      while (waiting.length > 0) {
        const next = waiting[(picks.next().value ?? 0) % waiting.length]?.shift();
        if (next !== undefined) counted.take(next);
        waiting = waiting.filter((facts) => facts.length > 0);
      }
      expect(counted.counts).toEqual(expected);
    }),
  );
});
