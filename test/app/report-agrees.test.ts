import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { hourlySales, salesIn } from '../../src/app/analytics/sales.ts';
import { dailyReport, type Day } from '../../src/app/report/daily.ts';
import { dayOf } from '../../src/cli/parse.ts';
import { systemClock } from '../../src/compose.ts';
import { CHECKOUT, type CheckoutFact } from '../../src/domain/checkout/facts.ts';
import { statusOf } from '../../src/domain/checkout/status.ts';
import { newFact } from '../../src/domain/facts.ts';
import { EVENTS_LOG, type StockEvent } from '../../src/domain/stock/events.ts';
import { sumOf, type SalesWindow } from '../../src/views/sales-window.ts';
import { decideRecords, ownFolder, recordOf, type DecidedRecord } from '../support/decided.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const makeFolder = temporaryFolder();

const HOUR_MS = 3_600_000;
/** In each of them a clock is changed: days of 24, 23 or 25, and 24 hours. */
const CHANGES = [
  ['2026-03-28', '2026-03-29', '2026-03-30', 'Europe/Berlin', 23],
  ['2026-10-24', '2026-10-25', '2026-10-26', 'Europe/Berlin', 25],
  ['2026-10-31', '2026-11-01', '2026-11-02', 'America/New_York', 25],
  // By half an hour only.
  ['2026-04-04', '2026-04-05', '2026-04-06', 'Australia/Lord_Howe', 24.5],
] as const;

const PATHS = [
  ['rejected'],
  ['validated', 'charge_owed', 'declined'],
  ['validated', 'charge_owed', 'paid', 'gone', 'refund_owed', 'refunded'],
  ['validated', 'charge_owed', 'paid', 'reserved', 'dispatched'],
  ['validated', 'charge_owed', 'paid', 'reserved', 'cancelled', 'refund_owed', 'refunded'],
] as const;

const price = fc.constantFrom(null, '0.00', '0.01', '12.50', '99999999.99');
const line = fc.record({
  product_id: fc.constantFrom('book', 'pen', 'lamp'),
  quantity: fc.integer({ min: 1, max: 50 }),
  unit_price: price,
});
/** A part of the three days and a little around them, and a place in the order in which all is committed. */
const when = { at: fc.double({ min: -0.1, max: 1.1, noNaN: true }), turn: fc.nat(3) };
const shop = fc.record({
  change: fc.constantFrom(...CHANGES),
  direct: fc.array(
    fc.record({
      ...when,
      user: fc.constantFrom('alice', 'bob'),
      lines: fc.array(line, { minLength: 1, maxLength: 3 }),
    }),
    { maxLength: 12 },
  ),
  checkout: fc.array(
    fc.record({
      ...when,
      path: fc.constantFrom(...PATHS),
      lines: fc.array(line, { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 8 },
  ),
  events: fc.array(
    fc.record({
      ...when,
      line,
      kind: fc.constantFrom('store_sales', 'online_orders', 'supplier_restocks', 'refused'),
    }),
    { maxLength: 8 },
  ),
});
type Shop = typeof shop extends fc.Arbitrary<infer T> ? T : never;

function daysOf([first, second, third, timeZone]: (typeof CHANGES)[number]): readonly Day[] {
  return [first, second, third].map((date) => dayOf('--date', date, { timeZone, now: 0 }));
}

/** Commits all of it in turns; the orders of each turn are read again in the next. */
async function fill(folder: string, { change, direct, checkout, events }: Shop): Promise<void> {
  const days = daysOf(change);
  const [from, until] = [days[0]?.from ?? 0, days.at(-1)?.until ?? 0];
  const timeOf = (at: number): number => Math.floor(from + at * (until - from));
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\nalice,paid\nbob,unpaid\n');
  fs.writeFileSync(path.join(folder, 'inventory.csv'), 'item,quantity\nbook,200\npen,9000\nlamp,9000\n');
  await using store = await ownFolder(folder);
  let offset = 0;
  let before: DecidedRecord[] = [];
  for (let turn = 0; turn < 6; turn++) {
    const placed = direct.flatMap(({ turn: of, user, at, lines }, n): DecidedRecord[] => {
      if (of !== turn) return [];
      const { record, order } = recordOf('orders', offset++, `D-${n}`, user, {});
      const items = lines.map(({ product_id: item, quantity, unit_price: unitPrice }) => ({
        item,
        quantity,
        unitPrice,
      }));
      return [{ record, order: { ...order, items, createdAt: timeOf(at) } }];
    });
    const again = before.map((one) => ({ ...one, record: { ...one.record, offset: offset++ } }));
    await decideRecords(store, [...placed, ...again]);
    before = placed;
    const steps = checkout.flatMap(({ turn: of, at, path: steps, lines }, n) =>
      steps.flatMap((step, number) => {
        // A step a turn, the rest in the last one.
        if (Math.min(of + number, 5) !== turn) return [];
        const items = lines.map((one) => ({ ...one, unit_price: one.unit_price ?? '3.33' }));
        const fact = {
          ...{
            step,
            order_id: `C-${n}`,
            topic: 't',
            partition: 0,
            offset: 0,
            items,
            reason: 'r',
            amount: '1.00',
          },
          ...{ at: new Date(timeOf(at) + number * 40 * HOUR_MS).toISOString() },
          created_at: new Date(timeOf(at)).toISOString(),
        } as unknown as CheckoutFact;
        return [newFact(CHECKOUT, fact)];
      }),
    );
    const happened = events.flatMap(({ turn: of, at, line: sold, kind }, n) => {
      if (of !== turn) return [];
      const isRefused = kind === 'refused';
      const event = {
        ...{ event_id: `E-${n}`, source: isRefused ? 'online_orders' : kind, ...sold },
        ...{ status: isRefused ? 'rejected' : 'applied', occurred_at: new Date(timeOf(at)).toISOString() },
        ...{ order_id: null, store_id: null, supplier_id: null, reason: null, delta: 0, on_hand: 0 },
        ...{
          at: new Date(timeOf(at) + 90 * HOUR_MS).toISOString(),
          topic: 't',
          partition: 0,
          offset: n,
          raw: '',
        },
      } as StockEvent;
      return [newFact(EVENTS_LOG, event)];
    });
    const facts = [...steps, ...happened];
    if (facts.length > 0) await store.transact({}, () => ({ changes: { facts }, result: null }));
  }
}

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
    fc.asyncProperty(shop, async (made) => {
      const folder = path.join(root, String(shops++));
      await fill(folder, made);
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
