import { expect, it } from 'vitest';
import { sampleEvents } from '../../src/app/send/sources.ts';
import { seededRandom } from '../../src/app/send/produce.ts';
import type { Item } from '../../src/domain/tables.ts';

const ITEMS: readonly Item[] = ['pen', 'ink', 'book'].map((item) => ({
  ...{ item, quantity: 0, name: null, price: null, reorderLevel: null, extra: {} },
}));

it('sample events of all sources deliver about what they sell: stores do not sell far more than there is', () => {
  let id = 0;
  const events = sampleEvents(ITEMS, {
    ...{ sources: ['online', 'store', 'supplier'], suppliers: [], count: 2_000, faulty: 0, now: () => 0 },
    ...{ random: seededRandom(7), newId: () => `E-${id++}` },
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
