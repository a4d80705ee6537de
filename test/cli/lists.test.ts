import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOf, openShop, type Shop } from '../support/cli.ts';
import { decideRecords, ownFolder, recordOf } from '../support/decided.ts';

function list(shop: Shop, name: string, text: string): string {
  const file = path.join(shop.folder, name);
  fs.writeFileSync(file, text);
  return file;
}

describe('import', () => {
  it('shows what it would do, then does it, and makes the folder', async () => {
    const shop = openShop();
    const file = list(shop, 'list.csv', 'Item;Quantity;Price\r\npen;50;"1,20"\r\nbook;10;12,5\r\n');
    const dry = await shop.json(['inventory', 'import', file, '--dry-run']);
    expect(dry).toMatchObject({ dry_run: true, added: 2, changed: 0, removed: 0, unchanged: 0 });
    const { stdout, stderr } = await shop.ok(['inventory', 'import', file, '--dry-run']);
    expect(stdout).toMatch(/^(item \w+ would be added \(.*\)\n){2}$/);
    expect(stderr).toContain('inventory.csv: 2 would be added, 0 changed, 0 removed\nnothing changed;');
    expect(fs.existsSync(shop.storage)).toBe(false);
    const done = await shop.json(['inventory', 'import', file, '--why', 'first list']);
    expect(done).toMatchObject({ ...dry, dry_run: false });
    expect(shop.read('inventory.csv')).toBe('item,quantity,price\npen,50,1.20\nbook,10,12.50\n');
    expect((await shop.ok(['inventory', 'import', file])).stderr).toBe('nothing changed\n');
    const less = list(shop, 'less.csv', 'item\npen\n');
    expect(await shop.json(['inventory', 'import', less, '--replace'])).toMatchObject({
      removed: 1,
      unchanged: 1,
    });
    expect(
      fs.readdirSync(path.join(shop.storage, '.orderctl')).filter((name) => name.startsWith('edit-')),
    ).toEqual([]);
  });

  it('takes columns under the names that another program gives them', async () => {
    const shop = openShop();
    const file = list(shop, 'export.csv', 'SKU,On hand,Item\npen,50,a blue pen\n');
    const columns = ['--column', 'item=SKU', '--column', 'quantity=on hand', '--column', 'name=Item'];
    expect(await shop.json(['inventory', 'import', file, ...columns])).toMatchObject({ added: 1 });
    expect(shop.read('inventory.csv')).toBe('item,quantity,name\npen,50,a blue pen\n');
    const of = async (...words: string[]): Promise<unknown> =>
      failureOf(await shop.run(['inventory', 'import', file, ...words, '-o', 'json']));
    expect(await of('--column', 'item=EAN')).toMatchObject({ code: 'invalid_input', file, line: 1 });
    expect(await of('--column', 'colour=SKU')).toMatchObject({ code: 'invalid_value' });
    expect(await of('--column', 'item')).toMatchObject({ code: 'invalid_value' });
    expect(await of('--column', 'item=SKU', '--column', 'name=SKU')).toMatchObject({ code: 'invalid_value' });
    // A column that has our name by chance is another; what is ours under no name of ours is kept as it is.
    await shop.ok(['inventory', 'import', file, '--column', 'item=SKU']);
    expect(shop.read('inventory.csv')).toBe('item,quantity,name,On hand\npen,50,a blue pen,50\n');
  });

  it('takes the address that mails go to, whatever the list calls it', async () => {
    const shop = openShop();
    const file = list(shop, 'people.csv', 'Customer,Paid,E-Mail\nalice,paid,alice@example.org\n');
    const columns = ['user=Customer', 'status=Paid', 'email=E-Mail'].flatMap((one) => ['--column', one]);
    await shop.ok(['user', 'import', file, ...columns]);
    expect(shop.read('users.csv')).toBe('user,status,email\nalice,paid,alice@example.org\n');
  });

  it('says by an example of the same table how a column is called otherwise', async () => {
    const shop = openShop();
    const hintOf = async (table: string, ...words: string[]): Promise<unknown> =>
      failureOf(await shop.run([table, 'import', list(shop, 'x.csv', 'a,b\n1,2\n'), ...words, '-o', 'json']))
        .fix;
    for (const [table, example] of [
      ['user', '--column user=Login'],
      ['inventory', '--column item=SKU'],
    ] as const) {
      expect(await hintOf(table)).toContain(example);
      expect(await hintOf(table, '--column', 'colour=a')).toContain(example);
    }
  });

  it('changes nothing where a row is wrong, and names it', async () => {
    const shop = openShop();
    const file = list(shop, 'users.csv', 'user,status\nalice,paid\nbob,maybe\nc d,paid\n');
    const result = await shop.run(['user', 'import', file, '-o', 'json']);
    expect(result).toMatchObject({ code: 6, stdout: '' });
    expect(failureOf(result)).toMatchObject({ code: 'invalid_input', file, line: 3 });
    expect(result.stderr).toContain(`${file}:4: `);
    expect(shop.read('users.csv')).toBe('');
    expect(await shop.run('user import nowhere.csv')).toMatchObject({ code: 3 });
  });
});

it('edits beside an owner are logged with their reason, and taken back with the sales kept', async () => {
  const shop = openShop();
  shop.write('users.csv', 'user,status\nalice,paid\n');
  await shop.ok('inventory add pen --quantity 50');
  await using store = await ownFolder(shop.storage);
  const file = list(shop, 'prices.csv', 'item,price,quantity\npen,1.50,60\ncup,2,5\n');
  await shop.ok(['inventory', 'import', file, '--why', 'new prices']);
  await decideRecords(store, [recordOf('orders', 0, 'ORD-1', 'alice', { pen: 7 })]);
  await shop.ok(['inventory', 'update', 'pen', '--by', '-3', '--why', 'three were broken']);
  const { edits } = (await shop.json('inventory log')) as unknown as { edits: Record<string, unknown>[] };
  expect(edits.map(({ via, why, item, sold_before: sold }) => [via, why, item, sold])).toEqual([
    ['command', null, 'pen', null],
    ['import', 'new prices', 'pen', 0],
    ['import', 'new prices', 'cup', null],
    ['command', 'three were broken', 'pen', 7],
  ]);
  const [, imported] = edits;
  const number = String(imported?.edit);
  expect(edits[2]?.edit).toBe(imported?.edit);
  const text = await shop.ok('inventory log pen');
  expect(text.stdout).toMatch(/pen +7 +quantity 53 → 50 +command +\S+ +three were broken\n$/);
  expect(text.stdout).not.toContain('cup');

  expect(await shop.json(['inventory', 'undo', '--edit', number])).toMatchObject({ changed: 1, removed: 1 });
  expect((await shop.json('inventory show')).items).toMatchObject([
    { item: 'pen', quantity: 40, price: null },
  ]);
  const again = await shop.run(['inventory', 'undo', '--edit', number, '-o', 'json']);
  expect(again.code).toBe(4);
  expect(failureOf(again)).toMatchObject({ code: 'changed_since' });
  // What changed nothing is not meant; the last one is the undo: taken back, all is as before.
  await shop.ok('inventory update pen --by 0');
  const back = await shop.ok('inventory undo');
  expect(back.stderr).toMatch(
    new RegExp(`undid edit \\d+, which had undone edit ${number}: edit ${number} applies again\n$`),
  );
  expect((await shop.json('inventory show')).items).toMatchObject([
    { item: 'pen', quantity: 50, price: '1.50' },
    { item: 'cup', quantity: 5 },
  ]);
  expect((await shop.run('inventory undo --edit 999')).code).toBe(3);
  expect((await shop.run(['inventory', 'update', 'pen', '--by', '1', '--why', ' '])).code).toBe(2);
});
