import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { openShop, type Shop } from '../support/cli.ts';
import { ask, startTestPostgres } from '../support/postgres.ts';
import { randomFrom } from '../support/random.ts';
import { waitFor } from '../support/wait.ts';

/** `npm run crash-test -- archive-kills`: `store archive` under kill -9 beside a consumer, as often as one likes. */
const kills = Number(process.env.ORDERCTL_TEST_KILLS ?? 20);
const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);
const KILLS_PER_SHOP = 25;
const ORDERS_A_LIFE = 400;
/** From the first byte of a file to the end of the command, on a busy machine. */
const LONGEST_LIFE_MS = 400;

describe(`${kills} kills of store archive (ORDERCTL_TEST_SEED=${seed})`, () => {
  const shops = Array.from({ length: Math.ceil(kills / KILLS_PER_SHOP) }, (_, at) => at);
  test.for(shops)('leave each order of shop %i in one place', { timeout: 900_000 }, async (at) => {
    await using server = await startTestPostgres();
    const count = Math.min(KILLS_PER_SHOP, kills - at * KILLS_PER_SHOP);
    const struck = await killArchive(server.url, count, randomFrom(seed + at));
    process.stderr.write(`${struck.join(' ')}\n`);
  });
});

/** @returns where each kill struck */
async function killArchive(url: string, count: number, random: () => number): Promise<string[]> {
  const shop = openShop({ ORDERCTL_STORAGE: '', ORDERCTL_STORE: url });
  await shop.ok('user add alice --status paid');
  await shop.ok('inventory add --item book --quantity 1000000');
  const consumer = shop.start('consume');
  const folder = path.join(shop.folder, 'archive');
  const command = `store archive --before 0s --to ${folder} --execute`;
  const struck: string[] = [];
  let sent = 0;
  for (let kill = 0; kill < count; kill += 1) {
    await shop.ok(`produce --user alice --item book=1 --count ${ORDERS_A_LIFE}`);
    sent += ORDERS_A_LIFE;
    await waitFor(
      'them to be decided',
      () => placesOf(url),
      ({ left, archived }) => left.length + archived === sent,
    );
    const before = namesIn(folder).length;
    const running = shop.start(command);
    await Promise.race([
      running.exited,
      waitFor('its file', () => namesIn(folder).length > before, Boolean, { everyMs: 1 }),
    ]);
    await sleep(random() * LONGEST_LIFE_MS);
    running.signal('SIGKILL');
    const { code, signal, stderr } = await running.exited;
    if (signal !== 'SIGKILL') expect(code, stderr).toBe(0);
    struck.push(await expectOnePlace(url, folder, sent));
  }
  await shop.ok(command);
  consumer.signal('SIGTERM');
  expect((await consumer.exited).code).toBe(0);
  const { left, archived, files } = await placesOf(url);
  expect([left, archived]).toEqual([[], sent]);
  expect(namesIn(folder).filter((name) => name.endsWith('.jsonl'))).toEqual(files);
  await expectFound(shop, folder, sent);
  return struck;
}

function namesIn(folder: string): string[] {
  return fs.existsSync(folder) ? fs.readdirSync(folder).sort() : [];
}

interface Places {
  /** Ids in the database. */
  readonly left: readonly string[];
  /** How many are known to be in files. */
  readonly archived: number;
  /** The files that count, in the order of history. */
  readonly files: readonly string[];
}

/** At one moment: the server may still commit what a process that was killed has sent. */
async function placesOf(url: string): Promise<Places> {
  const [row] = await ask<Places>(
    url,
    `SELECT coalesce((SELECT json_agg(order_id) FROM orderctl.orders), '[]') AS left,
       (SELECT count(*)::int FROM orderctl.archived_orders) AS archived,
       coalesce((SELECT json_agg(file ORDER BY number) FROM orderctl.archives), '[]') AS files`,
  );
  if (row === undefined) throw new Error('a SELECT without FROM has one row');
  return row;
}

/** @returns where the kill struck: before the file, before its orders left the database, or after */
async function expectOnePlace(url: string, archive: string, sent: number): Promise<string> {
  const { left, archived, files } = await placesOf(url);
  expect(left.length + archived, 'each order is in one table').toBe(sent);
  const inFiles = files.flatMap((name) =>
    fs
      .readFileSync(path.join(archive, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { order_id: string }).order_id),
  );
  const all = [...left, ...inFiles];
  expect(all.length, 'each order is in the database or in one file').toBe(sent);
  expect(new Set(all).size, 'and once').toBe(sent);
  if (left.length === 0) return 'after';
  const others = namesIn(archive).filter((name) => !files.includes(name));
  return others.some((name) => name.endsWith('.jsonl')) ? 'between' : 'before';
}

async function expectFound(shop: Shop, archive: string, sent: number): Promise<void> {
  expect((await shop.lines(`order list --archive ${archive} --limit ${sent}`)).length).toBe(sent);
  expect(await shop.json(`audit --with-topic --archive ${archive}`)).toMatchObject({
    ok: true,
    differences_total: 0,
  });
}
