// @ts-check
import { createTopic, fillTopic } from '../lib/orders.mjs';
import { announcing, orderctl } from '../lib/programs.mjs';
import { orDash, printTable, whole } from '../lib/table.mjs';
import { inTurn } from './consume.mjs';

const SHOP = { users: 1_000, items: 1_000 };
const TOPIC = 'bench-events';

/**
 * The cost of announcing each stock change.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchEvents(bench) {
  await createTopic(bench.cluster, TOPIC);
  await fillTopic(bench.cluster, TOPIC, { to: bench.orders, ...SHOP });
  const results = await inTurn(bench, [orderctl, announcing], TOPIC, SHOP);
  const plain = results.get(orderctl.name);
  printTable(
    `${whole(bench.orders)} orders with and without inventory-events, medians of ${bench.runs}`,
    ['program', 'orders/s', 'of without', 'CPU s'],
    [...results].map(([name, { rate, cpuSeconds }]) => [
      name,
      whole(rate),
      (rate / (plain?.rate ?? NaN)).toFixed(2),
      orDash(cpuSeconds),
    ]),
  );
}
