import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { hourlySales, salesIn } from '../../src/app/analytics/sales.ts';
import { dailyReport } from '../../src/app/report/daily.ts';
import { systemClock } from '../../src/compose.ts';
import type { CheckoutFact } from '../../src/domain/checkout/facts.ts';
import { statusOf } from '../../src/domain/checkout/status.ts';
import type { StockEvent } from '../../src/domain/stock/events.ts';
import { sumOf, type SalesWindow } from '../../src/views/sales-window.ts';
import { daysOf, fillRandom, randomShop } from '../support/random-shop.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const makeFolder = temporaryFolder();
const HOUR_MS = 3_600_000;

interface Sold {
  readonly at: number;
  readonly cents: bigint;
}

/** What the lines of the logs come to, one by one. */
function soldIn(folder: string): Sold[] {
  const lines = (name: string): Record<string, unknown>[] => {
    const file = path.join(folder, name);
    if (!fs.existsSync(file)) return [];
    const text = fs.readFileSync(file, 'utf8').trimEnd();
    return text === '' ? [] : text.split('\n').map((one) => JSON.parse(one) as Record<string, unknown>);
  };
  const centsOf = (items: unknown): bigint =>
    (items as { quantity: number; unit_price: string | null }[]).reduce((sum, { quantity, unit_price }) => {
      return sum + BigInt(quantity) * BigInt((unit_price ?? '0').replace('.', ''));
    }, 0n);
  const direct = lines('orders.jsonl').map(({ created_at, items }) => {
    return { at: Date.parse(String(created_at)), cents: centsOf(items) };
  });
  const orders = new Map<string, CheckoutFact[]>();
  for (const fact of lines('checkout.jsonl') as unknown as CheckoutFact[])
    orders.set(fact.order_id, [...(orders.get(fact.order_id) ?? []), fact]);
  const checkout = [...orders.values()].flatMap((facts) => {
    const [first] = facts as readonly (CheckoutFact & { items?: unknown; created_at?: string })[];
    if (statusOf(facts) !== 'COMPLETED') return [];
    return [{ at: Date.parse(String(first?.created_at)), cents: centsOf(first?.items) }];
  });
  const events = (lines('events_log.jsonl') as unknown as StockEvent[])
    .filter(({ status, source }) => status === 'applied' && source !== 'supplier_restocks')
    .map((event) => ({ at: Date.parse(event.occurred_at), cents: centsOf([event]) }));
  return [...direct, ...checkout, ...events];
}

const bySource = ({ sources }: SalesWindow): bigint =>
  [...sources.values()]
    .flatMap(({ products }) => [...products.values()])
    .reduce((sum, one) => sum + one.revenue, 0n);
const byProduct = ({ products }: SalesWindow): bigint =>
  [...products.values()].reduce((sum, { revenue }) => sum + revenue, 0n);

it('report, analytics and the logs agree to the cent, on days of any length', async () => {
  const root = makeFolder();
  let shops = 0;
  await fc.assert(
    fc.asyncProperty(randomShop, async (made) => {
      const folder = path.join(root, String(shops++));
      await fillRandom(folder, made);
      const sold = soldIn(folder);
      const between = (from: number, until: number): bigint =>
        sold.reduce((sum, { at, cents }) => (at >= from && at < until ? sum + cents : sum), 0n);
      await using reader = await openFolder({ folder, clock: systemClock }).read();
      const days = daysOf(made.change);
      expect(((days[1]?.until ?? 0) - (days[1]?.from ?? 0)) / HOUR_MS).toBe(made.change[4]);
      let orders = 0;
      for (const day of days) {
        const { total, hours } = await dailyReport(reader, day, { now: Date.now(), lowStock: 1 });
        const expected = between(day.from, day.until);
        expect([total.revenue, sumOf(hours).revenue, bySource(total), byProduct(total)]).toEqual(
          [1, 2, 3, 4].map(() => expected),
        );
        expect((await salesIn(reader, day)).revenue).toBe(expected);
        orders += total.placed;
      }
      const [from, until] = [days[0]?.from ?? 0, days.at(-1)?.until ?? 0];
      expect((await salesIn(reader, { from, until })).placed).toBe(orders);
      expect((await salesIn(reader, null)).revenue).toBe(between(-Infinity, Infinity));
      const whole = {
        from: Math.floor(from / HOUR_MS) * HOUR_MS,
        until: Math.ceil(until / HOUR_MS) * HOUR_MS,
      };
      for (const { start, end, revenue } of await hourlySales(reader, whole))
        expect(revenue).toBe(between(start, end));
    }),
    { numRuns: 8 },
  );
}, 120_000);
