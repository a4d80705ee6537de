import { expect, test } from 'vitest';
import { openShop, parseLines, penShop } from '../support/cli.ts';

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

test('what an order costs is filled in from the shop, so that report and analytics have the same revenue', async () => {
  const shop = openShop();
  shop.write('users.csv', 'user,status\nalice,paid\n');
  shop.write('inventory.csv', 'item,quantity,price\npen,50,1.25\nbook,9,\n');
  await shop.ok('produce --user alice --item pen=2');
  await shop.ok('consume --until-end');
  const [first] = shop.jsonl('orders.jsonl');
  expect(first).toMatchObject({ items: [{ item: 'pen', unit_price: '1.25' }] });
  const created_at = String(first?.created_at);
  const lines = [
    { created_at, user: 'alice', items: [{ item: 'pen', quantity: 1 }] },
    { created_at, user: 'alice', items: [{ item: 'pen', quantity: 1, unit_price: '10.00' }] },
    { created_at, user: 'alice', items: [{ item: 'book', quantity: 1 }] },
  ];
  await shop.ok('produce --file -', { input: lines.map((line) => JSON.stringify(line)).join('\n') });
  await shop.ok('consume --until-end');
  const { total } = await shop.json('analytics show');
  expect(total).toMatchObject({ order_count: 4, total_revenue: '13.75', unpriced_lines: 1 });
  const report = await shop.json(`report show --date ${created_at.slice(0, 10)} --time-zone UTC`);
  expect(report).toMatchObject({ order_count: 4, total_sales: '13.75', unpriced_lines: 1 });
  // Prices decide nothing: an order goes where they cannot be read as well.
  shop.write('.orderctl/state.json', '{');
  const { stderr } = await shop.ok('produce --user alice --item pen=2');
  expect(stderr).toContain('warning: orders are sent without prices: ');
});
