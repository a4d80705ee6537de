// @ts-check
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ORDERCTL, say } from '../lib/cluster.mjs';
import { measure } from '../lib/measure.mjs';
import { createTopic, fillTopic, writeOrders, writeShop } from '../lib/orders.mjs';
import { floor, orderctl, settingsOf } from '../lib/programs.mjs';
import { orDash, printTable, whole } from '../lib/table.mjs';
import { inTurn } from './consume.mjs';

const SIZES = [1_000, 100_000, 1_000_000];
const HISTORY = [100_000, 1_000_000, 10_000_000];
const SHOP = { users: 1_000, items: 1_000 };

const STREAMED = [1_000_000, 10_000_000];

/**
 * Things that grow: the tables, the history of decided ids, and a file of orders that is sent, processed and sent
 * again.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchGrowth(bench) {
  await growTables(bench);
  await growHistory(bench);
  await growStream(bench);
}

/** @param {import('./consume.mjs').Bench} bench */
async function growTables(bench) {
  const rows = [];
  for (const size of SIZES) {
    const shop = { users: size, items: size };
    const topic = `bench-tables-${size}`;
    await createTopic(bench.cluster, topic);
    await fillTopic(bench.cluster, topic, { to: bench.orders, ...shop });
    const results = await inTurn(bench, [orderctl, floor], topic, shop);
    const [ours, least] = [results.get(orderctl.name), results.get(floor.name)];
    rows.push([
      whole(size),
      whole(ours?.rate ?? NaN),
      whole(least?.rate ?? NaN),
      ((ours?.rate ?? NaN) / (least?.rate ?? NaN)).toFixed(2),
      orDash(ours?.peakMiB ?? null, 0),
    ]);
  }
  printTable(
    `Users and items, ${whole(bench.orders)} orders, medians of ${bench.runs}`,
    ['rows in each table', 'orders/s', 'floor', 'of the floor', 'peak MiB'],
    rows,
  );
}

/** @param {import('./consume.mjs').Bench} bench */
async function growHistory({ cluster }) {
  const topic = 'bench-history';
  await createTopic(cluster, topic);
  const rows = [];
  let before = 0;
  const job = { cluster, topic, count: 0, ...SHOP, id: topic };
  for (const history of HISTORY) {
    await fillTopic(cluster, topic, { from: before, to: history, ...SHOP });
    const filled = await consumeRest(job);
    // The next portion, on top of that many decided ids, in a process that starts with all of them.
    const portion = 100_000;
    await fillTopic(cluster, topic, { from: history, to: history + portion, ...SHOP });
    const next = await consumeRest(job);
    rows.push([
      whole(history),
      whole(portion / next.seconds),
      next.firstCommitSeconds.toFixed(2),
      orDash(next.peakMiB, 0),
      orDash(filled.peakMiB, 0),
      orDash(sizeMiB(join(settingsOf(job).ORDERCTL_STORAGE, '.orderctl')), 0),
    ]);
    say(`history ${whole(history)}: ${whole(portion / next.seconds)}/s`);
    before = history + portion;
  }
  printTable(
    'Decided ids before the next 100,000 orders',
    ['ids', 'orders/s', 'first commit s', 'peak MiB', 'peak MiB while filling', '.orderctl MiB'],
    rows,
  );
  rmSync(settingsOf(job).ORDERCTL_STORAGE, { recursive: true, force: true });
}

/** @param {import('./consume.mjs').Bench} bench */
async function growStream({ cluster }) {
  const rows = [];
  for (const count of STREAMED) {
    const topic = `bench-stream-${count}`;
    await createTopic(cluster, topic);
    const env = settingsOf({ cluster, topic, count, ...SHOP, id: topic });
    writeShop(env.ORDERCTL_STORAGE, SHOP);
    const file = join(env.ORDERCTL_STORAGE, 'orders.ndjson');
    await writeOrders(file, count, SHOP);
    for (const args of [
      ['produce', '--file', file],
      ['consume', '--until-end'],
      ['replay', '--to-topic', `${topic}-again`],
    ]) {
      const run = await measure(process.execPath, [ORDERCTL, ...args, '--quiet', '-o', 'json'], { env });
      const { seconds, sent, read } = JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '');
      if ((sent ?? read) !== count) throw new Error(`${args[0]} handled ${sent ?? read} of ${count}`);
      rows.push([`${args[0]}`, whole(count), whole(count / seconds), orDash(run.peakMiB, 0)]);
      say(`${args[0]} ${whole(count)}: ${whole(count / seconds)}/s, ${orDash(run.peakMiB, 0)} MiB`);
    }
    rmSync(env.ORDERCTL_STORAGE, { recursive: true, force: true });
  }
  printTable(
    'One file of orders, sent, processed and sent again, start and stop of the program included',
    ['command', 'orders', 'orders/s', 'peak MiB'],
    rows,
  );
}

/** @param {import('../lib/programs.mjs').Job} job */
async function consumeRest(job) {
  const startedAt = Date.now();
  const { seconds, peakMiB, stdout, firstMs } = await consumeFrom(job);
  const { read } = /** @type {{read: number}} */ (JSON.parse(stdout));
  return { seconds, peakMiB, read, firstCommitSeconds: (firstMs - startedAt) / 1_000 };
}

/** @param {import('../lib/programs.mjs').Job} job */
async function consumeFrom(job) {
  const env = settingsOf(job);
  if (!readdirSync(env.ORDERCTL_STORAGE).includes('users.csv')) writeShop(env.ORDERCTL_STORAGE, SHOP);
  const log = join(env.ORDERCTL_STORAGE, 'orders.jsonl');
  const grown = sizeOf(log);
  const startedAt = Date.now();
  let firstMs = 0;
  const watching = setInterval(() => {
    if (firstMs === 0 && sizeOf(log) > grown) firstMs = Date.now();
  }, 5);
  const run = await measure(process.execPath, [ORDERCTL, 'consume', '--until-end', '--quiet', '-o', 'json'], {
    env,
  });
  clearInterval(watching);
  const last = statSync(log).mtimeMs;
  return { ...run, firstMs: firstMs || startedAt, seconds: (last - (firstMs || startedAt)) / 1_000 };
}

/** @param {string} file */
function sizeOf(file) {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

/** @param {string} folder */
function sizeMiB(folder) {
  return readdirSync(folder).reduce((sum, name) => sum + sizeOf(join(folder, name)), 0) / 2 ** 20;
}
