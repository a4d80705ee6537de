// @ts-check
import { join } from 'node:path';
import pg from 'pg';
import { freePort } from '../../deploy/kafka/services.mjs';
import { startPostgres } from '../../deploy/postgres/server.mjs';
import { ORDERCTL, say } from '../lib/cluster.mjs';
import { measure, median } from '../lib/measure.mjs';
import { createTopic, fillTopic } from '../lib/orders.mjs';
import { peer, script, settingsOf } from '../lib/programs.mjs';
import { orDash, printTable, whole } from '../lib/table.mjs';

const SHOP = { users: 1_000, items: 1_000 };
/** The usual way of writing it would take an hour for more, at the same rate. */
const MOST_NAIVE = 10_000;
const STOCK = 1_000_000_000;

/**
 * @typedef {object} Way
 * @property {string} name
 * @property {number} items
 * @property {number} [most] orders
 * @property {string} [of] the lower bound that it is compared with
 * @property {(job: import('../lib/programs.mjs').Job, url: string) => Promise<{seconds: number, cpuSeconds: number | null}>} run
 */

/**
 * Orders into PostgreSQL, each round into its own database: by orderctl in one to three processes, by the least work
 * that the job can take, and by one transaction per order. With events, each stock change is announced, in the lower
 * bound too.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchPostgres({ cluster, orders, runs }) {
  const settings = { shared_buffers: '256MB', max_wal_size: '4GB', track_commit_timestamp: 'on' };
  const folder = join(cluster.folder, 'postgres');
  const service = await startPostgres({ folder, port: await freePort(), settings });
  try {
    /** @type {Map<string, {rate: number, cpu: number | null}[]>} */
    const found = new Map();
    const ways = waysOf();
    for (let round = 1; round <= runs; round += 1) {
      for (const [index, way] of ways.entries()) {
        const count = Math.min(orders, way.most ?? orders);
        const id = `bench-postgres-${index}-${round}`;
        const job = { cluster, topic: id, count, users: SHOP.users, items: way.items, id };
        const url = await openDatabase(service.address, id.replaceAll('-', '_'), job);
        await createTopic(cluster, job.topic);
        await fillTopic(cluster, job.topic, { to: count, users: SHOP.users, items: way.items });
        const { seconds, cpuSeconds } = await way.run(job, url);
        await checkBooks(url, count);
        say(`${way.name}, run ${round}: ${whole(count / seconds)}/s`);
        found.set(way.name, [...(found.get(way.name) ?? []), { rate: count / seconds, cpu: cpuSeconds }]);
      }
    }
    const rate = (/** @type {string} */ name) => median((found.get(name) ?? []).map((one) => one.rate));
    printTable(
      `${whole(orders)} orders into PostgreSQL, medians of ${runs}`,
      ['program', 'orders/s', 'of the floor', 'CPU s of the program'],
      ways.map(({ name, of = FLOOR }) => [
        name,
        whole(rate(name)),
        (rate(name) / rate(of)).toFixed(2),
        orDash(median((found.get(name) ?? []).map(({ cpu }) => cpu ?? NaN))),
      ]),
    );
  } finally {
    await service.stop();
  }
}

const FLOOR = 'floor: raw kafkajs and pg, no ids, no recovery';
const EVENTS_FLOOR = 'floor with events';

/** @returns {readonly Way[]} */
function waysOf() {
  const raw = peer(FLOOR, script('postgres.mjs'));
  const peerOn = (/** @type {{isNaive?: boolean, announces?: boolean}} */ how) => {
    return async (/** @type {import('../lib/programs.mjs').Job} */ job, /** @type {string} */ url) => {
      if (how.announces === true) await createTopic(job.cluster, 'inventory-events');
      Object.assign(process.env, {
        ORDERCTL_BENCH_STORE: url,
        ORDERCTL_BENCH_NAIVE: how.isNaive === true ? '1' : '0',
        ORDERCTL_BENCH_EVENTS: how.announces === true ? '1' : '0',
      });
      return raw.run(job);
    };
  };
  const plain = ['--no-events'];
  return [
    { name: 'orderctl consume --no-events', items: SHOP.items, run: consumeBy(1, plain) },
    { name: 'two processes', items: SHOP.items, run: consumeBy(2, plain) },
    { name: 'three processes', items: SHOP.items, run: consumeBy(3, plain) },
    { name: 'one hot item', items: 1, run: consumeBy(1, plain) },
    { name: FLOOR, items: SHOP.items, run: peerOn({}) },
    { name: 'a transaction an order', items: SHOP.items, most: MOST_NAIVE, run: peerOn({ isNaive: true }) },
    { name: 'orderctl consume', of: EVENTS_FLOOR, items: SHOP.items, run: consumeBy(1) },
    { name: 'with events, two processes', of: EVENTS_FLOOR, items: SHOP.items, run: consumeBy(2) },
    { name: EVENTS_FLOOR, of: EVENTS_FLOOR, items: SHOP.items, run: peerOn({ announces: true }) },
  ];
}

/** @param {number} processes @param {readonly string[]} [flags] @returns {Way['run']} */
function consumeBy(processes, flags = []) {
  return async (job, url) => {
    const env = { ...settingsOf(job), ORDERCTL_STORAGE: '', ORDERCTL_STORE: url };
    const args = [ORDERCTL, 'consume', '--until-end', '--quiet', '-o', 'json', ...flags];
    const all = await Promise.all(
      Array.from({ length: processes }, () => measure(process.execPath, args, { env })),
    );
    const [span] = await ask(
      url,
      `SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 * 1000 - min(decided_at) AS ms FROM orderctl.orders`,
    );
    const cpuSeconds = all.reduce((sum, one) => sum + (one.cpuSeconds ?? NaN), 0);
    return { seconds: Number(span?.ms) / 1000, cpuSeconds };
  };
}

/**
 * A database with the tables, users and items of a shop.
 *
 * @param {string} server
 * @param {string} name
 * @param {import('../lib/programs.mjs').Job} job
 */
async function openDatabase(server, name, job) {
  await ask(server, `CREATE DATABASE ${name}`);
  const url = server.replace(/\/[^/]*$/, `/${name}`);
  const env = { ...settingsOf(job), ORDERCTL_STORAGE: '', ORDERCTL_STORE: url };
  await measure(process.execPath, [ORDERCTL, 'user', 'add', 'bob', '--status', 'unpaid'], { env });
  await ask(
    url,
    `BEGIN; SET LOCAL orderctl.is_own = 'on';
     INSERT INTO orderctl.users (user_name, status) SELECT 'u' || n, 'paid' FROM generate_series(0, ${job.users - 1}) AS n;
     INSERT INTO orderctl.products (item) SELECT 'i' || n FROM generate_series(0, ${job.items - 1}) AS n;
     INSERT INTO orderctl.inventory (item, quantity) SELECT item, ${STOCK} FROM orderctl.products; COMMIT`,
  );
  return url;
}

/** @param {string} url @param {number} count */
async function checkBooks(url, count) {
  const [row] = await ask(
    url,
    `SELECT (SELECT count(*) FROM orderctl.orders)::int AS orders,
       (SELECT sum(quantity) FROM orderctl.order_lines)::float8 AS sold,
       (SELECT sum(${STOCK}::bigint - quantity) FROM orderctl.inventory)::float8 AS taken`,
  );
  if (row?.orders !== count || row.sold !== row.taken)
    throw new Error(`the books do not balance: ${JSON.stringify(row)}`);
}

/** @param {string} url @param {string} statement @returns {Promise<Record<string, unknown>[]>} */
async function ask(url, statement) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(statement)).rows ?? [];
  } finally {
    await client.end();
  }
}
