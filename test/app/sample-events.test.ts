import { expect, it } from 'vitest';
import { restocking } from '../../src/app/send/restock.ts';
import { delivery, sampleEvents } from '../../src/app/send/sources.ts';
import { seededRandom } from '../../src/app/send/produce.ts';
import type { Item } from '../../src/domain/tables.ts';

const ITEMS: readonly Item[] = ['pen', 'ink', 'book'].map((item) => ({
  item,
  quantity: 0,
  name: null,
  price: null,
  reorderLevel: null,
  extra: {},
}));

it('sample events of all sources deliver about what they sell: stores do not sell far more than there is', () => {
  let id = 0;
  const events = sampleEvents(ITEMS, {
    sources: ['online', 'store', 'supplier'],
    suppliers: [],
    count: 2_000,
    faulty: 0,
    now: () => 0,
    random: seededRandom(7),
    newId: () => `E-${id++}`,
  });
  const left = new Map<string, number>();
  let least = 0;
  for (const { source, fields } of events) {
    const now = (left.get(fields.product_id) ?? 0) + (source === 'supplier' ? 1 : -1) * fields.quantity;
    left.set(fields.product_id, now);
    least = Math.min(least, now);
  }
  expect(id).toBe(2_000);
  expect(least).toBeGreaterThanOrEqual(-10);
});

it('suppliers deliver what was there at first and is low, up to that, and again only where it was not counted', async () => {
  const options = {
    sources: ['store', 'supplier'] as const,
    suppliers: ['ACME'],
    count: null,
    faulty: 0,
    now: () => 0,
    random: seededRandom(7),
    newId: () => 'sample',
  };
  const first = ITEMS.map((item) => ({ ...item, quantity: item.item === 'pen' ? 500 : 50 }));
  const onHand = new Map<string, number>(Object.entries({ pen: 20, ink: 21, book: -3 }));
  let time = 0;
  let looks = 0;
  const events = restocking(sampleEvents(first, options), {
    first,
    lowStock: 20,
    clock: { elapsed: () => time },
    read: async () => {
      looks += 1;
      const added = ITEMS.slice(0, 1).map((item) => ({ ...item, item: 'the last one' }));
      return [...added, ...first].map((item) => ({ ...item, quantity: onHand.get(item.item) ?? 0 }));
    },
    deliver: (item, quantity) => delivery(item, quantity, { ...options, newId: () => 'low' }),
  });
  const delivered: string[] = [];
  for await (const { source, fields } of events) {
    time += 100;
    if (time > 6_000) break;
    if (time === 3_000) onHand.set('pen', 20);
    if (fields.event_id !== 'low') continue;
    const { product_id, quantity, supplier_id } = fields;
    expect([source, supplier_id]).toEqual(['supplier', 'ACME']);
    delivered.push(`${product_id} ${quantity}`);
    if (product_id === 'pen') onHand.set('pen', 500);
  }
  expect(delivered).toEqual(['pen 480', 'book 203', 'pen 480', 'book 203']);
  expect(looks).toBe(7);
});
