import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openShop, type Shop } from '../../support/cli.ts';
import { closedPort } from '../../support/closed-port.ts';
import { expectValidated } from '../../support/documents.ts';
import { ask, otherDatabase } from '../../support/postgres.ts';
import { postgresForShops } from '../../support/postgres-databases.ts';
import { serve } from '../../support/serve.ts';
import { waitFor } from '../../support/wait.ts';

const { openDatabase, url } = postgresForShops();

/** What differs from run to run; so does what a fetch brings, and a commit holds. */
function plain(shop: Shop, store: string, text: string): string {
  return text
    .replaceAll(shop.group, 'GROUP')
    .replaceAll(shop.topic, 'TOPIC')
    .replaceAll(store, 'STORE')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?/g, 'TIME')
    .replaceAll(/"replay_id":"[^"]+"/g, '"replay_id":"ID"')
    .replaceAll(/"(seconds|pid|commits)":[\d.]+/g, '"$1":0')
    .replaceAll(/, \d+ commits?/g, '')
    .replaceAll(/in \d+(\.\d+)? m?s/g, 'in SECONDS');
}

const WALK = [
  'user add alice --status paid',
  'user add bob --status unpaid',
  'inventory add --item book --quantity 10 --name Book --price 12.50 --reorder-level 3',
  'inventory add --item pen --quantity 50',
  'user show',
  'inventory show -o json',
  'produce --seed 7 --count 12 -o json',
  'produce --user alice --item book=2 --order-id WEB-1',
  'produce --user bob --item pen=1 --order-id WEB-2',
  'produce --user nobody --item pen=1 --order-id WEB-3',
  'consume --until-end -o json',
  'inventory show -o json',
  'order list -o json',
  'order show WEB-1 -o json',
  'order explain WEB-2',
  'user update --user bob --status paid --why paid-in-cash',
  'replay --rejected --order WEB-2 --as-new -o json',
  'consume --until-end -o json',
  'order explain WEB-2',
  'user log bob',
  'inventory log pen',
  'offsets show',
  'dlq list -o json',
  'status',
  'audit -o json',
  'inventory remove --item desk --yes',
];

test('the same walk prints the same on a folder and on PostgreSQL', async () => {
  const folder = openShop();
  const database = await openDatabase();
  for (const command of WALK) {
    const [expected, found] = [await folder.run(command), await database.run(command)];
    // Batches of several partitions come in any order.
    const said = (shop: Shop, store: string, { code, stdout, stderr }: typeof found): string[] =>
      plain(shop, store, `${command}\n${code ?? ''}\n${stdout}\n${stderr}`)
        .split('\n')
        // Topics that all shops of the broker have are made by the first of them; a busy registry lets one wait.
        .filter((line) => !/created topic (alerts|inventory-events) |schema registry/.test(line))
        .sort();
    expect(said(database, database.url, found)).toEqual(said(folder, folder.storage, expected));
  }
}, 240_000);

test('beside a running consumer edits count, status and stop are answered, and offsets are not moved', async () => {
  const shop = await openDatabase();
  await shop.ok('user add alice --status unpaid');
  await shop.ok('inventory add --item book --quantity 10');
  const consumer = shop.start('consume');
  await waitFor('the consumer', async () => (await shop.run('status')).code === 0);
  await shop.ok('user update --user alice --status paid');
  await shop.ok('produce --user alice --item book=3 --order-id WEB-1');
  await waitFor('the decision', async () => (await shop.run('order show WEB-1 -o json')).code === 0);
  expect(await shop.json('order show WEB-1')).toMatchObject({ status: 'accepted' });
  expect(await shop.json('status')).toMatchObject({
    running: true,
    pid: consumer.pid,
    counts: { accepted: 1 },
    instances: [{ pid: consumer.pid, state: 'consuming' }],
  });
  const reset = await shop.run('offsets reset --to earliest --execute -o json');
  expect([reset.code, reset.stderr.includes(`in use by process ${consumer.pid}`)]).toEqual([4, true]);
  const again = await shop.run('consume --reset --until-end');
  expect(again.code).toBe(4);
  await shop.ok('stop');
  expect((await consumer.exited).code).toBe(0);
  expect((await shop.run('status')).code).toBe(3);
});

test('edits by SQL while orders flow: they are in the log, the books balance, and what is wrong is refused', async () => {
  const shop = await openDatabase();
  await shop.ok('user add alice --status paid');
  await shop.ok('inventory add --item book --quantity 1000');
  await shop.ok('inventory add --item pen --quantity 1000 --price 1.50');
  const consumer = shop.start('consume');
  await waitFor('the consumer', async () => (await shop.run('status')).code === 0);
  const sender = shop.start('produce --seed 5 --count 600 --rate 300');
  const statement = `UPDATE orderctl.inventory SET quantity = quantity + 1`;
  for (let edits = 0; edits < 20; edits++) await ask(shop.url, statement);
  await ask(shop.url, `UPDATE orderctl.products SET price = 2 WHERE item = 'pen'`);
  await expect(ask(shop.url, `${statement} - quantity - 5`)).rejects.toThrow('would be -4');
  expect((await sender.exited).code).toBe(0);
  await waitFor(
    'the decisions',
    async () => (await ask(shop.url, 'SELECT FROM orderctl.orders')).length,
    (n) => n === 600,
  );
  await shop.ok('stop');
  expect((await consumer.exited).code).toBe(0);
  expect(await shop.json('audit')).toMatchObject({ ok: true, differences_total: 0 });
  const { edits } = await shop.json('inventory log pen');
  expect((edits as { via: string; by: string }[]).map(({ via, by }) => `${via} ${by}`).slice(1)).toEqual(
    Array.from({ length: 21 }, () => 'sql orderctl'),
  );
});

test('a list is taken in, beside what SQL changes, and taken back', async () => {
  const shop = await openDatabase();
  const file = path.join(shop.folder, 'list.csv');
  const list = (text: string): void => fs.writeFileSync(file, text);
  list('item,quantity,colour,price\nbook,10,red,12.50\npen,70,blue,1.5\n');
  expect(await shop.json(['inventory', 'import', file])).toMatchObject({ added: 2, changed: 0, removed: 0 });
  await ask(shop.url, `UPDATE orderctl.inventory SET quantity = quantity + 5 WHERE item = 'pen'`);
  list('item,quantity\npen,80\n');
  expect(await shop.json(['inventory', 'import', file, '--replace'])).toMatchObject({
    changed: 1,
    removed: 1,
  });
  expect(await shop.json('inventory undo')).toMatchObject({ added: 1, changed: 1, removed: 0 });
  expect(await shop.json('inventory show')).toMatchObject({
    items: [
      { item: 'pen', quantity: 75, extra: { colour: 'blue' } },
      { item: 'book', quantity: 10, price: '12.50' },
    ],
  });
});

test('the API works on it as on a folder', async () => {
  const shop = await openDatabase();
  await shop.ok('store init');
  const { server: api, call } = await serve(shop);
  expect(await call('POST', '/users', { user: 'alice', status: 'paid' })).toMatchObject({ status: 201 });
  expect(await call('POST', '/inventory', { item: 'pen', quantity: 5 })).toMatchObject({ status: 201 });
  const consumer = shop.start('consume');
  const placed = await call('POST', '/order?wait=20s', {
    user: 'alice',
    item: 'pen',
    quantity: 2,
    order_id: 'WEB-1',
  });
  expect(placed).toMatchObject({ status: 200, body: { status: 'COMPLETED' } });
  expect(await call('GET', '/inventory/pen')).toMatchObject({ status: 200, body: { quantity: 3 } });
  expect(await call('PATCH', '/inventory/pen', { by: 4 })).toMatchObject({ status: 200 });
  expect(await call('GET', '/audit')).toMatchObject({ status: 200, body: { ok: true } });
  // No text of PostgreSQL has a NUL.
  for (const path of ['/inventory/a%00b', '/inventory/a%00b/changes', '/users/a%00b', '/orders/a%00b'])
    expect(await call('GET', path)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  for (const path of ['/inventory/a%00b', '/users/a%00b'])
    expect(await call('DELETE', path)).toMatchObject({ status: 404 });
  for (const running of [api, consumer]) running.signal('SIGTERM');
  expect([(await api.exited).code, (await consumer.exited).code]).toEqual([0, 0]);
  expect(await shop.json('store show')).toMatchObject({
    kind: 'postgres',
    version: expect.any(Number) as number,
  });
});

describe('the store that is named', () => {
  test('cannot be reached: 5, at once, with what to do', async () => {
    const shop = openShop({
      ORDERCTL_STORAGE: '',
      ORDERCTL_STORE: `postgres://o@127.0.0.1:${await closedPort()}/o`,
    });
    const { code, stderr } = await shop.run('user show');
    expect(code).toBe(5);
    expect(stderr).toContain('npm run postgres');
    const other = openShop({
      ORDERCTL_STORAGE: '',
      ORDERCTL_STORE: otherDatabase(url(), 'nowhere'),
    });
    const refused = await other.run('user show -o json');
    expect(refused.code).toBe(5);
    expect(JSON.parse(refused.stderr)).toMatchObject({ code: 'store_refused' });
  });

  test('has no store in it: 3, and nothing is made by reading or by an edit that cannot be', async () => {
    const shop = await openDatabase();
    for (const command of ['user show', 'user update --user a --status paid', 'audit', 'consume']) {
      expect((await shop.run(command)).code, command).toBe(3);
    }
    expect(await ask(shop.url, `SELECT FROM pg_namespace WHERE nspname = 'orderctl'`)).toEqual([]);
  });

  test('is of a newer version: 6', async () => {
    const shop = await openDatabase();
    await shop.ok('user add alice --status paid');
    await ask(shop.url, 'INSERT INTO orderctl.migrations (number) VALUES (99)');
    for (const command of ['user show', 'user add bob --status paid', 'consume --until-end']) {
      expect((await shop.run(command)).code, command).toBe(6);
    }
  });

  test('has a password: never in a flag, masked where it is shown', async () => {
    const shop = openShop({ ORDERCTL_STORAGE: '' });
    const url = 'postgres://me:s3cret@127.0.0.1:1/shop';
    const flag = await shop.run(['user', 'show', '--store', url]);
    expect([flag.code, flag.stderr.includes('s3cret')]).toEqual([2, false]);
    const env = { ORDERCTL_STORE: url };
    const shown = await shop.ok('config show -o json', { env });
    expect(shown.stdout).toContain('postgres://me:********@127.0.0.1:1/shop');
    const away = await shop.run('user show', { env });
    expect([away.code, `${shown.stdout}${away.stderr}`.includes('s3cret')]).toEqual([5, false]);
  });

  test('is given twice: 2; the nearer one counts; a folder may be named by either', async () => {
    const shop = openShop();
    expect((await shop.run(`user show --store ${shop.storage} --storage ${shop.storage}`)).code).toBe(2);
    await shop.ok(`user add alice --status paid --store file:${shop.folder}/other`);
    expect((await shop.json(`user show --storage ${shop.folder}/other`)).users).toMatchObject([
      { user: 'alice' },
    ]);
  });

  test('is a database: what works on folders alone says so', async () => {
    const shop = await openDatabase();
    for (const command of ['backup copy', 'restore copy', 'inventory edit --with true']) {
      const { code, stderr } = await shop.run(command);
      expect([code, stderr.includes('works on a folder')], command).toEqual([2, true]);
    }
  });
});

test('old orders are archived to files: their ids stay known, and with the folder they are shown as before', async () => {
  const shop = await openDatabase();
  await shop.ok('user add alice --status paid');
  await shop.ok('inventory add --item book --quantity 10');
  await shop.ok('produce --user alice --item book=2 --order-id WEB-1');
  await shop.ok('consume --until-end');
  const shown = await shop.json('order show WEB-1');
  const before = new Date().toISOString();
  const plan = await shop.ok(`store archive --before ${before}`);
  expect(plan.stdout).toContain('would archive 1 order (1 accepted, 0 rejected)');
  expect((await shop.run(`store archive --before ${before} --execute`)).code).toBe(2);
  const archived = `store archive --before ${before} --to archive --execute`;
  expect(await shop.json(archived)).toMatchObject({ executed: true, accepted: 1, rejected: 0 });
  expect(await shop.json(archived)).toMatchObject({ accepted: 0, files: [] });
  expectValidated('store archive');
  expect(await shop.json('order show WEB-1 --archive archive')).toEqual(shown);
  expect(await shop.json('order show WEB-1')).toMatchObject({
    status: 'accepted',
    items: [{ quantity: 2, stock: null }],
  });
  expect((await shop.ok('order show WEB-1')).stdout).toContain('archived  in orders-');
  const { stderr: listed } = await shop.ok('order list');
  expect(listed).toContain('1 order up to');
  expect(listed).toContain('no orders decided after the archived ones');
  expect((await shop.ok('order list --archive archive')).stdout).toContain('WEB-1');
  expect(await shop.run('inventory show --at 1')).toMatchObject({ code: 3 });
  await shop.ok('inventory show --at 1 --archive archive');
  // Without its file it has no prices, and a copy of it would have none either.
  const again = 'replay --order WEB-1 --as-new --again';
  expect(await shop.run(`${again} --dry-run`)).toMatchObject({ code: 3 });
  await shop.ok(`${again} --dry-run --archive archive`);
  await shop.ok('produce --user alice --item book=2 --order-id WEB-1');
  await shop.ok('produce --user alice --item book=3 --order-id WEB-1');
  expect(await shop.json('consume --until-end')).toMatchObject({ accepted: 0, duplicates: 1, conflicts: 1 });
  await shop.ok('audit --with-topic');
  await shop.ok('audit --archive archive');
  const back = path.join(shop.folder, 'back');
  await shop.ok(['store', 'copy', '--from', shop.url, '--to', back, '--archive', 'archive']);
  expect(await shop.json(['order', 'show', 'WEB-1', '--store', back])).toEqual(shown);
});

test('a schema of that name that another program has made is refused, with the way out', async () => {
  const shop = await openDatabase();
  for (const column of ['name text', "number text DEFAULT '1'"]) {
    await ask(
      shop.url,
      `DROP SCHEMA IF EXISTS orderctl CASCADE; CREATE SCHEMA orderctl;
       CREATE TABLE orderctl.migrations (${column}); INSERT INTO orderctl.migrations DEFAULT VALUES`,
    );
    for (const command of ['user show', 'store init', 'store show']) {
      const { code, stderr } = await shop.run(command);
      expect([code, stderr.includes('name another database')], stderr).toEqual([6, true]);
    }
  }
});
