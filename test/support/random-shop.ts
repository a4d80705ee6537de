import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import type { Day } from '../../src/app/report/daily.ts';
import { dayOf } from '../../src/cli/parse.ts';
import { systemClock } from '../../src/compose.ts';
import { CHECKOUT, type CheckoutFact } from '../../src/domain/checkout/facts.ts';
import { newFact } from '../../src/domain/facts.ts';
import { EVENTS_LOG, type StockEvent } from '../../src/domain/stock/events.ts';
import type { Store } from '../../src/ports/store.ts';
import { decideRecords, ownFolder, recordOf, type DecidedRecord } from './decided.ts';

/* Random shops that sell through every channel, on days with clock changes. */

const HOUR_MS = 3_600_000;
/** In each zone the clock changes: days of 24, 23 or 25, and 24 hours. */
const CHANGES = [
  ['2026-03-28', '2026-03-29', '2026-03-30', 'Europe/Berlin', 23],
  ['2026-10-24', '2026-10-25', '2026-10-26', 'Europe/Berlin', 25],
  ['2026-10-31', '2026-11-01', '2026-11-02', 'America/New_York', 25],
  // By only half an hour.
  ['2026-04-04', '2026-04-05', '2026-04-06', 'Australia/Lord_Howe', 24.5],
] as const;

const PATHS = [
  ['rejected'],
  ['validated', 'charge_owed', 'declined'],
  ['validated', 'charge_owed', 'paid', 'gone', 'refund_owed', 'refunded'],
  ['validated', 'charge_owed', 'paid', 'reserved', 'dispatched'],
  ['validated', 'charge_owed', 'paid', 'reserved', 'cancelled', 'refund_owed', 'refunded'],
] as const;

const TURNS = 6;
const price = fc.constantFrom(null, '0.00', '0.01', '12.50', '99999999.99');
const line = fc.record({
  product_id: fc.constantFrom('book', 'pen', 'lamp'),
  quantity: fc.integer({ min: 1, max: 50 }),
  unit_price: price,
});
/** A part of the three days and a little around them: at any time, or within an hour of the second day's noon. */
const part = fc.oneof(
  fc.double({ min: -0.1, max: 1.1, noNaN: true }),
  fc.double({ min: 0.5, max: 0.52, noNaN: true }),
);
/** A time, and a position in the order of commits. */
const when = { at: part, turn: fc.nat(3) };
export const randomShop = fc.record({
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
  /** When each turn is committed, by the machine's clock, which may be set back. */
  turns: fc.array(part, { minLength: TURNS, maxLength: TURNS }),
  edits: fc.array(
    fc.record({
      turn: fc.nat(TURNS - 1),
      item: fc.constantFrom('book', 'pen', 'desk'),
      quantity: fc.option(fc.integer({ min: 0, max: 300 })),
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
export type RandomShop = typeof randomShop extends fc.Arbitrary<infer T> ? T : never;

export function daysOf([first, second, third, timeZone]: (typeof CHANGES)[number]): readonly Day[] {
  return [first, second, third].map((date) => dayOf('--date', date, { timeZone, now: 0 }));
}

/** A quantity creates the item or sets its stock; no quantity removes it. */
async function editItems(store: Store, edits: RandomShop['edits']): Promise<void> {
  for (const { item, quantity } of edits) {
    await store.transact({ items: [item] }, (state) => {
      const before = state.item(item) ?? null;
      const details = { name: `${item} ${quantity}`, price: null, reorderLevel: null, extra: {} };
      const after = quantity === null ? null : { item, quantity, ...details };
      const isChange = before !== null || after !== null;
      return {
        changes: { edits: isChange ? [{ kind: 'item', item, before, after }] : [] },
        result: null,
      };
    });
  }
}

/** Commits everything in turns, by a clock that follows them; the orders of each turn are read again in the next. */
export async function fillRandom(
  folder: string,
  { change, direct, checkout, events, turns, edits }: RandomShop,
): Promise<void> {
  const days = daysOf(change);
  const [from, until] = [days[0]?.from ?? 0, days.at(-1)?.until ?? 0];
  const timeOf = (at: number): number => Math.floor(from + at * (until - from));
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\nalice,paid\nbob,unpaid\n');
  fs.writeFileSync(path.join(folder, 'inventory.csv'), 'item,quantity\nbook,200\npen,9000\nlamp,9000\n');
  let now = timeOf(turns[0] ?? 0);
  await using store = await ownFolder(folder, { ...systemClock, now: () => now });
  let offset = 0;
  let before: DecidedRecord[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    now = timeOf(turns[turn] ?? 0);
    await editItems(
      store,
      edits.filter((edit) => edit.turn === turn),
    );
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
        // One step per turn, the rest in the last turn.
        if (Math.min(of + number, TURNS - 1) !== turn) return [];
        const items = lines.map((one) => ({ ...one, unit_price: one.unit_price ?? '3.33' }));
        const fact = {
          step,
          order_id: `C-${n}`,
          topic: 't',
          partition: 0,
          offset: 0,
          items,
          reason: 'r',
          amount: '1.00',
          at: new Date(timeOf(at) + number * 40 * HOUR_MS).toISOString(),
          created_at: new Date(timeOf(at)).toISOString(),
        } as unknown as CheckoutFact;
        return [newFact(CHECKOUT, fact)];
      }),
    );
    const happened = events.flatMap(({ turn: of, at, line: sold, kind }, n) => {
      if (of !== turn) return [];
      const isRefused = kind === 'refused';
      const event = {
        event_id: `E-${n}`,
        source: isRefused ? 'online_orders' : kind,
        ...sold,
        status: isRefused ? 'rejected' : 'applied',
        occurred_at: new Date(timeOf(at)).toISOString(),
        order_id: null,
        store_id: null,
        supplier_id: null,
        reason: null,
        delta: 0,
        on_hand: 0,
        at: new Date(timeOf(at) + 90 * HOUR_MS).toISOString(),
        topic: 't',
        partition: 0,
        offset: n,
        raw: '',
      } as StockEvent;
      return [newFact(EVENTS_LOG, event)];
    });
    const facts = [...steps, ...happened];
    if (facts.length > 0) await store.transact({}, () => ({ changes: { facts }, result: null }));
  }
}
