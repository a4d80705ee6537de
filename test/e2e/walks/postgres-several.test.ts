import { describe, expect, test } from 'vitest';
import { openShop, type Shop } from '../../support/cli.ts';
import { ask } from '../../support/postgres.ts';
import { postgresForShops } from '../../support/postgres-databases.ts';
import { startDatabase } from '../../support/run-kills/database.ts';
import { waitFor } from '../../support/wait.ts';

/* Consumers on one database that are killed, fall asleep, divide the partitions, or lose the database. */

const { openDatabase } = postgresForShops();

test(
  'a consumer that is killed is succeeded, each order counts once, and the books balance',
  { timeout: 300_000 },
  async () => {
    const shop = await openDatabase();
    await shop.ok('user add alice --status paid');
    await shop.ok('inventory add --item book --quantity 100000');
    await shop.ok('produce --seed 1 --count 2000');
    const count = async (): Promise<number> => {
      const [row] = await ask<{ n: string }>(shop.url, 'SELECT count(*) AS n FROM orderctl.orders');
      return Number(row?.n);
    };
    let killed = 0;
    for (let decided = -1; decided < 2000 && killed < 3; killed++) {
      const consumer = shop.start('consume --max-messages 2000');
      const before = await count();
      // The group has the dead member until its session is over.
      await waitFor('decisions', count, (now) => now > before || now === 2000, { timeoutMs: 60_000 });
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
  },
);

/** Orders that are decided. */
async function decided(url: string): Promise<number> {
  const [row] = await ask<{ n: string }>(url, 'SELECT count(*) AS n FROM orderctl.orders');
  return Number(row?.n);
}

describe('several consumers on one database', () => {
  interface Shown {
    readonly instances: readonly {
      readonly pid: number;
      readonly state: string;
      readonly partitions: readonly { readonly partition: number }[];
    }[];
  }
  const shares = async (shop: Shop): Promise<ReadonlyMap<number, number>> => {
    const { instances } = (await shop.json('status')) as unknown as Shown;
    return new Map(instances.map(({ pid, partitions }) => [pid, partitions.length]));
  };

  test('share the partitions, take over from one that is killed or asleep, and each order counts once', async () => {
    const shop = await openDatabase();
    await shop.ok('user add alice --status paid');
    await shop.ok('inventory add --item book --quantity 100000');
    await shop.ok('produce --user alice --item book=1 --count 300');
    const [first, second] = [shop.start('consume'), shop.start('consume')];
    await waitFor(
      'three partitions each',
      () => shares(shop),
      (map) => map.get(first.pid) === 3 && map.get(second.pid) === 3,
      {
        timeoutMs: 60_000,
      },
    );
    await shop.ok('produce --user alice --item book=1 --count 300');
    await waitFor(
      'all of it',
      () => decided(shop.url),
      (n) => n === 600,
      { timeoutMs: 60_000 },
    );

    // Asleep: it is succeeded, and when it wakes it changes nothing that it had in hand.
    second.signal('SIGSTOP');
    await shop.ok('produce --user alice --item book=1 --count 300');
    await waitFor(
      'what the sleeper had',
      () => decided(shop.url),
      (n) => n === 900,
      { timeoutMs: 60_000 },
    );
    second.signal('SIGCONT');
    await waitFor(
      'both again',
      () => shares(shop),
      (map) => map.get(first.pid) === 3 && map.get(second.pid) === 3,
      {
        timeoutMs: 60_000,
      },
    );

    first.signal('SIGKILL');
    await first.exited;
    await shop.ok('produce --user alice --item book=1 --count 300');
    const third = shop.start('consume');
    await waitFor(
      'those of the dead',
      () => decided(shop.url),
      (n) => n === 1200,
      { timeoutMs: 60_000 },
    );
    await waitFor(
      'the dead to be gone',
      () => shares(shop),
      (map) => map.get(third.pid) === 3 && map.size === 2,
      {
        timeoutMs: 60_000,
      },
    );

    const stopped = await shop.json(`stop ${third.pid}`);
    expect(stopped).toMatchObject({ stopped: true, pid: third.pid });
    expect((await third.exited).code).toBe(0);
    await shop.ok('stop');
    expect((await second.exited).code).toBe(0);
    expect((await shop.json('inventory show book')).items[0]?.quantity).toBe(100_000 - 1200);
    expect(await shop.json('audit --with-topic')).toMatchObject({ ok: true, differences_total: 0 });
  });
});

test('a database that is killed and started again is waited for: nothing is lost, and the consumer says so', async () => {
  const database = await startDatabase();
  const shop = openShop({ ORDERCTL_STORAGE: '', ORDERCTL_STORE: database.url });
  await shop.ok('user add alice --status paid');
  await shop.ok('inventory add --item book --quantity 100');
  const consumer = shop.start('consume');
  await waitFor('the consumer', async () => (await shop.run('status')).code === 0);
  await database.kill();
  await consumer.says(/no answer from the database, waiting/);
  expect((await shop.run('status')).code).toBe(5);
  await shop.ok('produce --user alice --item book=1 --count 20');
  await database.restart();
  await waitFor('the decisions', async () => (await decided(database.url)) === 20);
  expect(await shop.json('status')).toMatchObject({ running: true, state: 'consuming' });
  await shop.ok('stop');
  expect((await consumer.exited).code).toBe(0);
  expect(await shop.json('audit --with-topic')).toMatchObject({ ok: true });
});
