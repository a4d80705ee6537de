import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOf, openShop } from '../support/cli.ts';

describe('user', () => {
  it('is added, changed, shown and removed', async () => {
    const shop = openShop();
    expect(await shop.ok('user add --user alice --status paid')).toMatchObject({
      stdout: 'user alice added (paid)\n',
      stderr: '',
    });
    expect(await shop.json('user add --user bob --status unpaid')).toEqual({
      user: 'bob',
      before: null,
      after: { status: 'unpaid' },
    });
    expect((await shop.ok('user update --user bob --status paid')).stdout).toBe(
      'user bob updated: status unpaid → paid\n',
    );
    expect((await shop.ok('user show')).stdout).toBe('USER   STATUS\nalice  paid\nbob    paid\n');
    expect((await shop.ok('user show --user bob -o json')).stdout).toBe(
      '{"users":[{"user":"bob","status":"paid","extra":{}}]}\n',
    );
    expect(await shop.json('user remove --user bob --yes')).toEqual({
      user: 'bob',
      before: { status: 'paid' },
      after: null,
    });
    expect(shop.read('users.csv')).toBe('user,status\nalice,paid\n');
  });

  it('that exists is a conflict, one that does not is not found', async () => {
    const shop = openShop();
    await shop.ok('user add --user alice --status paid');
    const twice = await shop.run('user add --user alice --status unpaid -o json');
    expect(twice).toMatchObject({ code: 4, stdout: '' });
    expect(failureOf(twice)).toMatchObject({ type: 'error', code: 'already_exists', exit_code: 4 });
    for (const args of ['show --user x', 'update --user x --status paid', 'remove --user x --yes']) {
      const result = await shop.run(`user ${args} -o json`);
      expect(result).toMatchObject({ code: 3, stdout: '' });
      expect(failureOf(result)).toMatchObject({ code: 'not_found', message: 'user x does not exist' });
    }
    expect(shop.read('users.csv')).toBe('user,status\nalice,paid\n');
  });

  it.each([
    [['--user', '=1+1', '--status', 'paid'], '--user'],
    [['--user', '', '--status', 'paid'], '--user'],
    [['--user', 'al ice', '--status', 'paid'], '--user'],
    [['--user', 'alice', '--status', 'maybe'], '--status'],
    [['--user', 'alice'], '--status'],
    [['--status', 'paid'], '--user'],
  ])('refuses %j', async (args, named) => {
    const shop = openShop();
    const result = await shop.run(['user', 'add', ...args]);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(named);
    expect(shop.read('users.csv')).toBe('');
  });

  it('says how to add the first one', async () => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 1');
    const text = await shop.ok('user show');
    expect(text.stdout).toBe('');
    expect(text.stderr).toContain('orderctl user add --user');
    expect((await shop.ok('user show -o json')).stdout).toBe('{"users":[]}\n');
  });

  it('keeps columns that are not ours, and shows them', async () => {
    const shop = openShop();
    shop.write('users.csv', 'user,status,email\nalice,paid,a@example.org\n');
    expect((await shop.ok('user show')).stdout).toBe('USER   STATUS  email\nalice  paid    a@example.org\n');
    expect(await shop.json('user show')).toEqual({
      users: [{ user: 'alice', status: 'paid', extra: { email: 'a@example.org' } }],
    });
  });

  it('of a broken file is refused by file and line, which stays as it is', async () => {
    const shop = openShop();
    const broken = 'user,status\nalice,paid\nbob,sometimes\n';
    shop.write('users.csv', broken);
    const result = await shop.run('user add --user carol --status paid -o json');
    expect(result.code).toBe(6);
    expect(failureOf(result)).toMatchObject({ code: 'corrupt_file', line: 3 });
    expect(result.stderr).toContain('users.csv:3');
    expect(shop.read('users.csv')).toBe(broken);
  });

  it('breaks while the shop is open: the commands go on with the last good values and name the line', async () => {
    const shop = openShop();
    await shop.ok('user add --user alice --status paid');
    await shop.ok('inventory add --item pen --quantity 5');
    shop.write('inventory.csv', 'item,quantity\npen,5\nmug,xx\n');
    for (const command of ['inventory show', 'order list', 'user update --user alice --status unpaid']) {
      const result = await shop.run(command);
      expect(result.code, `${command}: ${result.stderr}`).toBe(0);
      expect(result.stderr, command).toContain('inventory.csv:3');
    }
    expect((await shop.ok('inventory show -o csv')).stdout).toContain('pen,5');
  });
});

describe('inventory', () => {
  it('is added, set, adjusted, shown and removed', async () => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 50');
    const book = ['inventory', 'add', '--item', 'book', '--quantity', '3', '--name', 'A book'];
    await shop.ok([...book, '--price', '12.5', '--reorder-level', '3']);
    expect((await shop.ok('inventory update --item pen --quantity 100 -o json')).stdout).toBe(
      '{"item":"pen","before":{"quantity":50},"after":{"quantity":100}}\n',
    );
    expect(await shop.json('inventory update --item pen --by +20')).toMatchObject({
      after: { quantity: 120 },
    });
    expect((await shop.ok('inventory update --item pen --by -3')).stdout).toBe(
      'item pen updated: quantity 120 → 117\n',
    );
    expect((await shop.ok('inventory show')).stdout).toBe(
      [
        'ITEM  QUANTITY  NAME    PRICE  REORDER LEVEL  LOW',
        'pen        117           none',
        'book         3  A book  12.50              3  low',
        '',
      ].join('\n'),
    );
    expect((await shop.ok('inventory show --low -o json')).stdout).toBe(
      '{"items":[{"item":"book","quantity":3,"name":"A book","price":"12.50","reorder_level":3,"low":true,"extra":{}}]}\n',
    );
    expect(await shop.json('inventory show --item pen')).toMatchObject({
      items: [{ item: 'pen', low: false }],
    });
    // Where an item has no level that of the shop counts, as for its alerts.
    expect(await shop.json('inventory show --low --low-stock 117')).toMatchObject({
      items: [
        { item: 'pen', reorder_level: null, low: true },
        { item: 'book', low: true },
      ],
    });
    const low = await shop.ok('inventory show --item pen --low-stock 200');
    expect(low.stdout).toBe('ITEM  QUANTITY  LOW\npen        117  low\n');
    expect(await shop.run('inventory show --item none')).toMatchObject({ code: 3, stdout: '' });
    expect(await shop.json('inventory remove --item pen --yes')).toEqual({
      item: 'pen',
      before: { quantity: 117 },
      after: null,
    });
    expect(shop.stock()).toEqual({ book: 3 });
  });

  it('is shown by a command after a hand edit, before anything else took it in', async () => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 50');
    shop.write('inventory.csv', 'item,quantity\npen,60\n');
    expect(await shop.json('inventory show')).toMatchObject({ items: [{ item: 'pen', quantity: 60 }] });
    expect(await shop.json('inventory update --item pen --by +1')).toMatchObject({ after: { quantity: 61 } });
  });

  it('has its details unset by an empty text, as by an empty cell', async () => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 2 --name Pen --price 1.20 --reorder-level 5');
    const unset = ['inventory', 'update', '--item', 'pen', '--name', '', '--price', '', '-o', 'json'];
    expect(JSON.parse((await shop.ok(unset)).stdout)).toEqual({
      item: 'pen',
      before: { quantity: 2, name: 'Pen', price: '1.20', reorder_level: 5 },
      after: { quantity: 2, name: null, price: null, reorder_level: 5 },
    });
    await shop.ok(['inventory', 'update', '--item', 'pen', '--reorder-level', '']);
    const bare = { items: [{ name: null, price: null, reorder_level: null, low: false }] };
    expect(await shop.json('inventory show')).toMatchObject(bare);
    await shop.ok(['inventory', 'update', '--item', 'pen', '--name', '']);
    await shop.ok('audit');
    shop.write('inventory.csv', 'item,quantity,name,price,reorder_level\npen,2,A pen,1.50,6\n');
    await shop.ok('inventory update --item pen --by 1');
    shop.write('inventory.csv', 'item,quantity,name,price,reorder_level\npen,3,,1.50,6\n');
    expect(await shop.json('inventory show')).toMatchObject({
      items: [{ quantity: 3, name: null, price: '1.50', reorder_level: 6 }],
    });
    await shop.ok('inventory update --item pen --by 1');
    expect((await shop.ok('audit')).stdout).toContain('balance');
  });

  it('has a category, set by a command or a list, and unset by an empty text', async () => {
    const shop = openShop();
    await shop.ok('inventory add pen --quantity 2');
    expect(await shop.json('inventory add book --quantity 3 --category toys')).toMatchObject({
      after: { quantity: 3, category: 'toys' },
    });
    expect((await shop.ok('inventory show')).stdout).toBe(
      ['ITEM  QUANTITY  category', 'pen          2', 'book         3  toys', ''].join('\n'),
    );
    expect((await shop.ok('inventory update book --category reading')).stdout).toBe(
      'item book updated: category toys → reading\n',
    );
    shop.write('list.csv', 'Item,Category\npen,writing\n');
    const list = path.join(shop.storage, 'list.csv');
    await shop.ok(['inventory', 'import', list]);
    expect(shop.read('inventory.csv')).toBe('item,quantity,category\npen,2,writing\nbook,3,reading\n');
    expect(await shop.json(['inventory', 'update', 'pen', '--category', ''])).toMatchObject({
      before: { category: 'writing' },
      after: { category: null },
    });
    expect((await shop.run('inventory update pen --category =1+1')).code).toBe(2);
    expect(shop.read('inventory.csv')).toBe('item,quantity,category\npen,2,\nbook,3,reading\n');
  });

  it('does not go below zero', async () => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 2');
    const result = await shop.run('inventory update --item pen --by -3 -o json');
    expect(result.code).toBe(2);
    expect(failureOf(result)).toMatchObject({ code: 'invalid_value' });
    expect(shop.stock()).toEqual({ pen: 2 });
  });

  it.each(['1e3', '0x10', '1.5', '-1', '', 'NaN', '99999999999999999999'])(
    'takes no quantity of %j',
    async (quantity) => {
      const shop = openShop();
      const result = await shop.run(['inventory', 'add', '--item', 'pen', '--quantity', quantity]);
      expect(result.code).toBe(2);
      expect(result.stderr).toContain(`--quantity: ${JSON.stringify(quantity)}`);
      expect(shop.read('inventory.csv')).toBe('');
    },
  );

  it.each([
    ['inventory update --item pen --quantity 1 --by 2', '--quantity and --by'],
    ['inventory update --item pen', 'nothing to change'],
    ['inventory update --item pen --by x', '--by'],
    ['inventory update --item pen --price 1.234', 'price'],
    ['inventory update --item pen --reorder-level -1', '--reorder-level'],
    ['inventory add --item -x --quantity 1', '--item'],
  ])('refuses "%s"', async (args, named) => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 2');
    const result = await shop.run(args);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr).toContain(named);
    expect(shop.stock()).toEqual({ pen: 2 });
  });

  it('asks before it removes, which takes a terminal or --yes', async () => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 2');
    for (const input of [undefined, 'y\n']) {
      const result = await shop.run('inventory remove --item pen', input === undefined ? {} : { input });
      expect(result.code).toBe(2);
      expect(result.stderr).toContain('--yes');
    }
    expect(shop.stock()).toEqual({ pen: 2 });
  });

  it('says when nothing is low', async () => {
    const shop = openShop();
    await shop.ok('inventory add --item pen --quantity 2');
    const result = await shop.ok('inventory show --low');
    expect(result.stdout).toBe('');
    expect(result.stderr).toContain('no item');
  });
});

it('does not read another folder because of where it is called', async () => {
  const shop = openShop();
  await shop.ok('user add --user alice --status paid');
  const elsewhere = path.join(shop.folder, 'elsewhere');
  fs.mkdirSync(elsewhere);
  fs.writeFileSync(path.join(shop.folder, 'orderctl.json'), '{"storage": "storage"}');
  const env = { ORDERCTL_STORAGE: '' };
  expect((await shop.ok('user show -o json', { cwd: elsewhere, env })).stdout).toContain('alice');
});

it(
  'an order of the checkout for what has no price is refused before anything is sent',
  { timeout: 180_000 },
  async () => {
    const shop = openShop();
    await shop.ok('user add alice --status paid');
    await shop.ok('inventory add book --quantity 10');
    await shop.ok('inventory add pen --quantity 10 --price 1.20');
    const refused = await shop.run('produce --flow checkout --user alice --item pen=1 --item book=1 -o json');
    expect([refused.code, failureOf(refused)]).toMatchObject([
      3,
      {
        message: 'item book has no price',
        fix: `set one: orderctl inventory update book --price 2.50`,
      },
    ]);
    const lines = '{"user":"alice","item":"pen","quantity":1}\n{"user":"alice","item":"book","quantity":1}\n';
    const file = await shop.run('produce --flow checkout --file - -o json', { input: lines });
    expect(file.code).toBe(6);
    expect(failureOf(file).message).toMatch(/^<stdin>:2: item book has no price.*; nothing was sent$/);
    await shop.ok('inventory remove pen --yes');
    const none = await shop.run('produce --flow checkout');
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('has a price')]);
  },
);

it(
  'texts for customers that name what no message has are refused before anything runs',
  { timeout: 180_000 },
  async () => {
    const shop = openShop();
    await shop.ok('user add alice --status paid');
    const file = path.join(shop.storage, 'templates', 'payments.processed.txt');
    fs.mkdirSync(path.dirname(file));
    fs.writeFileSync(file, 'Subject: Thank you\n\nDear {{name}}\n');
    const refused = await shop.run('run notification -o json');
    expect([refused.code, failureOf(refused)]).toMatchObject([6, { file, line: 3 }]);
    expect(failureOf(refused).message).toBe(`${file}:3: {{name}} is not a field of payments.processed`);
    expect((await shop.run(`run notification --templates ${shop.folder}/nowhere`)).code).toBe(3);
  },
);

describe('the storage folder', () => {
  it('is not made by a command that finds nothing to do there', async () => {
    const shop = openShop();
    expect((await shop.run('user update --user nobody --status paid')).code).toBe(3);
    expect((await shop.run('inventory remove --item nothing --yes')).code).toBe(3);
    expect(fs.existsSync(shop.storage)).toBe(false);
  });

  it('that is a file is named as that', async () => {
    const shop = openShop();
    fs.writeFileSync(shop.storage, 'no folder');
    for (const command of ['user show', 'user add --user alice --status paid', 'audit']) {
      const result = await shop.run(command);
      expect(result).toMatchObject({ code: 2, stdout: '' });
      expect(result.stderr).toContain(`${shop.storage} is a file, not a folder`);
    }
  });
});
