import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { CheckoutFact, Line } from '../../../src/domain/checkout/facts.ts';
import { has } from '../../../src/domain/checkout/facts.ts';
import { statusOf } from '../../../src/domain/checkout/status.ts';
import type { Decided } from '../../../src/domain/orders/decided.ts';
import { sumOf, type SalesWindow } from '../../../src/views/sales-window.ts';
import { SalesWindows } from '../../../src/views/sales-windows.ts';

const HOUR_MS = 3_600_000;
const FIRST = Date.parse('2026-03-01T00:00:00Z');
const windowAt = (ms: number) => {
  const start = Math.floor(ms / HOUR_MS) * HOUR_MS;
  return { start, end: start + HOUR_MS };
};

/** What can become of an order of the checkout, each as far as it goes. */
const PATHS = [
  ['rejected'],
  ['validated', 'charge_owed', 'declined'],
  ['validated', 'charge_owed', 'not_charged', 'cancelled'],
  ['validated', 'charge_owed', 'paid', 'gone', 'refund_owed', 'refunded'],
  ['validated', 'charge_owed', 'paid', 'reserved', 'dispatched', 'cancel_refused'],
  ['validated', 'charge_owed', 'paid', 'reserved', 'cancelled', 'refund_owed', 'refunded'],
] as const;

const line = fc.record({
  product_id: fc.constantFrom('book', 'pen', 'lamp'),
  quantity: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  unit_price: fc.constantFrom('0.00', '0.01', '12.50', '99999999.99'),
});

const placedAt = fc.integer({ min: FIRST, max: FIRST + 3 * HOUR_MS - 1 });

const checkoutOrder = fc
  .tuple(fc.constantFrom(...PATHS), fc.nat(6), fc.array(line, { minLength: 1, maxLength: 3 }), placedAt)
  .map(([path, length, items, createdAt]) => ({ path: path.slice(0, length), items, createdAt }));

const directOrder = fc.record({
  createdAt: placedAt,
  items: fc.array(line, { minLength: 1, maxLength: 3 }),
  isAccepted: fc.boolean(),
  hasPrice: fc.boolean(),
  waitMs: fc.nat(2 * HOUR_MS),
});

function factsOf(id: string, order: { path: readonly string[]; items: readonly Line[]; createdAt: number }) {
  return order.path.map((step, number) => ({
    step,
    order_id: id,
    topic: 't',
    partition: 0,
    offset: 0,
    at: new Date(order.createdAt + number * 500).toISOString(),
    reason: `for ${step}`,
    items: order.items,
    created_at: new Date(order.createdAt).toISOString(),
  })) as unknown as CheckoutFact[];
}

function decidedOf(id: string, order: typeof directOrder extends fc.Arbitrary<infer T> ? T : never): Decided {
  const items = order.items.map(({ product_id, quantity, unit_price }) => {
    return { item: product_id, quantity, unitPrice: order.hasPrice ? unit_price : null };
  });
  const rejected = { kind: 'rejected', reason: 'unknown_user', detail: '', userStatus: null } as const;
  return {
    order: { orderId: id, user: 'amy', createdAt: order.createdAt, items },
    record: { topic: 'orders', partition: 0, offset: 0 },
    outcome: order.isAccepted ? { kind: 'accepted', stock: [] } : { ...rejected, stock: [] },
    decidedAt: order.createdAt + order.waitMs,
  };
}

const worth = (items: readonly Line[]): bigint =>
  items.reduce((sum, { quantity, unit_price }) => {
    return sum + BigInt(quantity) * BigInt(unit_price.replace('.', ''));
  }, 0n);

const by = (status: string, orders: readonly (readonly CheckoutFact[])[]): number =>
  orders.filter((facts) => facts.length > 0 && statusOf(facts) === status).length;

it('adds up to what the orders come to one by one, whatever came between', () => {
  fc.assert(
    fc.property(
      fc.array(checkoutOrder),
      fc.array(directOrder),
      fc.infiniteStream(fc.nat()),
      (checkout, direct, random) => {
        const sales = new SalesWindows({ windowAt });
        const facts = checkout.map((order, number) => factsOf(`C-${number}`, order));
        // Of one order in its order, of all in any.
        const waiting = facts.map((some) => [...some]).filter((some) => some.length > 0);
        while (waiting.length > 0) {
          const at = (random.next().value ?? 0) % waiting.length;
          const next = waiting[at]?.shift();
          if (next === undefined) waiting.splice(at, 1);
          else sales.takeFact(next);
        }
        direct.forEach((order, number) => sales.takeDecided(decidedOf(`D-${number}`, order)));

        const sum = sumOf(sales.all());
        const accepted = direct.filter(({ isAccepted }) => isAccepted);
        const placed = facts.filter((some) => some.length > 0);
        expect(sum.placed).toBe(direct.length + placed.length);
        expect(sum.completed).toBe(accepted.length + by('COMPLETED', placed));
        expect(sum.rejected).toBe(direct.length - accepted.length + by('REJECTED', placed));
        expect(sum.failed).toBe(by('FAILED', placed));
        expect(sum.cancelled).toBe(by('CANCELLED', placed));
        const revenue = checkout.map(({ items }, number) => {
          const some = facts[number] ?? [];
          return has(some, 'reserved') && !has(some, 'refunded') ? worth(items) : 0n;
        });
        const direct_ = accepted.filter(({ hasPrice }) => hasPrice).map(({ items }) => worth(items));
        const expected = [...revenue, ...direct_].reduce((total, one) => total + one, 0n);
        expect(sum.revenue).toBe(expected);
        const products = [...sum.products.values()];
        expect(products.reduce((total, one) => total + one.revenue, 0n)).toBe(expected);
        expect(sum.late).toBe(direct.filter(isLate).length);
        for (const window of sales.all()) expect(window.start % HOUR_MS).toBe(0);
      },
    ),
  );
});

function isLate({ createdAt, waitMs }: { createdAt: number; waitMs: number }): boolean {
  return createdAt + waitMs >= windowAt(createdAt).end + 60_000;
}

function windowsOf(orders: readonly (readonly CheckoutFact[])[]): readonly SalesWindow[] {
  const sales = new SalesWindows({ windowAt, from: FIRST, until: FIRST + 2 * HOUR_MS });
  for (const fact of orders.flat()) sales.takeFact(fact);
  return sales.all();
}

it('counts an order in the window in which it was placed, and leaves out those placed before and after', () => {
  const items = [{ product_id: 'book', quantity: 2, unit_price: '2.50' }];
  const path = PATHS[4];
  const at = [FIRST - 1, FIRST, FIRST + HOUR_MS - 1, FIRST + HOUR_MS, FIRST + 2 * HOUR_MS];
  const windows = windowsOf(at.map((createdAt, n) => factsOf(`C-${n}`, { path, items, createdAt })));
  expect(windows.map(({ start, placed, revenue }) => [start, placed, revenue])).toEqual([
    [FIRST, 2, 1_000n],
    [FIRST + HOUR_MS, 1, 500n],
  ]);
});

it('measures the steps of the checkout, gives reasons of failures, and takes back what was refunded', () => {
  const items = [{ product_id: 'book', quantity: 2, unit_price: '2.50' }];
  const of = (path: (typeof PATHS)[number]) =>
    windowsOf([factsOf('C-1', { path, items, createdAt: FIRST })])[0];
  const dispatched = of(PATHS[4])?.stages;
  expect(dispatched).toEqual({
    validate: { count: 1, ms: 0 },
    pay: { count: 1, ms: 1_000 },
    reserve: { count: 1, ms: 500 },
    dispatch: { count: 1, ms: 500 },
  });
  expect([...(of(PATHS[1])?.reasons ?? [])]).toEqual([['for declined', 1]]);
  expect([...(of(PATHS[3])?.reasons ?? [])]).toEqual([['for gone', 1]]);
  expect(of(PATHS[5])).toMatchObject({ completed: 0, cancelled: 1, revenue: 0n, refunded: 500n });
  expect(of(PATHS[5])?.products.get('book')).toEqual({ quantity: 0, revenue: 0n });
});
