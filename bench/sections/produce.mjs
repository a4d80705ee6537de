// @ts-check
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ORDERCTL, ROOT } from '../lib/cluster.mjs';
import { measure, median } from '../lib/measure.mjs';
import { createTopic, fillTopic, writeOrders } from '../lib/orders.mjs';
import { orderctl, settingsOf } from '../lib/programs.mjs';
import { orDash, printTable, whole } from '../lib/table.mjs';

const SHOP = { users: 1_000, items: 1_000 };

/**
 * Sending at full speed: a file, and the log again, compared with raw kafkajs with the same records and headers.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchProduce({ cluster, orders, runs }) {
  const folder = join(cluster.folder, 'produce');
  mkdirSync(folder);
  const file = join(folder, 'orders.ndjson');
  await writeOrders(file, orders, SHOP);

  // A log with that many orders to replay.
  await createTopic(cluster, 'bench-replayed');
  await fillTopic(cluster, 'bench-replayed', { to: orders, ...SHOP });
  const job = { cluster, count: orders, ...SHOP, topic: 'bench-replayed', id: 'bench-replayed' };
  const { folder: storage } = await orderctl.run(job);

  /** @type {Map<string, {rate: number, peakMiB: number | null}[]>} */
  const all = new Map();
  for (let round = 1; round <= runs; round += 1) {
    for (const [index, { name, args, raw }] of senders(file).entries()) {
      const topic = `bench-send-${index}-${round}`;
      await createTopic(cluster, topic);
      const env = {
        ...settingsOf({ ...job, topic, id: `send-${index}-${round}` }),
        ORDERCTL_STORAGE: storage,
      };
      const run = await measure(
        process.execPath,
        raw === name ? [...args, cluster.brokers, cluster.registry, topic, `${orders}`] : args,
        { env },
      );
      const { sent, seconds } = /** @type {{sent: number, seconds: number}} */ (
        JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '')
      );
      if (sent !== orders) throw new Error(`${name} sent ${sent} of ${orders}`);
      const found = all.get(name) ?? [];
      found.push({ rate: sent / seconds, peakMiB: run.peakMiB });
      all.set(name, found);
    }
  }
  const rateOf = (/** @type {string} */ name) => median((all.get(name) ?? []).map(({ rate }) => rate));
  printTable(
    `Sending ${whole(orders)} orders, medians of ${runs}`,
    ['program', 'orders/s', 'of raw', 'peak MiB'],
    senders(file).map(({ name, raw }) => {
      const peakMiB = Math.max(...(all.get(name) ?? []).map((result) => result.peakMiB ?? 0));
      return [name, whole(rateOf(name)), (rateOf(name) / rateOf(raw)).toFixed(2), orDash(peakMiB, 0)];
    }),
  );
}

const RAW = 'raw kafkajs, encoded before';
const RAW_REPLAY = 'raw kafkajs, encoded before, with the headers of a replay';

/**
 * @param {string} file
 * @returns {{name: string, args: string[], raw: string}[]} `raw`: the program to compare it with
 */
function senders(file) {
  const quiet = ['--quiet', '-o', 'json'];
  const send = join(ROOT, 'bench', 'peers', 'send.mjs');
  return [
    { name: 'orderctl produce --file', args: [ORDERCTL, 'produce', '--file', file, ...quiet], raw: RAW },
    { name: RAW, args: [send, 'plain'], raw: RAW },
    { name: 'orderctl replay', args: [ORDERCTL, 'replay', ...quiet], raw: RAW_REPLAY },
    { name: RAW_REPLAY, args: [send, 'replay'], raw: RAW_REPLAY },
  ];
}
