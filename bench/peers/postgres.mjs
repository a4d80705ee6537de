// @ts-check
import pg from 'pg';
import { client as kafka } from '../lib/orders.mjs';
import { orderDecoder, peerArguments, readAll } from './read.mjs';

/*
 * Writes the same rows into the same tables, with their indexes and constraints, on raw kafkajs and pg: orders and
 * lines by unnest, the new stock of each item, one transaction per batch. No check for repeated ids, no positions, no
 * commit numbers, no recovery. With ORDERCTL_BENCH_NAIVE=1 as it is usually written: one transaction per order. With
 * ORDERCTL_BENCH_EVENTS=1 each stock change is also announced, through an outbox like orderctl's, which is sent and
 * emptied after the commit.
 */
const given = peerArguments();
const decode = orderDecoder();
const isNaive = process.env.ORDERCTL_BENCH_NAIVE === '1';
const announces = process.env.ORDERCTL_BENCH_EVENTS === '1';
const EVENTS = 'inventory-events';
const producer = kafka(given.brokers).producer({ idempotent: true, maxInFlightRequests: 1 });
if (announces) await producer.connect();
const client = new pg.Client(process.env.ORDERCTL_BENCH_STORE);
await client.connect();

const INSERT_ORDERS = `INSERT INTO orderctl.orders (order_id, seq, ordinal, status, user_name, created_at, decided_at, topic,
    partition, record_offset)
  SELECT order_id, $2, ordinal, 'accepted', user_name, created_at, $3, $4, 0, ordinal
  FROM unnest($1::text[], $5::text[], $6::float8[]) WITH ORDINALITY AS o (order_id, user_name, created_at, ordinal)`;
const INSERT_LINES = `INSERT INTO orderctl.order_lines (order_id, line, item, quantity, unit_price, stock)
  SELECT order_id, 0, item, quantity, NULL, stock
  FROM unnest($1::text[], $2::text[], $3::float8[], $4::bigint[]) AS l (order_id, item, quantity, stock)`;
const LOCK_ITEMS =
  'SELECT item, quantity FROM orderctl.inventory WHERE item = ANY($1) ORDER BY item FOR UPDATE';
const USERS = 'SELECT user_name, status FROM orderctl.users WHERE user_name = ANY($1)';
const UPDATE_ITEMS = `UPDATE orderctl.inventory i SET quantity = q.quantity, updated_at = now()
  FROM unnest($1::text[], $2::bigint[]) AS q (item, quantity) WHERE i.item = q.item`;
const INSERT_OUTBOX = `INSERT INTO orderctl.outbox (destination, shard, messages, message_count)
  SELECT $1, shard, messages::json, $4 FROM unnest($2::smallint[], $3::text[]) AS o (shard, messages) RETURNING id`;
const UPSERT_REVISIONS = `INSERT INTO orderctl.small_tables (table_name, key, value, seq)
  SELECT 'item_revisions', key, value::json, $3 FROM unnest($1::text[], $2::text[]) AS r (key, value)
  ON CONFLICT (table_name, key) DO UPDATE SET value = EXCLUDED.value, seq = EXCLUDED.seq`;
const SHARDS = 16;
/** Some 400 KB: a broker accepts 1 MB. */
const MOST_IN_A_REQUEST = 2_000;

let seq = 0;

/** @param {readonly {order_id: string, user: string, items: {item: string, quantity: number}[], created_at: number}[]} orders of one line each */
async function store(orders) {
  seq += 1;
  await client.query("BEGIN; SET LOCAL orderctl.is_own = 'on'");
  const users = await client.query(USERS, [[...new Set(orders.map(({ user }) => user))]]);
  const paid = new Set(users.rows.filter(({ status }) => status === 'paid').map((row) => row.user_name));
  const lines = orders
    .filter(({ user }) => paid.has(user))
    .map(({ order_id: id, items: [line] }) => ({
      id,
      item: line?.item ?? '',
      quantity: line?.quantity ?? 0,
    }));
  const locked = await client.query(LOCK_ITEMS, [[...new Set(lines.map(({ item }) => item))]]);
  const stock = new Map(locked.rows.map(({ item, quantity }) => [item, Number(quantity)]));
  const before = lines.map(({ item, quantity }) => {
    const onHand = stock.get(item) ?? 0;
    if (onHand < quantity) throw new Error(`not enough ${item}`);
    stock.set(item, onHand - quantity);
    return onHand;
  });
  const ids = lines.map(({ id }) => id);
  await client.query(INSERT_ORDERS, [
    ids,
    seq,
    Date.now(),
    given.topic,
    orders.map(({ user }) => user),
    orders.map(({ created_at: at }) => at),
  ]);
  await client.query(INSERT_LINES, [
    ids,
    lines.map(({ item }) => item),
    lines.map(({ quantity }) => quantity),
    before,
  ]);
  await client.query(UPDATE_ITEMS, [[...stock.keys()], [...stock.values()]]);
  const announce = announces ? await writeEvents(lines, before) : async () => undefined;
  await client.query('COMMIT');
  await announce();
}

/** @type {Map<string, number>} */
const revisions = new Map();

/**
 * @param {readonly {id: string, item: string, quantity: number}[]} lines
 * @param {readonly number[]} before the stock on hand before
 */
async function writeEvents(lines, before) {
  const events = lines.map(({ id, item, quantity }, index) => {
    const revision = (revisions.get(item) ?? 0) + 1;
    revisions.set(item, revision);
    const fields = {
      event_id: `bench/${item}/${revision}`,
      item,
      revision,
      delta: -quantity,
      on_hand: (before[index] ?? 0) - quantity,
      cause: 'sale',
      order_id: id,
      at: Date.now(),
    };
    return { kind: 'message', id: fields.event_id, type: EVENTS, key: item, fields, traceparent: null };
  });
  const items = [...new Set(lines.map(({ item }) => item))];
  const values = items.map((item) => JSON.stringify({ revision: revisions.get(item) }));
  await client.query(UPSERT_REVISIONS, [items, values, seq]);
  const shards = Array.from({ length: SHARDS }, (_, shard) => shard);
  const groups = shards.map((shard) => JSON.stringify(events.filter((_, index) => index % SHARDS === shard)));
  const { rows } = await client.query(INSERT_OUTBOX, [
    EVENTS,
    shards,
    groups,
    Math.ceil(events.length / SHARDS),
  ]);
  return async () => {
    const messages = events.map(({ key, id, fields }) => ({
      key,
      value: JSON.stringify(fields),
      headers: { ce_id: id, ce_type: EVENTS },
    }));
    for (let from = 0; from < messages.length; from += MOST_IN_A_REQUEST) {
      await producer.send({ topic: EVENTS, messages: messages.slice(from, from + MOST_IN_A_REQUEST) });
    }
    await client.query('DELETE FROM orderctl.outbox WHERE id = ANY($1)', [rows.map(({ id }) => id)]);
  };
}

await readAll(given, async (messages) => {
  const orders = messages.flatMap(({ value }) => (value === null ? [] : [decode(value)]));
  if (!isNaive) return store(orders);
  for (const order of orders) await store([order]);
});
if (announces) await producer.disconnect();
await client.end();
