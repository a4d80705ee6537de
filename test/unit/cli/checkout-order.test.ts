import { expect, it } from 'vitest';
import { checkoutText } from '../../../src/cli/output/checkout/order.ts';
import type { CheckoutFact } from '../../../src/domain/checkout/facts.ts';
import { checkoutOrder } from '../../../src/views/checkout-order.ts';

const OF = { order_id: 'O-1', at: '2026-01-02T00:00:00.000Z', topic: 't', partition: 0, offset: 0 };
const PAID = { ...OF, step: 'paid', amount: '5.00', reference: 'ch_1', attempts: 1 } as const;
const GONE = { ...OF, step: 'gone', reason: 'insufficient_stock', detail: 'no pens' } as const;
const REFUNDED = {
  ...OF,
  step: 'refunded',
  amount: '5.00',
  reference: 're_1',
  reason: '',
  attempts: 1,
} as const;

const statusOf = (...facts: readonly CheckoutFact[]): string | undefined =>
  /^status +(.*)$/m.exec(checkoutText(checkoutOrder('O-1', facts, {})))?.[1];

it('an order that was paid for stock that was gone is to be refunded, until it is', () => {
  expect(statusOf(PAID)).toBe('PAID');
  expect(statusOf(PAID, GONE)).toBe('PAID, to be refunded: no pens');
  expect(statusOf(PAID, GONE, REFUNDED)).toBe('FAILED: no pens');
});
