import { expect, test } from 'vitest';
import { parseLines, penShop } from '../support/cli.ts';

test('an order by --item pen=2, several times under ids of their own, and one under a given id', async () => {
  const shop = penShop();
  const three = await shop.lines('produce --user alice --item pen=2 --item book --quantity 1 --count 3');
  const items = [
    { item: 'pen', quantity: 2 },
    { item: 'book', quantity: 1 },
  ];
  expect(three.slice(0, 3)).toMatchObject([{ items }, { items }, { items }]);
  expect(new Set(three.slice(0, 3).map(({ order_id: id }) => id)).size).toBe(3);
  expect(three.at(-1)).toMatchObject({ type: 'summary', sent: 3 });
  const [named] = await shop.lines('produce --user alice --item pen=1 --order-id K-1');
  expect(named).toMatchObject({ order_id: 'K-1', items: [{ item: 'pen', quantity: 1 }] });
  const [summary] = await shop.lines('consume --until-end --reset-to 1h');
  expect(summary).toMatchObject({ read: 4, accepted: 1, rejected: 3 });
});

test('--rate keeps to so many a second, and --delay takes a unit', async () => {
  const shop = penShop();
  const from = performance.now();
  const { stdout } = await shop.ok('produce --count 41 --rate 40 -o json');
  expect(parseLines(stdout).at(-1)).toMatchObject({ sent: 41 });
  // The last is due a second after the first.
  expect(performance.now() - from).toBeGreaterThan(1_000);
  await shop.ok('produce --count 2 --delay 100ms');
});
