// @ts-check
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ORDERCTL, ROOT } from '../lib/cluster.mjs';
import { closedLoad, openLoad } from '../lib/http-load.mjs';
import { median, percentile } from '../lib/measure.mjs';
import {
  client,
  createTopic,
  encodeOrder,
  fillTopic,
  idOf,
  orderType,
  registerSchema,
  writeShop,
} from '../lib/orders.mjs';
import { orderctl, settingsOf } from '../lib/programs.mjs';
import { printTable, whole } from '../lib/table.mjs';

const SHOP = { users: 1_000, items: 1_000 };
const CLIENTS = 64;
const SECONDS = 8;
const WARM_UP_SECONDS = 2;
const READS_PER_SECOND = 1_000;
/** Until the requests that arrived while the server was cold are answered. */
const READS_WARM_UP_SECONDS = 6;
const LISTENERS = 500;
const ORDERS_PER_SECOND = 500;

/**
 * The HTTP API: placing orders, compared with a bare handler that sends the same record; reading one order out of many;
 * and live events with many listeners.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchHttp(bench) {
  await benchPlacing(bench);
  await benchReading(bench);
  await benchListening(bench);
}

/** @param {import('./consume.mjs').Bench} bench */
export async function benchPlacing({ cluster, orders, runs }) {
  const seconds = Math.min(SECONDS, Math.ceil(orders / 10_000));
  /** @type {Map<string, import('../lib/http-load.mjs').Answers[]>} */
  const all = new Map([
    ['orderctl serve', []],
    ['bare Fastify, kafkajs', []],
  ]);
  for (let round = 1; round <= runs; round += 1) {
    for (const [name, found] of all) {
      const topic = `bench-http-${name.replaceAll(/\W+/g, '-')}-${round}`;
      await createTopic(cluster, topic);
      const job = { cluster, topic, count: 0, ...SHOP, id: topic };
      const env = settingsOf(job);
      writeShop(env.ORDERCTL_STORAGE, SHOP);
      const args =
        name === 'orderctl serve'
          ? [ORDERCTL, 'serve', '--port', '0', '-o', 'json']
          : [join(ROOT, 'bench', 'peers', 'http-floor.mjs'), cluster.brokers, cluster.registry, topic];
      const server = await startServer(args, env);
      const load = { clients: CLIENTS, seconds, warmUpSeconds: WARM_UP_SECONDS, status: 202 };
      found.push(await closedLoad(server.url, load, placing));
      await server.stop();
    }
  }
  const middle = (/** @type {string} */ name, /** @type {'rate' | 'p50' | 'p99' | 'failed'} */ key) =>
    median((all.get(name) ?? []).map((answers) => answers[key]));
  const floor = 'bare Fastify, kafkajs';
  printTable(
    `POST /order, ${CLIENTS} clients for ${seconds} s, answered once Kafka has it, medians of ${runs}`,
    ['program', 'orders/s', 'p50 ms', 'p99 ms', 'failed', 'rate of bare', 'p99 of bare'],
    [...all.keys()].map((name) => [
      name,
      whole(middle(name, 'rate')),
      middle(name, 'p50').toFixed(1),
      middle(name, 'p99').toFixed(1),
      whole(middle(name, 'failed')),
      (middle(name, 'rate') / middle(floor, 'rate')).toFixed(2),
      (middle(name, 'p99') / middle(floor, 'p99')).toFixed(2),
    ]),
  );
}

/** @param {number} n */
function placing(n) {
  const order = { order_id: idOf(n), user: `u${n % SHOP.users}`, item: `i${n % SHOP.items}`, quantity: 1 };
  return { method: 'POST', path: '/order', body: JSON.stringify(order) };
}

/** @param {import('./consume.mjs').Bench} bench */
export async function benchReading({ cluster, orders }) {
  const topic = 'bench-http-reading';
  await createTopic(cluster, topic);
  await fillTopic(cluster, topic, { to: orders, ...SHOP });
  const job = { cluster, topic, count: orders, ...SHOP, id: topic };
  await orderctl.run(job);
  const server = await startServer([ORDERCTL, 'serve', '--port', '0', '-o', 'json'], settingsOf(job));
  const reading = () => ({ method: 'GET', path: `/orders/${idOf(Math.floor(Math.random() * orders))}` });
  const load = {
    perSecond: READS_PER_SECOND,
    seconds: SECONDS,
    warmUpSeconds: READS_WARM_UP_SECONDS,
    status: 200,
  };
  const found = await openLoad(server.url, load, reading);
  const peakMiB = server.peakMiB();
  // The cost of HTTP on this machine: this path looks nothing up.
  const bare = await openLoad(server.url, load, () => ({ method: 'GET', path: '/healthz' }));
  printTable(
    `GET at ${whole(READS_PER_SECOND)} a second, from when each was due`,
    ['path', 'orders', 'p50 ms', 'p99 ms', 'failed', 'MiB'],
    [
      [
        '/orders/ID',
        whole(orders),
        found.p50.toFixed(1),
        found.p99.toFixed(1),
        whole(found.failed),
        whole(peakMiB),
      ],
      ['/healthz', '', bare.p50.toFixed(1), bare.p99.toFixed(1), whole(bare.failed), ''],
    ],
  );
  await server.stop();
}

/** @param {import('./consume.mjs').Bench} bench */
async function benchListening({ cluster, orders }) {
  const topic = 'bench-http-listening';
  await createTopic(cluster, topic);
  const seconds = Math.min(20, Math.ceil(orders / ORDERS_PER_SECOND));
  const job = { cluster, topic, count: 0, ...SHOP, id: topic };
  const env = settingsOf(job);
  writeShop(env.ORDERCTL_STORAGE, SHOP);
  const server = await startServer([ORDERCTL, 'serve', '--port', '0', '-o', 'json'], env);
  const consumer = spawn(process.execPath, [ORDERCTL, 'consume', '--quiet'], {
    env: { ...process.env, ...env },
    stdio: 'ignore',
  });
  /** @type {number[]} */
  const late = [];
  const listeners = Array.from({ length: LISTENERS }, () => listen(server.url, late));
  await sleep(3_000);
  await sendSteadily(cluster, topic, seconds);
  const count = seconds * ORDERS_PER_SECOND;
  for (let n = 0; n < 100 && listeners.some(({ orders: seen }) => seen() < count); n += 1) await sleep(100);
  const whoHaveAll = listeners.filter(({ orders: seen }) => seen() === count).length;
  late.sort((a, b) => a - b);
  printTable(
    `${LISTENERS} listeners of GET /events at ${ORDERS_PER_SECOND} orders/s for ${seconds} s, from commit to client`,
    ['listeners that have all', 'p50 ms', 'p99 ms', 'MiB of the server'],
    [
      [
        whole(whoHaveAll),
        whole(percentile(late, 0.5)),
        whole(percentile(late, 0.99)),
        whole(server.peakMiB()),
      ],
    ],
  );
  for (const { close } of listeners) close();
  consumer.kill('SIGTERM');
  await server.stop();
}

/**
 * @param {string} url
 * @param {number[]} late receives how long after its commit the latest order of each event arrived
 */
function listen(url, late) {
  let orders = 0;
  const request = get(`${url}/events`, { agent: false }, (response) => {
    let rest = '';
    response.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
      const blocks = (rest + text).split('\n\n');
      rest = blocks.pop() ?? '';
      const at = Date.now();
      for (const block of blocks) {
        if (!block.includes('event: decisions\n')) continue;
        const {
          accepted,
          rejected,
          orders: latest,
        } = /** @type {{accepted: number, rejected: number, orders: {decided_at: string}[]}} */ (
          JSON.parse(block.slice(block.indexOf('data: ') + 6))
        );
        orders += accepted + rejected;
        late.push(at - Date.parse(latest.at(-1)?.decided_at ?? ''));
      }
    });
    response.on('error', () => undefined);
  });
  request.on('error', () => undefined);
  return { orders: () => orders, close: () => request.destroy() };
}

/**
 * @param {import('../lib/cluster.mjs').Cluster} cluster
 * @param {string} topic
 * @param {number} seconds
 */
async function sendSteadily(cluster, topic, seconds) {
  const schemaId = await registerSchema(cluster, topic);
  const type = orderType();
  const producer = client(cluster.brokers).producer();
  await producer.connect();
  const start = performance.now();
  const perSend = ORDERS_PER_SECOND / 20;
  for (let sent = 0; sent < seconds * ORDERS_PER_SECOND; sent += perSend) {
    const messages = Array.from({ length: perSend }, (_, i) => {
      return { key: idOf(sent + i), value: encodeOrder(type, schemaId, sent + i, SHOP) };
    });
    await producer.send({ topic, messages, acks: -1 });
    const due = start + ((sent + perSend) / ORDERS_PER_SECOND) * 1_000;
    if (due > performance.now()) await sleep(due - performance.now());
  }
  await producer.disconnect();
}

/**
 * @param {readonly string[]} args of a program that prints `{"url"}`
 * @param {NodeJS.ProcessEnv} env
 */
async function startServer(args, env) {
  const child = spawn(process.execPath, [...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  /** @type {string} */
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    void exited.then((code) => reject(new Error(`${args.join(' ')} exited with ${code}`)));
  });
  const { url } = /** @type {{url: string}} */ (JSON.parse(line));
  return {
    url,
    peakMiB: () =>
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? NaN) / 1_024,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
