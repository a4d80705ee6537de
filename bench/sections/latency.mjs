// @ts-check
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ORDERCTL, ROOT } from '../lib/cluster.mjs';
import { median, percentile } from '../lib/measure.mjs';
import {
  client,
  createTopic,
  encodeOrder,
  idOf,
  orderType,
  PARTITIONS,
  registerSchema,
  writeShop,
} from '../lib/orders.mjs';
import { settingsOf } from '../lib/programs.mjs';
import { printTable } from '../lib/table.mjs';

const SHOP = { users: 1_000, items: 1_000 };
const LONGEST_SECONDS = 20;
const PER_SECOND = 1_000;
const SEND_EVERY_MS = 10;
/** Not counted: while both programs are new, their code is not compiled yet and their first answers are slow. */
const WARM_UP_SECONDS = 2;

/**
 * From the acknowledged send to the line that reports the outcome, at a steady rate: orderctl prints a decision once it
 * is durable; the raw consumer prints a record the moment it receives it.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchLatency({ cluster, orders, runs }) {
  const seconds = Math.min(LONGEST_SECONDS, Math.ceil(orders / PER_SECOND));
  /** @type {Map<string, {p50: number[], p99: number[]}>} */
  const all = new Map();
  for (let round = 1; round <= runs; round += 1) {
    for (const program of [orderctlEach, rawStamp]) {
      const topic = `bench-latency-${program.name.replaceAll(/\W+/g, '-')}-${round}`;
      await createTopic(cluster, topic);
      const latencies = await measureOne(cluster, topic, program, seconds * PER_SECOND);
      const found = all.get(program.name) ?? { p50: [], p99: [] };
      found.p50.push(percentile(latencies, 0.5));
      found.p99.push(percentile(latencies, 0.99));
      all.set(program.name, found);
    }
  }
  const raw = all.get(rawStamp.name);
  printTable(
    `Latency at ${PER_SECOND} orders/s for ${seconds} s, from acknowledged send to durable commit, medians of ${runs}`,
    ['program', 'p50 ms', 'p99 ms', 'p50 of raw', 'p99 of raw'],
    [...all].map(([name, { p50, p99 }]) => [
      name,
      median(p50).toFixed(2),
      median(p99).toFixed(2),
      (median(p50) / median(raw?.p50 ?? [])).toFixed(2),
      (median(p99) / median(raw?.p99 ?? [])).toFixed(2),
    ]),
  );
}

/** @typedef {{name: string, args: (job: import('../lib/programs.mjs').Job) => string[]}} Reader */

/** @type {Reader} */
const orderctlEach = { name: 'orderctl consume', args: () => [ORDERCTL, 'consume', '--each', '-o', 'json'] };
/** @type {Reader} */
const rawStamp = {
  name: 'raw kafkajs',
  args: ({ cluster, topic, id, count }) => [
    join(ROOT, 'bench', 'peers', 'stamp.mjs'),
    cluster.brokers,
    topic,
    id,
    '-',
    `${count}`,
    '0',
    '0',
  ],
};

/**
 * @param {import('../lib/cluster.mjs').Cluster} cluster
 * @param {string} topic
 * @param {Reader} program
 * @param {number} count
 * @returns {Promise<number[]>} milliseconds, ascending
 */
async function measureOne(cluster, topic, program, count) {
  const job = { cluster, topic, count, ...SHOP, id: topic };
  const env = settingsOf(job);
  writeShop(env.ORDERCTL_STORAGE, SHOP);
  const child = spawn(process.execPath, program.args(job), {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  /** @type {Map<string, number>} */
  const seenAt = new Map();
  createInterface({ input: child.stdout }).on('line', (line) => {
    const id = /"order_id":"([^"]+)"/.exec(line)?.[1];
    if (id !== undefined) seenAt.set(id, performance.now());
  });
  await new Promise((resolve) => {
    child.stderr.on('data', (text) => String(text).includes('consuming') && resolve(undefined));
  });
  // Joining the group finishes a moment later.
  await sleep(1_000);
  const ackedAt = await sendSteadily(cluster, topic, job.count);
  while (seenAt.size < job.count && child.exitCode === null) await sleep(10);
  child.kill('SIGINT');
  const steady = [...ackedAt].slice(Math.min(WARM_UP_SECONDS * PER_SECOND, job.count / 2));
  return steady.map(([id, at]) => (seenAt.get(id) ?? NaN) - at).sort((a, b) => a - b);
}

/**
 * @param {import('../lib/cluster.mjs').Cluster} cluster
 * @param {string} topic
 * @param {number} count
 */
async function sendSteadily(cluster, topic, count) {
  const schemaId = await registerSchema(cluster, topic);
  const type = orderType();
  const producer = client(cluster.brokers).producer();
  await producer.connect();
  /** @type {Map<string, number>} */
  const ackedAt = new Map();
  const perSend = (PER_SECOND * SEND_EVERY_MS) / 1_000;
  const startedAt = performance.now();
  for (let sent = 0; sent < count; sent += perSend) {
    const messages = Array.from({ length: perSend }, (_, i) => {
      const n = sent + i;
      return {
        key: idOf(n),
        value: encodeOrder(type, schemaId, n, SHOP),
        partition: (sent / perSend) % PARTITIONS,
      };
    });
    await producer.send({ topic, messages, acks: -1 });
    const acked = performance.now();
    for (const { key } of messages) ackedAt.set(key, acked);
    const due = startedAt + ((sent + perSend) / PER_SECOND) * 1_000;
    if (due > acked) await sleep(due - acked);
  }
  await producer.disconnect();
  return ackedAt;
}
