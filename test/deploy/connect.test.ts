import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../deploy/kafka/services.mjs';
import { finish, observe, openShop, type Running } from '../support/cli.ts';
import { startPrivateBroker, startPrivateRegistry } from '../support/cluster.ts';
import { absent, runs } from '../support/peers.ts';
import { ask, startTestPostgres } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait.ts';

const TOOL = path.resolve(import.meta.dirname, '../../deploy/connect/connect.mjs');
const START_MS = 120_000;
const WAIT = { timeoutMs: START_MS };
const makeFolder = temporaryFolder();

const withoutConnect = absent(
  'Kafka Connect',
  () => runs('java', ['-version']) && runs('mvn', ['-v']),
  'apt-get install default-jre-headless maven',
);

test.skipIf(withoutConnect)(
  'rows become orders, once each, and tables and messages become rows of analytics, when Connect is killed too',
  async () => {
    const [broker, registry, database] = await Promise.all([
      startPrivateBroker(),
      startPrivateRegistry(),
      startTestPostgres({ wal_level: 'logical' }),
    ]);
    onTestFinished(() => database[Symbol.asyncDispose]());
    const sql = (statement: string) => ask<Record<string, unknown>>(database.url, statement);
    const shop = openShop({
      ORDERCTL_STORE: database.url,
      ORDERCTL_STORAGE: '',
      ORDERCTL_TOPIC: 'orders',
      ORDERCTL_BROKERS: broker.address,
      ORDERCTL_REGISTRY: registry.address,
    }).built;
    const folder = makeFolder();
    const connect = (...args: readonly string[]): Running => {
      const child = spawn(process.execPath, [TOOL, ...args, '--store', database.url, '--data', folder], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      return observe(child, 'connect');
    };
    const start = async (): Promise<[Running, number]> => {
      const { origin } = new URL(registry.address);
      const at = ['--port', `${await freePort()}`, '--brokers', broker.address, '--registry', origin];
      const running = connect(...at);
      const [, pid] = await running.says(/^ready[^]*pid (\d+)/m, START_MS);
      return [running, Number(pid)];
    };
    const request = (id: string, user: string, items: string) =>
      sql(
        `INSERT INTO intake.order_requests (order_id, user_name, items) VALUES ('${id}', '${user}', '${items}')`,
      );

    expect(await finish(connect(), 'connect', START_MS)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('orderctl store init') as string,
    });
    await shop.ok('store init');
    await shop.ok('user add alice --status paid');
    await shop.ok('inventory add pen --quantity 5 --price 1.50');
    await shop.ok('setup orders stock --execute', { timeoutMs: START_MS });
    const [first, pid] = await start();
    const run = shop.start('run orders stock --events');
    await request('R-1', 'alice', '[{"item": "pen", "quantity": 2}]');
    await run.says(/accepted R-1/, START_MS);
    await expect(request('R-2', 'alice', '[{"item": "pen"}]')).rejects.toThrow(/quantity/);
    await expect(sql(`UPDATE intake.order_requests SET user_name = 'bob'`)).rejects.toThrow(/has been sent/);
    const copied = (item: string) => sql(`SELECT quantity FROM analytics.inventory WHERE item = '${item}'`);
    await waitFor(
      'a copy',
      () => copied('pen'),
      ([row]) => row?.quantity === '3',
      WAIT,
    );

    // Killed in the middle of rows; some come while it is away.
    await sql(`UPDATE orderctl.inventory SET quantity = 1000 WHERE item = 'pen'`);
    const ids = Array.from({ length: 60 }, (_, n) => `K-${n}`);
    for (const [n, id] of ids.entries()) {
      if (n === 30) process.kill(pid, 'SIGKILL');
      await request(id, 'alice', '[{"item": "pen", "quantity": 1}]');
    }
    expect(await finish(first, 'connect', START_MS)).toMatchObject({ code: 1 });
    const [second] = await start();
    await waitFor(
      'all orders',
      () => sql('SELECT FROM orderctl.orders'),
      (rows) => rows.length === 61,
      WAIT,
    );
    await waitFor(
      'the copy',
      () => copied('pen'),
      ([row]) => row?.quantity === '940',
      WAIT,
    );
    expect(await sql(`SELECT FROM orderctl.orders WHERE status <> 'accepted'`)).toEqual([]);

    // Messages become rows, once for each event; and what is deleted goes from the copy.
    for (let sale = 0; sale < 2; sale++) await shop.ok('produce --source store --store-id S1 --item pen=40');
    const updates = () => sql('SELECT delta, on_hand FROM analytics.inventory_updates ORDER BY revision');
    const found = await waitFor('updates', updates, (rows) => rows.length === 2, WAIT);
    expect(found.map(({ delta, on_hand }) => [Number(delta), Number(on_hand)])).toEqual([
      [-40, 900],
      [-40, 860],
    ]);
    await sql(`DELETE FROM orderctl.products WHERE item = 'pen'`);
    await waitFor(
      'no copy',
      () => copied('pen'),
      (rows) => rows.length === 0,
      WAIT,
    );

    expect((await finish(connect('remove'), 'remove', START_MS)).code, 'while it reads').toBe(4);
    second.signal('SIGTERM');
    expect(await finish(second, 'connect', START_MS)).toMatchObject({ code: 0 });
    expect(await finish(connect('remove'), 'remove', START_MS)).toMatchObject({ code: 0 });
    expect(await sql('SELECT slot_name FROM pg_replication_slots')).toEqual([]);
    run.signal('SIGTERM');
    expect(await finish(run, 'run', START_MS)).toMatchObject({ code: 0 });
    await shop.ok('audit --with-topic', { timeoutMs: START_MS });
  },
);
