// @ts-check
import { ORDERCTL } from '../lib/cluster.mjs';
import { measure, median } from '../lib/measure.mjs';
import { createTopic, fillTopic } from '../lib/orders.mjs';
import { orderctl, settingsOf } from '../lib/programs.mjs';
import { printTable, whole } from '../lib/table.mjs';
import { inTurn } from './consume.mjs';

const SHOP = { users: 1_000, items: 1_000 };

/** @type {readonly {name: string, mix: import('../lib/orders.mjs').Mix}[]} */
const MIXES = [
  { name: 'accepted', mix: {} },
  { name: 'rejected', mix: { unpaid: 100 } },
  { name: '10 % dead letters', mix: { garbage: 10 } },
];

/**
 * Topics of one kind of record each: records that do not become accepted orders must not be slow either.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchMixes(bench) {
  const rates = [];
  for (const [index, { name, mix }] of MIXES.entries()) {
    const topic = `bench-mix-${index}`;
    await createTopic(bench.cluster, topic);
    await fillTopic(bench.cluster, topic, { to: bench.orders, ...SHOP, mix });
    const results = await inTurn(bench, [orderctl], topic, SHOP);
    rates.push({ name, rate: results.get(orderctl.name)?.rate ?? NaN });
  }
  rates.push({ name: 'duplicates, start and stop included', rate: await rateOfDuplicates(bench) });
  const accepted = rates[0]?.rate ?? NaN;
  printTable(
    `Outcomes of ${whole(bench.orders)} records, medians of ${bench.runs}`,
    ['records', 'records/s', 'of accepted'],
    rates.map(({ name, rate }) => [name, whole(rate), (rate / accepted).toFixed(2)]),
  );
}

/**
 * All accepted orders once more. Nothing is written to the logs, so the duration of the whole run counts.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
async function rateOfDuplicates({ cluster, orders, runs }) {
  const job = { cluster, topic: 'bench-mix-0', count: orders, ...SHOP, id: 'bench-duplicates' };
  await orderctl.run(job);
  const rates = [];
  for (let round = 1; round <= runs; round += 1) {
    const args = [ORDERCTL, 'consume', '--reset', '--until-end', '--quiet', '-o', 'json'];
    const { stdout } = await measure(process.execPath, args, { env: settingsOf(job) });
    const { duplicates, seconds } = /** @type {{duplicates: number, seconds: number}} */ (JSON.parse(stdout));
    if (duplicates !== orders) throw new Error(`${duplicates} duplicates of ${orders}`);
    rates.push(duplicates / seconds);
  }
  return median(rates);
}
