// @ts-check
import pg from 'pg';
import { orderDecoder, peerArguments, readAll } from './read.mjs';

/*
 * The same rows into the same tables on raw kafkajs and pg, with their indexes and constraints: orders and lines by
 * unnest, what is left of each item, one transaction a batch. No second look at ids, no positions, no numbers of commits, no
 * recovery. With ORDERCTL_BENCH_NAIVE=1 as it is usually written: a transaction an order.
 */
const given = peerArguments();
const decode = orderDecoder();
const isNaive = process.env.ORDERCTL_BENCH_NAIVE === '1';
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
    ...[ids, seq, Date.now(), given.topic],
    ...[orders.map(({ user }) => user), orders.map(({ created_at: at }) => at)],
  ]);
  await client.query(INSERT_LINES, [
    ...[ids, lines.map(({ item }) => item)],
    ...[lines.map(({ quantity }) => quantity), before],
  ]);
  await client.query(UPDATE_ITEMS, [[...stock.keys()], [...stock.values()]]);
  await client.query('COMMIT');
}

await readAll(given, async (messages) => {
  const orders = messages.flatMap(({ value }) => (value === null ? [] : [decode(value)]));
  if (!isNaive) return store(orders);
  for (const order of orders) await store([order]);
});
await client.end();
