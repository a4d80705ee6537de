import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { failureOf, openShop, penShop } from '../support/cli.ts';
import { ownFolder, decideRecords, recordOf } from '../support/decided.ts';

it('every table of the files is printed as CSV', async () => {
  const shop = penShop();
  shop.write('users.csv', 'user,status,note\nalice,paid,=HYPERLINK(1)\nbob,unpaid,"a, b"\n');
  await shop.ok('inventory add --item book --quantity 3 --price 12.50 --reorder-level 5');
  expect((await shop.ok('user show -o csv')).stdout).toBe(
    'user,status,note\nalice,paid,\'=HYPERLINK(1)\nbob,unpaid,"a, b"\n',
  );
  expect((await shop.ok('inventory show -o csv')).stdout).toBe(
    'item,quantity,name,price,reorder_level,low\npen,50,,,,false\nbook,3,,12.50,5,true\n',
  );
  expect((await shop.ok('inventory show --low -o csv')).stdout).toBe(
    'item,quantity,name,price,reorder_level,low\nbook,3,,12.50,5,true\n',
  );
  {
    await using store = await ownFolder(shop.storage);
    const orders = [
      recordOf('orders', 0, 'A-1', 'alice', { pen: 1, book: 2 }),
      recordOf('orders', 1, 'A-2', 'bob', { pen: 1 }),
    ];
    await decideRecords(store, orders);
  }
  const orders = parse<Record<string, string>>((await shop.ok('order list -o csv')).stdout, {
    columns: true,
  });
  expect(orders).toMatchObject([
    { order_id: 'A-1', status: 'accepted', reason: '', items: 'pen×1, book×2', topic: 'orders', offset: '0' },
    { order_id: 'A-2', status: 'rejected', reason: 'user_not_paid', user_status: 'unpaid', offset: '1' },
  ]);
  const none = await shop.ok('order list --user carol -o csv');
  expect(none.stdout).toMatch(/^order_id,status,[\w,]+\n$/);
  const settings = parse<Record<string, string>>((await shop.ok('config show -o csv')).stdout, {
    columns: true,
  });
  expect(settings).toContainEqual({ name: 'output', value: 'csv', source: 'flag', from: "'--output" });
});

it('is refused where no table is printed, and left aside there when a setting asks for it', async () => {
  const shop = openShop();
  const flag = await shop.run('user add --user alice --status paid -o csv');
  expect(flag).toMatchObject({ code: 2, stdout: '' });
  expect(flag.stderr).toContain('-o csv is for commands that print a table; "orderctl user add" does not');
  const env = { ORDERCTL_OUTPUT: 'csv' };
  expect((await shop.ok('user add --user alice --status paid', { env })).stdout).toBe(
    'user alice added (paid)\n',
  );
  expect((await shop.ok('user show', { env })).stdout).toBe('user,status\nalice,paid\n');
  const missing = await shop.run('user show --user bob', { env });
  expect(missing).toMatchObject({ code: 3, stdout: '' });
  expect(failureOf(await shop.run('user show --user bob -o json', { env }))).toMatchObject({
    code: 'not_found',
  });
});
