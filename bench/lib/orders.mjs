// @ts-check
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import avsc from 'avsc';
import kafkajs from 'kafkajs';
import { ROOT } from './cluster.mjs';

export const PARTITIONS = 6;
const SCHEMA = readFileSync(join(ROOT, 'docs', 'schemas', 'orders.avsc'), 'utf8');
const STOCK = 1_000_000_000;
const SEND_RECORDS = 5_000;

/**
 * @typedef {object} Mix how many of a hundred orders are of each kind
 * @property {number} [unpaid] rejected: their user has not paid
 * @property {number} [garbage] records that cannot be decoded
 */

/**
 * The type of the schema, with decimals as their raw bytes.
 *
 * @returns {import('avsc').Type}
 */
export function orderType() {
  return avsc.Type.forSchema(JSON.parse(SCHEMA));
}

/** @param {string} brokers */
export function client(brokers) {
  return new kafkajs.Kafka({ clientId: 'bench', brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING });
}

/**
 * Users u0…, of whom every one in `unpaid` has not paid, and items i0… with more in stock than is ever ordered.
 *
 * @param {string} storage
 * @param {{users: number, items: number, price?: string}} size
 */
export function writeShop(storage, { users, items, price = '' }) {
  mkdirSync(storage, { recursive: true });
  const lines = (
    /** @type {string} */ header,
    /** @type {number} */ count,
    /** @type {(i: number) => string} */ row,
  ) => `${header}\n${Array.from({ length: count }, (_, i) => row(i)).join('')}`;
  writeFileSync(
    join(storage, 'users.csv'),
    lines('user,status', users, (i) => `u${i},paid\n`) + 'bob,unpaid\n',
  );
  writeFileSync(
    join(storage, 'inventory.csv'),
    lines('item,quantity,price', items, (i) => `i${i},${STOCK},${price}\n`),
  );
}

/**
 * @param {import('./cluster.mjs').Cluster} cluster
 * @param {string} topic
 */
export async function createTopic(cluster, topic) {
  const admin = client(cluster.brokers).admin();
  await admin.connect();
  await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: PARTITIONS }] });
  // Waits here, because kafkajs waits for leaders and fails where a broker does not know the topic yet.
  for (let look = 0; !(await isLed(admin, topic)); look += 1) {
    if (look === 100) throw new Error(`${topic} has no leaders after ten seconds`);
    await sleep(100);
  }
  await admin.disconnect();
}

/** @param {import('kafkajs').Admin} admin @param {string} topic */
async function isLed(admin, topic) {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] }).catch(() => ({ topics: [] }));
  const found = topics[0]?.partitions ?? [];
  return found.length === PARTITIONS && found.every(({ leader }) => leader >= 0);
}

/**
 * @param {import('./cluster.mjs').Cluster} cluster
 * @param {string} topic
 * @returns {Promise<number>} the id of the order schema under the topic's subject
 */
export async function registerSchema(cluster, topic) {
  const answer = await fetch(`${cluster.registry}/subjects/${topic}-value/versions`, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: SCHEMA }),
  });
  if (!answer.ok) throw new Error(`registry: ${answer.status} ${await answer.text()}`);
  const { id } = /** @type {{id: number}} */ (await answer.json());
  return id;
}

/**
 * Encodes order number `n`, which has one line, in the Confluent wire format.
 *
 * @param {import('avsc').Type} type
 * @param {number} schemaId
 * @param {number} n
 * @param {{users: number, items: number, user?: string}} size
 */
export function encodeOrder(type, schemaId, n, { users, items, user }) {
  const line = { item: `i${(n * 7919) % items}`, quantity: 1 + (n % 3), unit_price: null };
  const order = {
    order_id: idOf(n),
    user: user ?? `u${n % users}`,
    items: [line],
    created_at: 1_760_000_000_000 + n,
  };
  const head = Buffer.alloc(5);
  head.writeInt32BE(schemaId, 1);
  return Buffer.concat([head, type.toBuffer(order)]);
}

/** @param {number} n */
export function idOf(n) {
  return `ORD-${String(n).padStart(12, '0')}`;
}

/**
 * Fills a topic with the orders from..to.
 *
 * @param {import('./cluster.mjs').Cluster} cluster
 * @param {string} topic
 * @param {{from?: number, to: number, users: number, items: number, mix?: Mix}} options
 */
export async function fillTopic(cluster, topic, { from = 0, to, users, items, mix = {} }) {
  const { unpaid = 0, garbage = 0 } = mix;
  const schemaId = await registerSchema(cluster, topic);
  const type = orderType();
  const producer = client(cluster.brokers).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let at = from; at < to; at += SEND_RECORDS) {
    const messages = [];
    for (let n = at; n < Math.min(at + SEND_RECORDS, to); n += 1) {
      const kind = n % 100;
      const user = kind < unpaid ? 'bob' : undefined;
      const isGarbage = kind >= unpaid && kind < unpaid + garbage;
      const value = isGarbage
        ? Buffer.from([9, 9, 9, n % 256])
        : encodeOrder(type, schemaId, n, { users, items, ...(user === undefined ? {} : { user }) });
      messages.push({ key: idOf(n), value, partition: n % PARTITIONS });
    }
    await producer.send({ topic, messages, acks: -1 });
  }
  await producer.disconnect();
}

/**
 * Writes orders as lines for `produce --file`.
 *
 * @param {string} file
 * @param {number} count
 * @param {{users: number, items: number}} size
 */
export async function writeOrders(file, count, { users, items }) {
  const out = createWriteStream(file);
  for (let n = 0; n < count; n += 1) {
    const line = `{"order_id":"${idOf(n)}","user":"u${n % users}","items":[{"item":"i${n % items}","quantity":${1 + (n % 3)}}]}\n`;
    if (!out.write(line)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'finish');
}
