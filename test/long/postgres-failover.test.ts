import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openShop, type Shop } from '../support/cli.ts';
import { ask } from '../support/postgres.ts';
import { randomFrom } from '../support/random.ts';
import { startPair, type PostgresPair } from '../support/run-kills/pair.ts';
import { killShared } from '../support/run-kills/shared.ts';
import { waitFor } from '../support/wait.ts';

/** `npm run test:postgres`: a standby takes the place of the database, while processes work on it. */
const failovers = Number(process.env.ORDERCTL_TEST_FAILOVERS ?? 2);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const PATIENT = { timeoutMs: 90_000 };
const OFTEN = { timeoutMs: 90_000, everyMs: 20 };

async function openOn(pair: PostgresPair): Promise<Shop> {
  const shop = openShop({ ORDERCTL_STORAGE: '', ORDERCTL_STORE: pair.url });
  await shop.ok('user add alice --status paid');
  await shop.ok('inventory add --item book --quantity 1000');
  return shop;
}

async function produce(shop: Shop, count: number): Promise<void> {
  await shop.ok(`produce --user alice --item book=1 --count ${count}`);
}

async function untilDecided(url: string, count: number): Promise<void> {
  await waitFor(
    `${count} decided orders`,
    () => ask<{ n: number }>(url, 'SELECT count(*)::int AS n FROM orderctl.orders'),
    ([row]) => row?.n === count,
    PATIENT,
  );
}

/** Each order counted once: the books balance, with the topic too. */
async function expectEven(shop: Shop, sold: number): Promise<void> {
  expect((await shop.json('inventory show book')).items[0]?.quantity).toBe(1000 - sold);
  expect(await shop.json('audit --with-topic')).toMatchObject({ ok: true, differences_total: 0 });
}

test(
  `the checkout goes on through ${failovers} failovers (ORDERCTL_TEST_SEED=${seed})`,
  { timeout: 300_000 + failovers * 120_000 },
  async () => {
    await killShared(failovers, randomFrom(seed), {
      database: await startPair(),
      victims: [['database', 1]],
    });
  },
);

/** From the moment that the standby takes writes to the next decision, on two busy cores. */
const NEXT_DECISION_MS = 10_000;

test(
  `a consumer decides on soon after each of ${failovers} failovers, while orders come in (ORDERCTL_TEST_SEED=${seed})`,
  { timeout: 120_000 + failovers * 60_000 },
  async () => {
    const random = randomFrom(seed);
    const pair = await startPair();
    const shop = await openOn(pair);
    const consumer = shop.start('consume');
    const producer = shop.start('produce --user alice --item book=1 --rate 50 --count 0 -o json');
    const decided = async (url: string): Promise<number> => {
      const [row] = await ask<{ n: number }>(url, 'SELECT count(*)::int AS n FROM orderctl.orders');
      return row?.n ?? 0;
    };
    const waits: number[] = [];
    for (let round = 0; round < failovers; round += 1) {
      const before = await decided(pair.primary());
      await waitFor(
        'decisions',
        () => decided(pair.primary()),
        (n) => n > before,
        PATIENT,
      );
      await sleep(random() * 2_000);
      const standby = pair.standby();
      await pair.kill();
      const restarted = pair.restart();
      const takesWrites = () => ask<{ isIn: boolean }>(standby, 'SELECT pg_is_in_recovery() AS "isIn"');
      await waitFor('the standby to take writes', takesWrites, ([row]) => row?.isIn === false, OFTEN);
      const [promotedAt, first] = [performance.now(), await decided(standby)];
      await waitFor(
        'the next decision',
        () => decided(standby),
        (n) => n > first,
        OFTEN,
      );
      waits.push(performance.now() - promotedAt);
      await restarted;
    }
    producer.signal('SIGINT');
    const { stdout } = await producer.exited;
    const sent = stdout.match(/"type":"sent"/g)?.length ?? 0;
    await untilDecided(pair.primary(), sent);
    await shop.ok('stop');
    expect(await consumer.exited).toMatchObject({ code: 0 });
    expect(await shop.json('audit --with-topic')).toMatchObject({ ok: true, differences_total: 0 });
    const longest = Math.max(...waits);
    const median = waits.toSorted((a, b) => a - b)[waits.length >> 1] ?? 0;
    const seconds = [median, longest].map((ms) => (ms / 1_000).toFixed(2)).join(', ');
    process.stderr.write(
      `${failovers} failovers, ${sent} orders: next decision after ${seconds} s (median, longest)\n`,
    );
    expect(longest).toBeLessThan(NEXT_DECISION_MS);
  },
);

describe('a consumer', { timeout: 300_000 }, () => {
  test.each([
    ['has not seen', false],
    ['has given to another', true],
  ])('goes on where a commit was under way whose number the standby %s', async (_, isGiven) => {
    const pair = await startPair();
    const shop = await openOn(pair);
    const consumer = shop.start('consume');
    await produce(shop, 20);
    await untilDecided(pair.primary(), 20);
    await pair.cutReplication();
    await produce(shop, 20);
    // It waits for the standby in its commit.
    const waiting = await waitFor(
      'a commit that waits',
      () =>
        ask<{ xid: string }>(
          pair.primary(),
          `SELECT backend_xid::text AS xid FROM pg_stat_activity
             WHERE wait_event = 'SyncRep' AND query = 'COMMIT' AND backend_xid IS NOT NULL`,
        ),
      (rows) => rows.length > 0,
      PATIENT,
    );
    const most = Math.max(...waiting.map(({ xid }) => Number(xid)));
    // Nobody writes to it before the numbers are given away.
    const standby = pair.standby();
    await ask(standby, 'ALTER SYSTEM SET default_transaction_read_only = on');
    await ask(standby, 'SELECT pg_reload_conf()');
    await pair.kill();
    await pair.promote();
    for (let given = 0; isGiven && given <= most;) {
      const rows = await ask<{ xid: string }>(standby, 'SELECT pg_current_xact_id()::text AS xid');
      given = Number(rows[0]?.xid);
    }
    await ask(standby, 'ALTER SYSTEM RESET default_transaction_read_only');
    await ask(standby, 'SELECT pg_reload_conf()');
    await untilDecided(standby, 40);
    await produce(shop, 20);
    await untilDecided(standby, 60);
    await shop.ok('stop');
    const { code, stderr } = await consumer.exited;
    expect(code, stderr).toBe(0);
    await expectEven(shop, 60);
  });

  test('leaves with 6 where the standby lacks its last commits, and started again reads them again', async () => {
    const pair = await startPair();
    await pair.setSynchronous(false);
    const shop = await openOn(pair);
    const consumer = shop.start('consume');
    await produce(shop, 20);
    await untilDecided(pair.primary(), 20);
    await untilDecided(pair.standby(), 20);
    await pair.cutReplication();
    await produce(shop, 20);
    await untilDecided(pair.primary(), 40);
    await pair.kill();
    await pair.promote();
    await produce(shop, 20);
    const { code, stderr } = await consumer.exited;
    expect(code, stderr).toBe(6);
    expect(stderr).toMatch(/was restored to an earlier state[^]*fix: start it again/);
    await shop.ok('consume --until-end', PATIENT);
    await untilDecided(pair.standby(), 60);
    await expectEven(shop, 60);
  });
});
