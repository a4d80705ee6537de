import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { failureOf, openShop, type Shop } from '../support/cli.ts';
import { decideRecords, ownFolder, recordOf } from '../support/decided.ts';

async function decidedShop(): Promise<Shop> {
  const shop = openShop();
  shop.write('users.csv', 'user,status\nalice,paid\n');
  shop.write('inventory.csv', 'item,quantity\npen,50\n');
  await using store = await ownFolder(shop.storage);
  await decideRecords(store, [
    recordOf('orders', 0, 'ORD-1', 'alice', { pen: 2 }),
    recordOf('orders', 1, 'ORD-2', 'bob', { pen: 1 }),
  ]);
  return shop;
}

it('tells that the books balance', async () => {
  const shop = await decidedShop();
  expect(await shop.json('audit')).toEqual({
    ok: true,
    as_of: null,
    checked: {
      items: 1,
      orders: 1,
      rejections: 1,
      records: null,
      users: 1,
      edits: 2,
      checkout_orders: 0,
      unfinished_orders: 0,
      movements: 0,
      facts: 0,
    },
    skips: [],
    differences_total: 0,
    differences: [],
    repaired: [],
    records: null,
    checkout_records: null,
    in_flight: null,
    unfinished: [],
    unsent: 0,
    unsent_by_destination: {},
    undelivered: 0,
    notes: [],
    effects: { owed: 0, parked: 0 },
  });
  const { stdout, stderr } = await shop.ok('audit');
  expect(stdout).toBe('compared 1 item, 1 user, 1 accepted order, 1 rejection, 2 edits\nthe books balance\n');
  expect(stderr).toBe('');
});

it('ends with 6 and the first differences; --repair rebuilds views and says which', async () => {
  const shop = await decidedShop();
  const inner = path.join(shop.storage, '.orderctl');
  const [run = ''] = fs.readdirSync(inner).filter((name) => /^ids\.\d+$/.test(name));
  fs.rmSync(path.join(inner, run));
  const result = await shop.run('audit -o json');
  expect(result.code).toBe(6);
  expect(JSON.parse(result.stdout)).toMatchObject({
    ok: false,
    differences_total: 1,
    differences: [
      { kind: 'index_damaged', item: null, order_id: null, where: `.orderctl/${run}`, fix: null },
    ],
  });
  expect(failureOf(result)).toMatchObject({ code: 'audit_mismatch', exit_code: 6 });
  expect(failureOf(result).fix).toContain('orderctl audit --repair');
  expect((await shop.run('audit')).stdout).toMatch(/^index_damaged: .*\n1 difference\n$/m);

  const store = await ownFolder(shop.storage);
  const inUse = await shop.run('audit --repair -o json');
  expect(inUse).toMatchObject({ code: 4, stdout: '' });
  expect(failureOf(inUse)).toMatchObject({ code: 'folder_in_use' });
  await store[Symbol.asyncDispose]();

  fs.rmSync(path.join(shop.storage, 'inventory.csv'));
  const repaired = await shop.json('audit --repair');
  expect(repaired).toMatchObject({ ok: true, differences_total: 0 });
  expect(shop.stock()).toEqual({ pen: 48 });
  expect((await shop.ok('audit')).stdout).toContain('the books balance');
});

it('says how to restore what is the truth and damaged', async () => {
  const shop = await decidedShop();
  shop.write('orders.jsonl', shop.read('orders.jsonl').replace('"quantity":2', '"quantity":1'));
  for (const args of ['audit', 'audit --repair']) {
    const result = await shop.run(args);
    expect(result.code).toBe(6);
    expect(result.stderr).toContain('restore orders.jsonl as it was, or the whole folder from a backup');
  }
});

it.each([
  ['audit', 'now'],
  ['audit', '--topics'],
])('refuses %s %s', async (...args) => {
  expect(await openShop().run(args)).toMatchObject({ code: 2, stdout: '' });
});
