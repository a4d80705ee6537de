import { afterAll, beforeAll, expect, test } from 'vitest';
import { withAdmin } from '../support/topics.ts';
import { openShop, type Shop } from '../support/cli.ts';
import { startPoolingProxy } from '../support/pooling-proxy.ts';
import { ask, otherDatabase, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { startCluster } from '../support/run-kills/cluster.ts';
import { waitFor } from '../support/wait.ts';

const PATIENT = { timeoutMs: 90_000 };

/** `npm run test:postgres`: what goes wrong with a database that several processes share, seen by the binary. */
let server: TestPostgres;
let databases = 0;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server[Symbol.asyncDispose](), 120_000);

/** A shop in a database of its own, as its owner, with books for everybody. */
async function openDatabase(
  user?: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Shop & { readonly url: string; readonly name: string }> {
  const name = `failures_${process.pid}_${++databases}`;
  if (user !== undefined) await ask(server.url, `CREATE ROLE ${user} LOGIN`);
  await ask(server.url, `CREATE DATABASE ${name}${user === undefined ? '' : ` OWNER ${user}`}`);
  const url = new URL(otherDatabase(server.url, name));
  if (user !== undefined) url.username = user;
  const shop = openShop({ ORDERCTL_STORAGE: '', ORDERCTL_STORE: url.href, ...env });
  await shop.ok('user add alice --status paid');
  await shop.ok('inventory add --item book --quantity 100000');
  return { ...shop, url: otherDatabase(server.url, name), name };
}

async function decided(url: string): Promise<number> {
  const [row] = await ask<{ n: number }>(url, 'SELECT count(*)::int AS n FROM orderctl.orders');
  return row?.n ?? 0;
}

async function untilDecided(url: string, count: number): Promise<void> {
  await waitFor(
    `${count} decided orders`,
    () => decided(url),
    (n) => n === count,
    PATIENT,
  );
}

async function produce(shop: Shop, count: number): Promise<void> {
  await shop.ok(`produce --user alice --item book=1 --count ${count}`);
}

/** Each order counted once: the books balance, with the topic too. */
async function expectEven(shop: Shop, sold: number): Promise<void> {
  expect((await shop.json('inventory show book')).items[0]?.quantity).toBe(100_000 - sold);
  expect(await shop.json('audit --with-topic')).toMatchObject({ ok: true, differences_total: 0 });
}

test('behind a pool that gives each transaction another session, several consumers share the work', async () => {
  const direct = await openDatabase();
  const { hostname: host, port, username: user } = new URL(server.url);
  const pool = await startPoolingProxy({ host, port: Number(port), user, database: direct.name }, 3);
  const url = new URL(direct.url);
  url.port = String(pool.port);
  const shop = openShop({ ...direct.env, ORDERCTL_STORE: url.href });
  await produce(shop, 100);
  const [first, second] = [shop.start('consume'), shop.start('consume')];
  await untilDecided(direct.url, 100);
  await shop.ok('inventory update --item book --by +50');
  await shop.ok('inventory update --item book --by -50');
  await produce(shop, 100);
  first.signal('SIGKILL');
  await untilDecided(direct.url, 200);
  expect(await shop.json('status')).toMatchObject({ running: true, pid: second.pid });
  expect(await shop.json('stop')).toMatchObject({ stopped: true });
  expect((await second.exited).code).toBe(0);
  expect(pool.mostClients()).toBeGreaterThan(3);
  await expectEven(shop, 200);
});

test('a server without room for another session is waited for, and at the start it is 5 with what to do', async () => {
  const user = `clerk_${process.pid}`;
  const shop = await openDatabase(user);
  const limit = (most: number): Promise<unknown> =>
    ask(server.url, `ALTER ROLE ${user} CONNECTION LIMIT ${most}`);
  await limit(0);
  const refused = await shop.run('consume --until-end');
  expect(refused.code, refused.stderr).toBe(5);
  expect(refused.stderr).toMatch(/too many connections for role[^]*fix: .*max_connections/);
  await limit(-1);
  const consumer = shop.start('consume');
  await produce(shop, 20);
  await untilDecided(shop.url, 20);
  await limit(0);
  await ask(server.url, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${user}'`);
  await consumer.says(/no answer from the database, waiting/, 90_000);
  await produce(openShop({ ...shop.env, ORDERCTL_STORE: shop.url }), 20);
  await limit(-1);
  await untilDecided(shop.url, 40);
  await shop.ok('stop');
  expect((await consumer.exited).code).toBe(0);
  await expectEven(shop, 40);
});

test('a full disk of the server ends a consumer with 7 and what to do; the next one goes on', async () => {
  const shop = await openDatabase();
  await produce(shop, 20);
  // As PostgreSQL says it where a table cannot grow.
  await ask(
    shop.url,
    `CREATE FUNCTION public.full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       RAISE EXCEPTION 'could not extend file "base/5/16397": No space left on device' USING ERRCODE = 'disk_full';
     END $$;
     CREATE TRIGGER full_disk BEFORE INSERT ON orderctl.order_lines FOR EACH STATEMENT EXECUTE FUNCTION public.full()`,
  );
  const ended = await shop.run('consume --until-end', PATIENT);
  expect(ended.code, ended.stderr).toBe(7);
  expect(ended.stderr).toMatch(
    /could not write: .*No space left on device\nfix: free some space on the server/,
  );
  expect(await decided(shop.url)).toBe(0);
  await ask(shop.url, 'DROP TRIGGER full_disk ON orderctl.order_lines');
  await shop.ok('consume --until-end', PATIENT);
  await expectEven(shop, 20);
});

test('partitions that are added while consumers run are shared by them', async () => {
  const shop = await openDatabase();
  await produce(shop, 20);
  const consumers = [shop.start('consume'), shop.start('consume')];
  await untilDecided(shop.url, 20);
  await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic: shop.topic, count: 9 }] }));
  let sent = 20;
  /** One without a record is not listed. */
  const shares = async (): Promise<number[]> => {
    await produce(shop, 20);
    sent += 20;
    const { instances } = (await shop.json('status')) as unknown as {
      instances: readonly { readonly partitions: readonly unknown[] }[];
    };
    return instances.map(({ partitions }) => partitions.length).sort();
  };
  await waitFor('nine partitions', shares, (sizes) => sizes.join() === '4,5', PATIENT);
  await untilDecided(shop.url, sent);
  await shop.ok('stop');
  for (const { exited } of consumers) expect((await exited).code).toBe(0);
  await expectEven(shop, sent);
});

test('a consumer that reads the same topic from another cluster leaves with 6, and the first goes on', async () => {
  const shop = await openDatabase();
  await produce(shop, 20);
  const first = shop.start('consume');
  await untilDecided(shop.url, 20);
  const other = await startCluster();
  const strayed = openShop({
    ...shop.env,
    ORDERCTL_BROKERS: other.brokers,
    ORDERCTL_REGISTRY: other.registry,
  });
  await produce(strayed, 40);
  const ended = await strayed.run('consume --until-end', PATIENT);
  expect(ended.code, ended.stderr).toBe(6);
  expect(ended.stderr).toMatch(/cluster/);
  expect(await decided(shop.url)).toBe(20);
  await produce(shop, 20);
  await untilDecided(shop.url, 40);
  await shop.ok('stop');
  expect((await first.exited).code).toBe(0);
  await expectEven(shop, 40);
});
