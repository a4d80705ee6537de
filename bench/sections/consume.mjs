// @ts-check
import { rmSync } from 'node:fs';
import { say } from '../lib/cluster.mjs';
import { median } from '../lib/measure.mjs';
import { createTopic, fillTopic } from '../lib/orders.mjs';
import { floor, kafkaStreams, noop, orderctl, python } from '../lib/programs.mjs';
import { orDash, printTable, whole } from '../lib/table.mjs';

/** @typedef {{cluster: import('../lib/cluster.mjs').Cluster, orders: number, runs: number}} Bench */

const SHOP = { users: 1_000, items: 1_000 };

/**
 * The same orders, read by each program in turn, several times over.
 *
 * @param {Bench} bench
 */
export async function benchConsume(bench) {
  const { cluster, orders } = bench;
  const topic = 'bench-consume';
  await createTopic(cluster, topic);
  await fillTopic(cluster, topic, { to: orders, ...SHOP });
  const programs = [orderctl, floor, noop, await kafkaStreams(), python()].filter(
    (program) => program !== null,
  );
  const results = await inTurn(bench, programs, topic, SHOP);
  const rate = (/** @type {string} */ name) => results.get(name)?.rate ?? NaN;
  printTable(
    `Consuming ${whole(orders)} orders, ${SHOP.users} users, ${SHOP.items} items, medians of ${bench.runs}`,
    ['program', 'orders/s', 'of the floor', 'CPU s', 'peak MiB', 'bytes/order'],
    programs.map(({ name }) => {
      const found = results.get(name);
      return [
        name,
        whole(rate(name)),
        (rate(name) / rate(floor.name)).toFixed(2),
        orDash(found?.cpuSeconds ?? null),
        orDash(found?.peakMiB ?? null, 0),
        orDash(found?.bytesPerOrder ?? null, 0),
      ];
    }),
  );
}

/**
 * @param {Bench} bench
 * @param {readonly import('../lib/programs.mjs').Program[]} programs
 * @param {string} topic
 * @param {{users: number, items: number}} size
 */
export async function inTurn({ cluster, orders, runs }, programs, topic, size) {
  /** @type {Map<string, import('../lib/programs.mjs').Result[]>} */
  const all = new Map(programs.map(({ name }) => [name, []]));
  for (let round = 1; round <= runs; round += 1) {
    for (const [index, program] of programs.entries()) {
      const id = `${topic}-${index}-${round}`;
      const result = await program.run({ cluster, topic, count: orders, ...size, id });
      if (result.count !== orders) throw new Error(`${program.name} handled ${result.count} of ${orders}`);
      say(`${topic}, ${program.name}, run ${round}: ${whole(result.count / result.seconds)}/s`);
      all.get(program.name)?.push(result);
      rmSync(result.folder, { recursive: true, force: true });
    }
  }
  return new Map([...all].map(([name, results]) => [name, summary(results)]));
}

/** @param {readonly import('../lib/programs.mjs').Result[]} results */
function summary(results) {
  const middle = (/** @type {(result: import('../lib/programs.mjs').Result) => number | null} */ of) => {
    const known = results.map(of).filter((value) => value !== null);
    return known.length === 0 ? null : median(known);
  };
  return {
    rate: median(results.map(({ count, seconds }) => count / seconds)),
    cpuSeconds: middle(({ cpuSeconds }) => cpuSeconds),
    peakMiB: middle(({ peakMiB }) => peakMiB),
    bytesPerOrder: middle(({ writtenBytes, count }) => (writtenBytes === null ? null : writtenBytes / count)),
  };
}
