import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pg from 'pg';
import { openShop, type Shop } from '../support/cli.ts';
import { closedPort } from '../support/closed-port.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { waitFor } from '../support/wait.ts';

let server: TestPostgres;
let databases = 0;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

async function ask<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** A shop in a database of its own. */
async function openDatabase(env: Readonly<Record<string, string>> = {}): Promise<Shop & { url: string }> {
  const name = `shop_${++databases}`;
  await ask(server.url, `CREATE DATABASE ${name}`);
  const url = server.url.replace(/\/orderctl$/, `/${name}`);
  return { ...openShop({ ORDERCTL_STORAGE: '', ORDERCTL_STORE: url, ...env }), url };
}

/** What differs from run to run. */
function plain(shop: Shop, store: string, text: string): string {
  return text
    .replaceAll(shop.group, 'GROUP')
    .replaceAll(shop.topic, 'TOPIC')
    .replaceAll(store, 'STORE')
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?/g, 'TIME')
    .replaceAll(/"replay_id":"[^"]+"/g, '"replay_id":"ID"')
    .replaceAll(/"(seconds|pid)":[\d.]+/g, '"$1":0')
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
        .sort();
    expect(said(database, database.url, found)).toEqual(said(folder, folder.storage, expected));
  }
});

test('a consumer that is killed is succeeded at once, each order counts once, and the books balance', async () => {
  const shop = await openDatabase();
  await shop.ok('user add alice --status paid');
  await shop.ok('inventory add --item book --quantity 100000');
  await shop.ok('produce --seed 1 --count 2000');
  const count = async (): Promise<number> => {
    const [row] = await ask<{ n: string }>(shop.url, 'SELECT count(*) AS n FROM orderctl.orders');
    return Number(row?.n);
  };
  let killed = 0;
  for (let decided = -1; decided < 2000 && killed < 5; killed++) {
    const consumer = shop.start('consume --max-messages 2000');
    const before = await count();
    await waitFor('decisions', count, (now) => now > before || now === 2000);
    consumer.signal('SIGKILL');
    await consumer.exited;
    decided = await count();
  }
  await shop.ok('consume --until-end');
  expect(await count()).toBe(2000);
  const [sold] = await ask<{ sold: string }>(
    shop.url,
    `SELECT sum(quantity) AS sold FROM orderctl.order_lines JOIN orderctl.orders USING (order_id) WHERE status = 'accepted'`,
  );
  const { items } = await shop.json('inventory show book');
  expect(items[0]?.quantity).toBe(100_000 - Number(sold?.sold));
  expect(await shop.json('audit --with-topic')).toMatchObject({ ok: true, differences_total: 0 });
});

test('beside a running consumer: a second is refused, edits count, status and stop are answered', async () => {
  const shop = await openDatabase();
  await shop.ok('user add alice --status unpaid');
  await shop.ok('inventory add --item book --quantity 10');
  const consumer = shop.start('consume');
  await consumer.says(/consuming|joined|waiting|reads/i);
  const second = await shop.run('consume -o json');
  expect(second.code).toBe(4);
  expect(second.stderr).toContain(`in use by process ${consumer.pid}`);
  await shop.ok('user update --user alice --status paid');
  await shop.ok('produce --user alice --item book=3 --order-id WEB-1');
  await waitFor('the decision', async () => (await shop.run('order show WEB-1 -o json')).code === 0);
  expect(await shop.json('order show WEB-1')).toMatchObject({ status: 'accepted' });
  expect(await shop.json('status')).toMatchObject({
    running: true,
    pid: consumer.pid,
    counts: { accepted: 1 },
  });
  await shop.ok('stop');
  expect((await consumer.exited).code).toBe(0);
  expect((await shop.run('status')).code).toBe(3);
});

test('a consumer whose session an administrator ends leaves with 5, and the next one goes on', async () => {
  const shop = await openDatabase();
  await shop.ok('user add alice --status paid');
  await shop.ok('inventory add --item book --quantity 10');
  const consumer = shop.start('consume -o json');
  await waitFor('the consumer', async () => (await shop.run('status')).code === 0);
  await ask(shop.url, 'SELECT pg_terminate_backend(backend) FROM orderctl.instances');
  const { code, stderr } = await consumer.exited;
  expect([code, stderr.includes('"code":"store_unreachable"')], stderr).toEqual([5, true]);
  await shop.ok('produce --user alice --item book=1 --order-id WEB-1');
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ accepted: 1 });
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
      ORDERCTL_STORE: server.url.replace(/\/orderctl$/, '/nowhere'),
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
    for (const command of [
      'backup copy',
      'restore copy',
      'up',
      'serve',
      'user import users.csv',
      'inventory edit',
    ]) {
      expect((await shop.run(command)).code, command).not.toBe(0);
    }
  });
});
