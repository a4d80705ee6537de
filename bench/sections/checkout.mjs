// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ORDERCTL } from '../lib/cluster.mjs';
import { measure, median } from '../lib/measure.mjs';
import { writeShop } from '../lib/orders.mjs';
import { settingsOf } from '../lib/programs.mjs';
import { orDash, printTable, whole } from '../lib/table.mjs';

const SHOP = { users: 1_000, items: 1_000 };
/** More take minutes for each run, and change nothing. */
const MOST_ORDERS = 20_000;

/**
 * Orders of the checkout through all processors in one process on one folder, from the first that is validated to the
 * last that is dispatched. Each round is new orders for the same shop.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchCheckout({ cluster, orders, runs }) {
  const count = Math.min(orders, MOST_ORDERS);
  const job = { cluster, topic: 'bench-checkout', count, ...SHOP, id: 'bench-checkout' };
  const env = settingsOf(job);
  writeShop(env.ORDERCTL_STORAGE, SHOP);
  const rates = [];
  /** @type {import('../lib/measure.mjs').Run[]} */
  const measured = [];
  for (let round = 1; round <= runs; round += 1) {
    const produce = ['produce', '--flow', 'checkout', '--count', `${count}`, '--seed', `${round}`, '--quiet'];
    await measure(process.execPath, [ORDERCTL, ...produce, '-o', 'json'], { env });
    const run = ['run', '--until-end', '--quiet', '-o', 'json'];
    measured.push(await measure(process.execPath, [ORDERCTL, ...run], { env }));
    rates.push(rateOf(join(env.ORDERCTL_STORAGE, 'checkout.jsonl'), round, count));
  }
  printTable(
    `${whole(count)} orders of the checkout, medians of ${runs}`,
    ['orders/s', 'CPU ms an order', 'peak MiB'],
    [
      [
        whole(median(rates)),
        orDash((median(measured.map(({ cpuSeconds }) => cpuSeconds ?? NaN)) * 1000) / count, 2),
        whole(Math.max(...measured.map(({ peakMiB }) => peakMiB ?? NaN))),
      ],
    ],
  );
}

/**
 * @param {string} file
 * @param {number} round
 * @param {number} count
 * @throws {Error} unless each order of the round was paid, completed and dispatched, or rejected
 */
function rateOf(file, round, count) {
  const ended = { first: Infinity, last: 0, orders: 0 };
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  let placed = 0;
  for (const line of lines) {
    const { step, at } = /** @type {{step: string, at: string}} */ (JSON.parse(line));
    const isPlaced = step === 'validated' || step === 'rejected';
    if (isPlaced) placed += 1;
    if (placed <= (round - 1) * count) continue;
    ended.first = Math.min(ended.first, Date.parse(at));
    ended.last = Math.max(ended.last, Date.parse(at));
    if (step === 'dispatched' || step === 'declined' || step === 'rejected') ended.orders += 1;
  }
  if (ended.orders !== count) throw new Error(`${ended.orders} orders of ${count} have ended`);
  return count / ((ended.last - ended.first) / 1000);
}
