import { expect } from 'vitest';
import type { InventoryEvent } from '../../../src/domain/messages/shop/inventory-event.ts';
import type { Sent } from './messages.ts';

/**
 * The revisions of each item are 1, 2, 3 …, each event starts where the previous one ended, and the last one is the
 * stock.
 */
export function expectUnbroken(
  onHand: Readonly<Record<string, number>>,
  events: readonly Sent<InventoryEvent>[],
  items: readonly string[],
): void {
  const stock: Record<string, number> = {};
  for (const item of items) {
    const sorted = events
      .filter(({ value }) => value.item === item)
      .sort((a, b) => a.value.revision - b.value.revision);
    expect(sorted.map(({ value }) => value.revision)).toEqual(sorted.map((_, at) => at + 1));
    const [first] = sorted;
    // Stock that existed before any run announced changes has no event of its own.
    let count = first === undefined ? 0 : first.value.on_hand - first.value.delta;
    for (const { value, key } of sorted) {
      count += value.delta;
      expect({ key, onHand: value.on_hand }).toEqual({ key: item, onHand: count });
    }
    stock[item] = count;
  }
  expect(onHand).toEqual(stock);
}
