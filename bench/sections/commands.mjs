// @ts-check
import { join } from 'node:path';
import { ORDERCTL } from '../lib/cluster.mjs';
import { measure, median } from '../lib/measure.mjs';
import { createTopic, fillTopic, idOf, writeShop } from '../lib/orders.mjs';
import { orderctl, settingsOf } from '../lib/programs.mjs';
import { orDash, printTable } from '../lib/table.mjs';

const RUNS = 15;
const LARGE_RUNS = 3;
const LARGE_ROWS = 1_000_000;

/**
 * The time that a simple command takes in addition to `node -e 0`, with a thousand rows and with a million.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchCommands({ cluster, orders }) {
  const shop = { users: 1_000, items: 1_000 };
  const topic = 'bench-commands';
  await createTopic(cluster, topic);
  await fillTopic(cluster, topic, { to: orders, ...shop });
  const job = { cluster, topic, count: orders, ...shop, id: topic };
  await orderctl.run(job);
  const small = settingsOf(job);
  const large = { ...small, ORDERCTL_STORAGE: join(cluster.folder, 'large') };
  writeShop(large.ORDERCTL_STORAGE, { users: LARGE_ROWS, items: LARGE_ROWS });

  const bare = await timed(['-e', '0'], {}, RUNS);
  const rows = [
    ['user show', ['user', 'show'], small, RUNS],
    ['inventory update', ['inventory', 'update', '--item', 'i1', '--by', '+1'], small, RUNS],
    ['order show', ['order', 'show', idOf(1)], small, RUNS],
    ['user show, a million rows', ['user', 'show'], large, LARGE_RUNS],
    ['inventory show -o json, a million rows', ['inventory', 'show', '-o', 'json'], large, LARGE_RUNS],
  ];
  const table = [['node -e 0', bare.ms.toFixed(0), '0', orDash(bare.peakMiB, 0)]];
  for (const [name, args, env, runs] of /** @type {[string, string[], NodeJS.ProcessEnv, number][]} */ (
    rows
  )) {
    const found = await timed([ORDERCTL, ...args], env, runs);
    table.push([name, found.ms.toFixed(0), (found.ms - bare.ms).toFixed(0), orDash(found.peakMiB, 0)]);
  }
  printTable('Commands, medians', ['command', 'ms', 'beyond node', 'peak MiB'], table);
}

/**
 * @param {string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {number} runs
 */
async function timed(args, env, runs) {
  const all = [];
  for (let run = 0; run < runs; run += 1) all.push(await measure(process.execPath, args, { env }));
  const peaks = all.map(({ peakMiB }) => peakMiB ?? 0);
  return {
    ms: median(all.map(({ wallSeconds }) => wallSeconds * 1_000)),
    peakMiB: Math.max(...peaks) || null,
  };
}
