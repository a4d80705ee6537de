import { expect, it } from 'vitest';
import { StockBooks } from '../../src/app/audit/stock.ts';
import type { Difference } from '../../src/domain/difference.ts';
import type { Item } from '../../src/domain/tables.ts';

function item(name: string, quantity: number): Item {
  return { item: name, quantity, name: null, price: null, reorderLevel: null, extra: {} };
}

it('where a row stands is looked up for what differs alone: to look for each would take the square of their number', () => {
  const found: Difference[] = [];
  const books = new StockBooks((difference) => found.push(difference));
  for (const name of ['book', 'pen']) {
    const after = item(name, 5);
    books.edit(
      { kind: 'item', item: name, before: null, after, at: 0, by: 'a', via: 'file' },
      'edits.jsonl:1',
    );
  }
  const asked: string[] = [];
  books.close([item('book', 5), item('pen', 4)], (name) => {
    asked.push(name);
    return 'inventory.csv:3';
  });
  expect(asked).toEqual(['pen']);
  expect(found).toMatchObject([{ kind: 'stock_mismatch', where: 'inventory.csv:3', item: 'pen' }]);
});

it('compares every detail of a row with what its last edit made of it', () => {
  const full: Item = { ...item('book', 5), name: 'A book', price: '12.50', reorderLevel: 3 };
  const differencesOf = (row: Item): Difference[] => {
    const found: Difference[] = [];
    const books = new StockBooks((difference) => found.push(difference));
    const edit = {
      kind: 'item',
      item: 'book',
      before: null,
      after: full,
      at: 0,
      by: 'a',
      via: 'file',
    } as const;
    books.edit(edit, 'edits.jsonl:1');
    books.close([row], () => 'inventory.csv:2');
    return found;
  };
  expect(differencesOf(full)).toEqual([]);
  const changes: Partial<Item>[] = [
    { name: null },
    { price: '12.51' },
    { reorderLevel: 2 },
    { reorderLevel: null },
  ];
  for (const change of changes) {
    const [only, ...more] = differencesOf({ ...full, ...change });
    expect(more, JSON.stringify(change)).toEqual([]);
    expect(only, JSON.stringify(change)).toMatchObject({
      kind: 'item_mismatch',
      where: 'inventory.csv:2',
      item: 'book',
    });
  }
});
