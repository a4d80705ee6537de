import { expect, it } from 'vitest';
import type { HourlySales } from '../../src/documents/reports/analytics.ts';
import { failureOf, openShop, type Shop } from '../support/cli.ts';
import { decideRecords, ownFolder, recordOf, type DecidedRecord } from '../support/decided.ts';

async function shopWithSales(): Promise<Shop> {
  const shop = openShop();
  shop.write('users.csv', 'user,status\nalice,paid\nbob,unpaid\n');
  shop.write('inventory.csv', 'item,quantity\npen,50\nbook,7\n');
  await using store = await ownFolder(shop.storage);
  await decideRecords(store, [
    placed(0, 'ORD-1', 'alice', { pen: 2 }, '1.25'),
    placed(1, 'ORD-2', 'alice', { pen: 1, book: 3 }, '10.00'),
    placed(2, 'ORD-3', 'bob', { pen: 1 }, null),
    placed(3, 'ORD-4', 'alice', { book: 1 }, null),
    placed(4, 'ORD-5', 'alice', { pen: 4 }, '100.00', 30),
  ]);
  return shop;
}

function placed(
  offset: number,
  id: string,
  user: string,
  items: Readonly<Record<string, number>>,
  unitPrice: string | null,
  hoursAgo = 0,
): DecidedRecord {
  const { order, record } = recordOf('orders', offset, id, user, items);
  const lines = order.items.map((line) => ({ ...line, unitPrice }));
  return { record, order: { ...order, items: lines, createdAt: Date.now() - hoursAgo * 3_600_000 } };
}

async function hourly(shop: Shop, command: string): Promise<HourlySales> {
  return JSON.parse((await shop.ok(`${command} -o json`)).stdout) as HourlySales;
}

it('analytics show adds up the orders of each hour, in the hour in which they were placed', async () => {
  const shop = await shopWithSales();
  const { windows, total } = await hourly(shop, 'analytics show');
  expect(windows).toHaveLength(24);
  expect(total).toMatchObject({
    order_count: 4,
    completed: 3,
    rejected: 1,
    open: 0,
    late: 0,
    unpriced_lines: 1,
    total_revenue: '42.50',
    avg_order_value: '14.17',
    reasons: { user_not_paid: 1 },
  });
  const sum = windows.reduce((orders, window) => orders + window.order_count, 0);
  expect(sum).toBe(4);
  const older = await hourly(shop, 'analytics show --hours 48');
  expect(older.total).toMatchObject({ order_count: 5, total_revenue: '442.50', late: 1 });
  const table = await shop.ok('analytics show');
  expect(table.stdout).toMatch(/^HOUR +ORDERS +COMPLETED/);
  expect(table.stdout).toMatch(/^all +4 +3 +1 +0 +0 +0 +0 +42\.50 +14\.17$/m);
  expect(table.stderr).toBe('1 sold line has no price, and adds nothing to the revenue\n');
  const csv = await shop.ok('analytics show -o csv');
  expect(csv.stdout.split('\n').filter((line) => line.includes(',4,42.50,14.17,3,1,'))).toHaveLength(1);
});

it('analytics top lists what sold most, by revenue', async () => {
  const shop = await shopWithSales();
  const all = await shop.json('analytics top');
  expect(all).toEqual({
    from: null,
    until: null,
    products: [
      { product_id: 'pen', total_quantity: 7, total_revenue: '412.50' },
      { product_id: 'book', total_quantity: 4, total_revenue: '30.00' },
    ],
  });
  expect(await shop.json('analytics top --hours 24 --limit 1')).toMatchObject({
    products: [{ product_id: 'book', total_quantity: 4, total_revenue: '30.00' }],
  });
  const text = await shop.ok('analytics top');
  expect(text.stdout).toMatch(/^pen +7 +412\.50$/m);
  expect(text.stderr).toBe('1 sold line has no price, and adds nothing to the revenue\n');
});

it('analytics show and top take --since and --until', async () => {
  const shop = await shopWithSales();
  const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
  // Hours count as a whole.
  const old = await hourly(shop, `analytics show --since ${ago(31)} --until ${ago(28)}`);
  expect([old.windows.length, old.total.total_revenue]).toEqual([4, '400.00']);
  expect((await hourly(shop, `analytics show --until ${ago(2)}`)).total.order_count).toBe(0);
  expect((await hourly(shop, `analytics show --since ${ago(47)}`)).total.order_count).toBe(5);
  const top = `analytics top --since ${ago(31)} --until ${ago(29)}`;
  expect(await shop.json(top)).toMatchObject({
    products: [{ product_id: 'pen', total_quantity: 4, total_revenue: '400.00' }],
  });
  expect(await shop.json(`analytics top --until ${ago(31)}`)).toMatchObject({ from: null, products: [] });
  const both = await shop.run('analytics top --hours 2 --since 1h -o json');
  expect([both.code, failureOf(both).code]).toEqual([2, 'usage']);
  expect(failureOf(await shop.run('analytics show --since 2020-01-01 -o json'))).toMatchObject({
    code: 'invalid_value',
    message: '--since is more than a year ago',
  });
  const apart = await shop.run('analytics show --since 2020-01-01 --until 2022-01-01 -o json');
  expect(failureOf(apart).message).toBe('--since and --until are more than a year apart');
  for (const range of ['--since 2999-12-05', '--until 2999-12-05']) {
    expect((await shop.ok(`analytics show ${range}`)).stderr).toBe('no order was placed then\n');
  }
});

it('says so where there is nothing to add up, and refuses hours that are none', async () => {
  const shop = openShop();
  await shop.ok('user add alice --status paid');
  expect((await shop.ok('analytics show')).stderr).toBe('no order was placed in the last 24 hours\n');
  expect((await shop.ok('analytics top')).stderr).toBe('nothing was sold yet\n');
  expect(failureOf(await shop.run('analytics show --hours 0 -o json')).code).toBe('invalid_value');
});
