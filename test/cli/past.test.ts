import { expect, it } from 'vitest';
import { failureOf, openShop, type Shop } from '../support/cli.ts';
import { expectValidated } from '../support/documents.ts';
import { decideRecords, ownFolder, recordOf } from '../support/decided.ts';

/** Two pens were sold, then the user added books by hand, and bob paid. */
async function shopWithPast(): Promise<Shop> {
  const shop = openShop();
  shop.write('users.csv', 'user,status\nalice,paid\nbob,unpaid\n');
  shop.write('inventory.csv', 'item,quantity,reorder_level\npen,50,49\n');
  {
    await using store = await ownFolder(shop.storage);
    await decideRecords(store, [recordOf('orders', 0, 'ORD-1', 'alice', { pen: 2 })]);
  }
  shop.write('inventory.csv', 'item,quantity,reorder_level\npen,48,49\nbook,7,\n');
  await shop.ok('user update bob --status paid');
  return shop;
}

it('--at shows stock and users as they were, hand edits and sales included', async () => {
  const shop = await shopWithPast();
  const [sold] = shop.jsonl('orders.jsonl');
  const [seq, at] = [Number(sold?.seq), String(sold?.accepted_at)];
  const now = await shop.ok('inventory show');
  expect(now.stdout).toContain('book');
  const then = await shop.ok(`inventory show --at ${seq}`);
  expect(then.stdout).toMatch(/^pen +48 +49 +low$/m);
  expect(then.stdout).not.toContain('book');
  expect(then.stderr).toBe(`as it was after commit ${seq}, at ${at}\n`);
  expect(await shop.json(`inventory show --at ${at}`)).toMatchObject({
    items: [{ item: 'pen', quantity: 48 }],
  });
  expect(await shop.json(`inventory show --at ${seq - 1}`)).toMatchObject({ items: [{ quantity: 50 }] });
  expect((await shop.ok(`inventory show --low --at ${seq - 1}`)).stderr).toContain('no item was at or below');
  const users = [{ user: 'bob', status: 'unpaid' }];
  expect(await shop.json(`user show bob --at ${seq}`)).toMatchObject({ users });
  expect(await shop.json('user show bob --at 0s')).toMatchObject({ users: [{ status: 'paid' }] });
});

it('order list --at lists what was decided by then', async () => {
  const shop = await shopWithPast();
  {
    await using store = await ownFolder(shop.storage);
    for (const [at, id] of ['ORD-2', 'ORD-3', 'ORD-4'].entries()) {
      await decideRecords(store, [recordOf('orders', at + 1, id, 'bob', { pen: 1 })]);
    }
  }
  const seqs = shop.jsonl('orders.jsonl').map(({ seq }) => Number(seq));
  const at = `--at ${seqs[2] ?? 0}`;
  const listed = async (flags: string): Promise<string[]> =>
    (await shop.lines(`order list ${flags}`)).map(({ order_id }) => order_id);
  expect(await listed(at)).toEqual(['ORD-1', 'ORD-2', 'ORD-3']);
  expect(await listed(`${at} --limit 2`)).toEqual(['ORD-2', 'ORD-3']);
  expect(await listed(`${at} --limit 2 --reverse`)).toEqual(['ORD-3', 'ORD-2']);
  expect(await listed(`${at} --user bob --limit 1`)).toEqual(['ORD-3']);
  const table = await shop.ok(`order list ${at} --limit 1`);
  expect(table.stdout).toContain(' ORD-3 ');
  expect(table.stdout).not.toContain('ORD-2');
  expect(table.stderr).toContain('2 earlier orders are not listed');
  expect(table.stderr).toContain(`as it was after commit ${seqs[2] ?? 0}`);
  for (const flags of ['--follow', '--reverse -o json']) {
    expect(await shop.run(`order list ${at} ${flags}`), flags).toMatchObject({ code: 2 });
  }
});

it('--at of what is not known says so', async () => {
  const shop = await shopWithPast();
  for (const [at, code, message] of [
    ['1d', 3, 'history starts at '],
    ['999', 3, 'there is no commit 999 in the logs: the last commit with changes is '],
    ['2999-01-01', 2, '--at: "2999-01-01" is not a time in the past'],
    ['0', 2, '--at: "0" is not a whole number from 1 up'],
    ['soon', 2, '--at: "soon" is not a time'],
  ] as const) {
    const result = await shop.run(`inventory show --at ${at} -o json`);
    expect(result, at).toMatchObject({ code, stdout: '' });
    expect(failureOf(result).message).toContain(message);
  }
  const result = await shop.run('user show carol --at 0s');
  expect(result).toMatchObject({ code: 3 });
  expect(result.stderr).toContain('user carol did not exist');
});

it('what-if decides history again, changes nothing, and says what it cannot read', async () => {
  const shop = await shopWithPast();
  {
    await using store = await ownFolder(shop.storage);
    await decideRecords(store, [recordOf('orders', 1, 'ORD-2', 'carol', { pen: 40 })]);
    await decideRecords(store, [recordOf('orders', 2, 'ORD-3', 'bob', { pen: 10 })]);
  }
  const before = shop.read('inventory.csv');
  const same = await shop.ok('what-if');
  expect(same.stdout).toMatch(/^nothing would be different: 3 orders, up to commit \d+\n$/);
  const found = await shop.json('what-if --stock pen=11 --price pen=2 --status carol=unpaid');
  expect(found).toMatchObject({
    circumstances: { stock: { pen: 11 }, price: { pen: '2.00' }, status: { carol: 'unpaid' } },
    decided: 3,
    accepted_instead: 0,
    rejected_instead: 1,
    not_sent: 0,
    rejected_otherwise: 1,
    unknown: 0,
    orders: [{ order_id: 'ORD-3', was: 'accepted', would_be: 'rejected' }],
    items: [{ item: 'pen', quantity: { was: 38, would_be: 9 }, sold_out_at: { was: null, would_be: null } }],
    revenue: { was: '0.00', would_be: '4.00' },
    units_without_price: { was: 12, would_be: 0 },
  });
  const text = (await shop.ok('what-if --stock pen=11')).stdout;
  expect(text).toMatch(
    /^of 3 orders, up to commit \d+, 0 would be accepted instead, 1 rejected instead, 0 not sent\n/,
  );
  expect(text).toContain('item pen has 9 on hand, 10 wanted');
  const [sold] = shop.jsonl('orders.jsonl');
  expect(await shop.json(`what-if --stock pen=1 --until ${Number(sold?.seq)}`)).toMatchObject({
    decided: 1,
    until: { seq: sold?.seq, at: sold?.accepted_at },
  });
  expect(shop.read('inventory.csv')).toBe(before);
  for (const [flags, message] of [
    ['--stock pen', '--stock: "pen" has no "="'],
    ['--stock pen=-1', '--stock: "-1" is not a whole number'],
    ['--stock pen=1 --stock pen=2', '--stock has pen twice'],
    ['--price pen=free', '--price: "free" is not a price'],
    ['--status bob=rich', '--status: "rich" is not a status'],
    ['--until 2999-01-01', '--until: "2999-01-01" is not a time in the past'],
  ] as const) {
    const result = await shop.run(`what-if ${flags} -o json`);
    expect(result, flags).toMatchObject({ code: 2, stdout: '' });
    expect(failureOf(result).message).toContain(message);
  }
  expect(await shop.run('what-if --until 999')).toMatchObject({ code: 3 });
  expectValidated('what-if');
});
