import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isDatabaseRunning } from '../../../src/cli/up/database.ts';
import { keepAll } from '../../../src/cli/up/fresh.ts';
import { openShop } from '../../support/cli.ts';
import { expectValidated } from '../../support/documents.ts';
import { childrenOf, startUp } from '../../support/up-shop.ts';
import { waitFor } from '../../support/wait.ts';

async function place(url: string, order: object): Promise<{ status: number; body: { status: string } }> {
  const response = await fetch(`${url}/order?wait=20s`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(order),
  });
  return { status: response.status, body: (await response.json()) as { status: string } };
}

const isLinux = process.platform === 'linux';

test.runIf(isLinux)(
  'up is a whole shop, starts again what is killed, and goes on where it stopped',
  { timeout: 240_000 },
  async () => {
    const shop = openShop();
    const { up, addresses } = await startUp(shop);
    expect(up.stderr()).toContain('the shop was empty');
    const order = { user: 'alice', item: 'desk', quantity: 1 };
    expect(await place(addresses.url, { ...order, order_id: 'U-1' })).toMatchObject({
      status: 200,
      body: { status: 'COMPLETED' },
    });

    const inventory = path.join(shop.storage, 'inventory.csv');
    const good = fs.readFileSync(inventory);
    fs.appendFileSync(inventory, 'mug,x\n');
    await up.says(/run: .*inventory\.csv:\d+: the row has/);
    fs.writeFileSync(inventory, good);
    const unknown = await place(addresses.url, { ...order, user: 'stranger', order_id: 'U-X' });
    expect(unknown).toMatchObject({ body: { status: 'REJECTED' } });

    for (const name of ['run', 'dev', 'serve']) {
      process.kill(childrenOf(up.pid).get(name) ?? 0, 'SIGKILL');
      await up.says(new RegExp(`${name} is back as`));
    }
    expect(await place(addresses.url, { ...order, order_id: 'U-2' })).toMatchObject({
      status: 200,
      body: { status: 'COMPLETED' },
    });
    up.signal('SIGINT');
    expect(await up.exited).toMatchObject({ code: 0 });
    expect(up.stderr()).not.toContain('U-X');
    expectValidated('up');

    const { up: again, addresses: later } = await startUp(shop);
    expect(again.stderr()).not.toContain('was empty');
    const answer = await fetch(`${later.url}/orders/U-1`);
    expect(await answer.json()).toMatchObject({ status: 'COMPLETED' });
    const parts = childrenOf(again.pid);
    expect([...parts.keys()].sort()).toEqual(['dev', 'run', 'serve']);
    again.signal('SIGKILL');
    await again.exited;
    const isAlive = (pid: number): boolean => fs.existsSync(`/proc/${pid}`);
    await waitFor(
      'the parts',
      () => [...parts.values()].filter(isAlive),
      (left) => left.length === 0,
    );
  },
);

test('up says which part cannot start, and why', { timeout: 180_000 }, async () => {
  const shop = openShop();
  const { up, addresses } = await startUp(shop);
  const other = openShop();
  const { code, stderr } = await other.built.run(
    `up --port ${new URL(addresses.url).port} --broker-port 0 --registry-port 0`,
  );
  expect(code, stderr).toBe(4);
  expect(stderr).toContain('another program listens');
  // Nothing was made.
  expect(stderr).not.toContain('the shop was empty');
  await other.ok('user add alice --status paid');
  const split = await other.run('up --split');
  expect(split).toMatchObject({ code: 4, stderr: expect.stringContaining('on files') as string });
  for (const [args, said] of [
    ['--brokers 127.0.0.1:1', 'the orders of a previous shop are still on 127.0.0.1:1'],
    ['--broker-port 0 --store postgres://127.0.0.1:1/shop', 'the shop is in a database'],
  ]) {
    const fresh = await other.run(`up --port 0 --fresh ${args}`);
    expect(fresh, args).toMatchObject({ code: 2, stderr: expect.stringContaining(said ?? '') as string });
  }
  const data = path.join(shop.folder, '.orderctl-dev');
  for (const [args, said] of [
    [`--fresh --data ${data}`, 'another orderctl dev runs on the data folder'],
    [`--fresh --store ${shop.storage}`, 'uses the shop in'],
    [`--store ${shop.storage}`, 'uses the shop in'],
  ]) {
    const second = await other.run(`up --port 0 --broker-port 0 --registry-port 0 ${args ?? ''}`);
    expect(second, args).toMatchObject({ code: 4, stderr: expect.stringContaining(said ?? '') as string });
  }
  await waitFor(
    'the group',
    async () => (await shop.built.run(`offsets show --brokers ${addresses.brokers}`)).stdout,
    (text) => text.includes('stable'),
  );
  const beside = `--brokers ${addresses.brokers} --registry ${addresses.registry} --group ${shop.group} --topic ${shop.topic}`;
  const third = await other.built.run(`up --port 0 --store beside ${beside}`);
  expect(third).toMatchObject({ code: 4, stderr: expect.stringContaining('has other members') as string });
  expect(third.stderr).toContain('--broker-port 0 --registry-port 0');
  expect(fs.readdirSync(other.folder)).toEqual(['storage']);
  expect(fs.readdirSync(shop.folder).sort()).toEqual(['.orderctl-dev', 'storage']);
  // By what is read the group is known to be this shop's, after its end as well.
  await place(addresses.url, { user: 'alice', item: 'desk', quantity: 1 });
  up.signal('SIGTERM');
  await up.exited;
  const later = await shop.built.run('up --port 0 --broker-port 0 --registry-port 0 --store later');
  expect(later).toMatchObject({ code: 4, stderr: expect.stringContaining('belongs to another') as string });
  expect(later.stdout).toBe('');
});

test('a PostgreSQL that was killed does not keep a shop from being put aside', async () => {
  const { storage } = openShop();
  const data = path.join(storage, 'postgres', 'data');
  expect(await isDatabaseRunning(storage)).toBe(false);
  fs.mkdirSync(data, { recursive: true });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const isRunning = (pid: number): Promise<boolean> => {
    fs.writeFileSync(path.join(data, 'postmaster.pid'), [pid, data, 1_780_000_000, port, '', ''].join('\n'));
    return isDatabaseRunning(storage);
  };
  const { pid: dead } = spawnSync(process.execPath, ['--version']);
  expect(await isRunning(dead)).toBe(false);
  expect(await isRunning(process.pid)).toBe(true);
  server.close();
  await once(server, 'close');
  // Its number is another program's by now.
  expect(await isRunning(process.pid)).toBe(false);
});

test('up --fresh keeps what was there, by another name', () => {
  const { folder, storage } = openShop();
  fs.mkdirSync(storage);
  fs.writeFileSync(path.join(storage, 'users.csv'), 'user,status\nalice,paid\n');
  const data = path.join(folder, 'data');
  const kept = keepAll([storage, data], Date.UTC(2026, 10, 29, 14, 3, 12));
  expect(kept).toEqual([`${storage}.kept-20261129T140312Z`]);
  expect(fs.readdirSync(folder)).toEqual(['storage.kept-20261129T140312Z']);
  expect(fs.readdirSync(kept[0] ?? '')).toEqual(['users.csv']);
  fs.mkdirSync(data);
  fs.mkdirSync(storage);
  fs.writeFileSync(path.join(storage, '.gitkeep'), '');
  expect(keepAll([storage, data], Date.UTC(2026, 10, 29, 14, 3, 13))).toEqual([
    `${storage}.kept-20261129T140313Z`,
    `${data}.kept-20261129T140313Z`,
  ]);
  // To git a checkout is as it was.
  expect(fs.readdirSync(storage)).toEqual(['.gitkeep']);
});
