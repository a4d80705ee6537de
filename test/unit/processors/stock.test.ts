import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { ALERT } from '../../../src/domain/messages/shop/alert.ts';
import { INVENTORY_UPDATE } from '../../../src/domain/messages/stock/inventory-update.ts';
import {
  EVENTS_LOG,
  STOCK_SOURCES,
  type SourceMessage,
  type StockSource,
} from '../../../src/domain/stock/events.ts';
import { stock } from '../../../src/processors/stock/processor.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ModelFolder } from '../../support/model.ts';

type Given = Partial<SourceMessage> & { readonly from: StockSource };

const STOCK = stock({ events: { lowStock: 0 } });
let folder: ModelFolder;
let offset = 0;

function put(quantities: Record<string, number>): void {
  for (const [item, quantity] of Object.entries(quantities)) {
    const row = { item, quantity, name: null, price: null, reorderLevel: null, extra: {} };
    folder.tables.items.set(item, row);
  }
}

beforeEach(() => {
  folder = new ModelFolder(new FakeClock());
  put({ pen: 5 });
});

const onHand = (item = 'pen'): number | undefined => folder.tables.items.get(item)?.quantity;

/** One batch of these events. @returns what became of each */
async function take(...events: readonly Given[]) {
  return (await decided(...events)).map((one) => (one.kind === 'dead_letter' ? one.code : one.kind));
}

async function decided(...events: readonly Given[]) {
  const received = events.map(({ from, ...given }) => {
    offset += 1;
    const message = {
      event_id: `e${offset}`,
      product_id: 'pen',
      quantity: 1,
      occurred_at: 0,
      unit_price: null,
      order_id: null,
      ...given,
    };
    const record = { topic: from, partition: 0, offset };
    return { source: from, message, record, traceparent: null, raw: 'e30=' };
  });
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  return await store.transact(STOCK.keys(received), (state) => {
    const { changes, results } = STOCK.decide(received, state);
    return { changes, result: results };
  });
}

const sent = (name: string) =>
  folder.outgoing.flatMap((one) => (one.kind === 'message' && one.type === name ? [one.fields] : []));

describe('the stock of all channels', () => {
  it('is taken by sales on line and in stores, and filled by deliveries', async () => {
    expect(
      await take(
        { from: 'online_orders', quantity: 2 },
        { from: 'store_sales', quantity: 1 },
        { from: 'supplier_restocks', quantity: 10 },
      ),
    ).toEqual(['handled', 'handled', 'handled']);
    expect(onHand()).toBe(12);
    expect(folder.movements.map(({ cause, delta, onHand: left }) => [cause, delta, left])).toEqual([
      ['sale', -2, 3],
      ['sale', -1, 2],
      ['restock', 10, 12],
    ]);
  });

  it('is said to have changed by what, and which way', async () => {
    expect(
      await decided({ from: 'online_orders', quantity: 2 }, { from: 'supplier_restocks', quantity: 10 }),
    ).toMatchObject([{ detail: 'pen -2 by a sale' }, { detail: 'pen +10 by a delivery' }]);
  });

  it('refuses an order on line that is too large, for good, and alerts once', async () => {
    const large = { from: 'online_orders', event_id: 'big', quantity: 6, order_id: 'W-1' } as const;
    expect(await take(large, { from: 'online_orders', quantity: 7 })).toEqual(['rejected', 'rejected']);
    expect(onHand()).toBe(5);
    expect(sent(ALERT.name)).toMatchObject([
      {
        kind: 'insufficient_stock',
        order_id: 'W-1',
        message: 'Online order W-1 was refused: it wants 6 of Product pen, with only 5 items left',
      },
    ]);
    expect(sent(INVENTORY_UPDATE.name)[0]).toMatchObject({
      event_id: 'big',
      outcome: 'rejected',
      reason: 'insufficient_stock',
      delta: 0,
      on_hand: 5,
    });
    await take({ from: 'supplier_restocks', quantity: 10 });
    expect(await take(large)).toEqual(['seen']);
    expect(onHand()).toBe(15);
  });

  it('counts a sale in a store below zero, and a delivery brings the product back', async () => {
    await take({ from: 'store_sales', quantity: 8 });
    expect(onHand()).toBe(-3);
    expect(sent(ALERT.name).map(({ kind }) => kind)).toContain('oversold');
    expect(await take({ from: 'online_orders' })).toEqual(['rejected']);
    await take({ from: 'supplier_restocks', quantity: 4 });
    expect(await take({ from: 'online_orders' })).toEqual(['handled']);
    expect(onHand()).toBe(0);
    const updates = sent(INVENTORY_UPDATE.name);
    expect(updates.map(({ revision, on_hand }) => [revision, on_hand])).toEqual([
      [1, -3],
      [1, -3],
      [2, 1],
      [3, 0],
    ]);
  });
});

describe('an event', () => {
  it('counts once, whatever comes with its id', async () => {
    const sale = { from: 'store_sales', event_id: 'one', quantity: 2 } as const;
    expect(await take(sale, sale)).toEqual(['handled', 'seen']);
    expect(await take(sale, { ...sale, quantity: 3 }, { ...sale, from: 'online_orders' })).toEqual([
      'seen',
      'conflict',
      'conflict',
    ]);
    expect(onHand()).toBe(3);
  });

  it('is logged with its bytes, its status and when', async () => {
    await take({ from: 'store_sales', event_id: 'one', store_id: 'S-1', unit_price: '2.50' });
    const [fact] = folder.factsOf(EVENTS_LOG, 'one');
    expect(fact).toMatchObject({
      source: 'store_sales',
      product_id: 'pen',
      quantity: 1,
      unit_price: '2.50',
      store_id: 'S-1',
      status: 'applied',
      reason: null,
      delta: -1,
      on_hand: 4,
      raw: 'e30=',
      topic: 'store_sales',
      occurred_at: '1970-01-01T00:00:00.000Z',
    });
  });

  it.each([
    ['of a product that does not exist', { product_id: 'ink' }, 'unknown_product'],
    ['of nothing', { quantity: 0 }, 'invalid_quantity'],
    ['of less than nothing', { quantity: -2 }, 'invalid_quantity'],
    ['without an id', { event_id: '' }, 'invalid_field'],
    ['whose id is not text', { event_id: 'a\u0000b' }, 'invalid_field'],
    ['whose id is too long', { event_id: 'x'.repeat(257) }, 'invalid_field'],
  ])('%s is a dead letter, and counts when it comes again as it should be', async (_, wrong, code) => {
    for (const from of STOCK_SOURCES) {
      const event = { from, event_id: `e-${from}`, ...wrong };
      expect(await take(event)).toEqual([code]);
      expect(folder.factsOf(EVENTS_LOG, event.event_id)).toEqual([]);
    }
    put({ ink: 5 });
    expect(await take({ from: 'store_sales', ...wrong, event_id: 'e-store_sales', quantity: 1 })).toEqual([
      'handled',
    ]);
  });

  it('that stock has no room for is a dead letter', async () => {
    put({ pen: Number.MAX_SAFE_INTEGER });
    expect(await take({ from: 'supplier_restocks' })).toEqual(['invalid_quantity']);
  });
});

it('whatever comes, doubled and in any batches: stock is what was put in and delivered less what was sold', async () => {
  const event = fc.record({
    from: fc.constantFrom(...STOCK_SOURCES),
    event_id: fc.integer({ min: 1, max: 12 }).map((n) => `e${n}`),
    product_id: fc.constantFrom('pen', 'ink', 'none'),
    quantity: fc.integer({ min: -1, max: 9 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(event, { maxLength: 6 }), { maxLength: 6 }), async (batches) => {
      folder = new ModelFolder(new FakeClock());
      put({ pen: 5, ink: 3 });
      const expected = new Map([
        ['pen', 5],
        ['ink', 3],
      ]);
      const counted = new Set<string>();
      for (const batch of batches) {
        await take(...batch);
        for (const { from, event_id, product_id, quantity } of batch) {
          const left = expected.get(product_id);
          if (counted.has(event_id) || left === undefined || quantity < 1) continue;
          counted.add(event_id);
          if (from === 'online_orders' && quantity > left) continue;
          expected.set(product_id, left + (from === 'supplier_restocks' ? quantity : -quantity));
        }
      }
      for (const [item, quantity] of expected) expect(onHand(item)).toBe(quantity);
    }),
    { numRuns: 60 },
  );
});
