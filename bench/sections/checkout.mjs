// @ts-check
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ORDERCTL, ROOT, say } from '../lib/cluster.mjs';
import { measure, median, percentile } from '../lib/measure.mjs';
import { createTopic, writeShop } from '../lib/orders.mjs';
import { buildStreams, settingsOf } from '../lib/programs.mjs';
import { orDash, printTable, whole } from '../lib/table.mjs';

const SHOP = { users: 1_000, items: 1_000, price: '2.50' };
/** More would take minutes per run and change nothing. */
const MOST_ORDERS = 20_000;
const LONG_ORDERS = 1_000_000;
const PER_SECOND = 200;
const LATENCY_SECONDS = 20;
/** Not counted: the first answers of newly started programs are slow. */
const WARM_UP_SECONDS = 2;
/** Messages that the topology sends. */
const SENT = [
  'orders.validated',
  'orders.rejected',
  'payments.processed',
  'payments.failed',
  'inventory.reserved',
  'shipments.created',
  'shipments.dispatched',
  'notifications.outbound',
];

/** @typedef {import('./consume.mjs').Bench} Bench */
/** @typedef {{rate: number, p50: number, p99: number, cpuSeconds: number | null, peakMiB: number | null}} Result */
/** @typedef {{cluster: Bench['cluster'], topic: string, count: number, id: string, users: number, items: number}} Job */

/**
 * Orders of the checkout through all processors in one process on one folder, from the first that is validated to the
 * last that is dispatched; and the same records through a Kafka Streams topology of the same steps.
 *
 * @param {Bench} bench
 */
export async function benchCheckout({ cluster, orders, runs }) {
  const count = Math.min(orders, MOST_ORDERS);
  const streams = buildStreams();
  /** @type {Map<string, Result[]>} */
  const results = new Map();
  for (let round = 1; round <= runs; round += 1) {
    const job = jobOf(cluster, `bench-checkout-${round}`, count);
    await produce(job, ['--seed', `${round}`]);
    note(results, 'orderctl run', await runOrderctl(job));
    if (streams !== null) note(results, STREAMS, await runStreams(streams, job));
  }
  print(`${whole(count)} orders of the checkout, medians of ${runs}`, results, count);
}

const STREAMS = 'Kafka Streams, exactly_once_v2';

/**
 * The time from an order to its dispatch, at 200 orders a second.
 *
 * @param {Bench} bench
 */
export async function benchCheckoutLatency({ cluster, runs }) {
  const count = PER_SECOND * LATENCY_SECONDS;
  const streams = buildStreams();
  /** @type {Map<string, Result[]>} */
  const results = new Map();
  for (let round = 1; round <= runs; round += 1) {
    const job = jobOf(cluster, `bench-checkout-latency-${round}`, count);
    await createTopic(cluster, job.topic);
    note(results, 'orderctl run', await besideOrderctl(job));
    if (streams === null) continue;
    const other = jobOf(cluster, `bench-checkout-latency-streams-${round}`, count);
    await createTopic(cluster, other.topic);
    let isReady = () => {};
    const ready = new Promise((resolve) => {
      isReady = () => resolve(null);
    });
    const running = runStreams(streams, other, (text) => {
      if (text.includes('running')) isReady();
    });
    await Promise.race([ready, running]);
    const [result] = await Promise.all([running, produce(other, ['--rate', `${PER_SECOND}`])]);
    note(results, STREAMS, result);
  }
  printTable(
    `Latency of the checkout at ${PER_SECOND} orders/s for ${LATENCY_SECONDS} s, from order to dispatch, medians of ${runs}`,
    ['program', 'p50 ms', 'p99 ms'],
    [...results].map(([name, all]) => [
      name,
      whole(median(all.map(({ p50 }) => p50))),
      whole(median(all.map(({ p99 }) => p99))),
    ]),
  );
}

/**
 * A million orders through one run, to measure its memory.
 *
 * @param {Bench} bench
 */
export async function benchCheckoutLong({ cluster, orders }) {
  const count = Math.max(orders, LONG_ORDERS);
  const job = jobOf(cluster, 'bench-checkout-long', count);
  await produce(job, ['--seed', '1']);
  const result = await runOrderctl(job);
  print(`${whole(count)} orders of the checkout in one run`, new Map([['orderctl run', [result]]]), count);
}

/**
 * @param {Bench['cluster']} cluster
 * @param {string} id
 * @param {number} count
 * @returns {Job}
 */
function jobOf(cluster, id, count) {
  return { cluster, topic: id, count, id, users: SHOP.users, items: SHOP.items };
}

/** Topics of its own: a new folder would read what an earlier job has sent. @param {Job} job */
function envOf(job) {
  const { channels } = JSON.parse(readFileSync(join(ROOT, 'docs', 'asyncapi.json'), 'utf8'));
  const names = Object.keys(channels).filter((name) => name !== 'orders' && !name.endsWith('.dlq'));
  const topicOf = (/** @type {string} */ name) =>
    name === 'orders.created' ? job.topic : `${job.id}.${name}`;
  const topics = names.map((name) => `${name}=${topicOf(name)}`).join(',');
  return { ...settingsOf(job), ORDERCTL_TOPIC: 'orders', ORDERCTL_TOPICS: topics };
}

/** @param {Job} job @param {readonly string[]} flags */
async function produce(job, flags) {
  const env = envOf(job);
  const { ORDERCTL_STORAGE: storage } = env;
  if (!existsSync(join(storage, 'users.csv'))) writeShop(storage, SHOP);
  const command = [ORDERCTL, 'produce', '--flow', 'checkout', '--count', `${job.count}`, '--quiet'];
  await measure(process.execPath, [...command, ...flags, '-o', 'json'], { env });
}

/** @param {Job} job @returns {Promise<Result>} */
async function runOrderctl(job) {
  const env = envOf(job);
  const command = [ORDERCTL, 'run', '--until-end', '--adopt', '--quiet', '-o', 'json'];
  const { cpuSeconds, peakMiB } = await measure(process.execPath, command, { env });
  const log = await readLog(env.ORDERCTL_STORAGE);
  if (log.ended !== job.count) throw new Error(`${log.ended} of ${job.count} orders have finished`);
  return { rate: job.count / ((log.last - log.first) / 1000), p50: NaN, p99: NaN, cpuSeconds, peakMiB };
}

/** @param {Job} job @returns {Promise<Result>} */
async function besideOrderctl(job) {
  const env = envOf(job);
  const { ORDERCTL_STORAGE: storage } = env;
  writeShop(storage, SHOP);
  const command = [ORDERCTL, 'run', '--adopt', '-o', 'json'];
  const child = spawn(process.execPath, command, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  await new Promise((resolve) => {
    child.stderr.setEncoding('utf8').on('data', (text) => text.includes('delivery reads') && resolve(null));
    void exited.then(resolve);
  });
  await produce(job, ['--rate', `${PER_SECOND}`]);
  let log = await readLog(storage);
  for (let look = 0; log.ended < job.count && look < 120; look += 1) {
    await sleep(500);
    log = await readLog(storage);
  }
  child.kill('SIGINT');
  await exited;
  if (log.ended !== job.count) throw new Error(`${log.ended} of ${job.count} orders have finished`);
  const warm = log.latencies.slice(PER_SECOND * WARM_UP_SECONDS).sort((a, b) => a - b);
  return {
    rate: NaN,
    cpuSeconds: null,
    peakMiB: null,
    p50: percentile(warm, 0.5),
    p99: percentile(warm, 0.99),
  };
}

/**
 * @param {{command: string, args: string[]}} streams
 * @param {Job} job
 * @param {(text: string) => void} [onStdout]
 * @returns {Promise<Result>}
 */
async function runStreams({ command, args }, job, onStdout = () => undefined) {
  const { cluster, topic, count, users, items } = job;
  const id = `${job.id}-streams`;
  for (const name of SENT) await createTopic(cluster, `${id}.${name}`);
  const folder = join(cluster.folder, id);
  const given = [cluster.brokers, topic, id, folder, `${count}`, `${users}`, `${items}`];
  const schemas = join(ROOT, 'docs', 'schemas');
  const run = await measure(command, [...args, 'Checkout', ...given, schemas], { onStdout });
  const line = run.stdout.trim().split('\n').at(-1) ?? '';
  const { first, last, p50, p99 } = /** @type {{first: number, last: number, p50: number, p99: number}} */ (
    JSON.parse(line)
  );
  const { cpuSeconds, peakMiB } = run;
  return { rate: count / ((last - first) / 1000), p50, p99, cpuSeconds, peakMiB };
}

/**
 * Times from the log of the checkout: when the first order was validated and the last finished, and how long each took
 * from when it was placed.
 *
 * @param {string} storage
 */
async function readLog(storage) {
  /** @type {{first: number, last: number, ended: number, latencies: number[]}} */
  const log = { first: Infinity, last: 0, ended: 0, latencies: [] };
  const file = join(storage, 'checkout.jsonl');
  if (!existsSync(file)) return log;
  /** @type {Map<string, number>} */
  const placed = new Map();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    /** @type {{step: string, at: string, order_id: string, created_at?: string}} */
    const { step, at, order_id, created_at } = JSON.parse(line);
    const time = Date.parse(at);
    log.first = Math.min(log.first, time);
    log.last = Math.max(log.last, time);
    if (created_at !== undefined) placed.set(order_id, Date.parse(created_at));
    if (step !== 'dispatched' && step !== 'declined' && step !== 'rejected') continue;
    log.ended += 1;
    log.latencies.push(time - (placed.get(order_id) ?? NaN));
    placed.delete(order_id);
  }
  return log;
}

/** @param {Map<string, Result[]>} results @param {string} name @param {Result} result */
function note(results, name, result) {
  const { rate, p50, p99 } = result;
  const latency = Number.isNaN(p50) ? '' : `p50 ${p50} ms, p99 ${p99} ms`;
  say(`${name}: ${[Number.isNaN(rate) ? '' : `${whole(rate)}/s`, latency].filter(Boolean).join(', ')}`);
  results.set(name, [...(results.get(name) ?? []), result]);
}

/** @param {string} title @param {Map<string, Result[]>} results @param {number} count */
function print(title, results, count) {
  printTable(
    title,
    ['program', 'orders/s', 'CPU ms an order', 'peak MiB'],
    [...results].map(([name, all]) => [
      name,
      whole(median(all.map(({ rate }) => rate))),
      orDash((median(all.map(({ cpuSeconds }) => cpuSeconds ?? NaN)) * 1000) / count, 2),
      whole(Math.max(...all.map(({ peakMiB }) => peakMiB ?? NaN))),
    ]),
  );
}
