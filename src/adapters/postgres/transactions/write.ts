import { ITEM_DETAILS, type DetailKind } from '../../../domain/tables.ts';
import type { Connection } from '../connection.ts';
import { insertLines, insertOrders } from '../rows/decisions.ts';
import { editValues, INSERT_EDITS } from '../rows/edits.ts';
import { rowsOf, shardOf } from '../rows/outgoing.ts';
import type { Writes } from './apply.ts';
import type { Loaded } from './loaded.ts';

/* One statement per table, however many rows: each takes arrays, one per column. */

const DELETE_USERS = 'DELETE FROM orderctl.users WHERE user_name = ANY($1)';
/** If another transaction has created a missing row meanwhile, this fails, and everything is decided again. */
const INSERT_USERS = `INSERT INTO orderctl.users (user_name, status, extra)
  SELECT user_name, status, extra::json FROM unnest($1::text[], $2::text[], $3::text[]) AS u (user_name, status, extra)`;
const UPDATE_USERS = `UPDATE orderctl.users t SET status = u.status, extra = u.extra::json
  FROM unnest($1::text[], $2::text[], $3::text[]) AS u (user_name, status, extra) WHERE t.user_name = u.user_name`;
/** Deletes the inventory too. */
const DELETE_ITEMS = 'DELETE FROM orderctl.products WHERE item = ANY($1)';
const SQL_TYPES: Readonly<Record<DetailKind, string>> = {
  text: 'text',
  price: 'numeric',
  quantity: 'bigint',
};
const DETAILS = ITEM_DETAILS.map(({ column }) => column);
const PRODUCTS = `unnest($1::text[], ${ITEM_DETAILS.map(({ kind }, at) => `$${at + 2}::${SQL_TYPES[kind]}[]`).join(', ')},
    $${DETAILS.length + 2}::text[]) AS p (item, ${DETAILS.join(', ')}, extra)`;
/**
 * A product made by SQL may exist without inventory. If another transaction made the item, inserting the inventory
 * fails.
 */
const INSERT_PRODUCTS = `INSERT INTO orderctl.products (item, ${DETAILS.join(', ')}, extra)
  SELECT item, ${DETAILS.join(', ')}, extra::json FROM ${PRODUCTS}
  ON CONFLICT (item) DO UPDATE SET ${[...DETAILS, 'extra'].map((name) => `${name} = EXCLUDED.${name}`).join(', ')}`;
const UPDATE_PRODUCTS = `UPDATE orderctl.products t
  SET ${DETAILS.map((name) => `${name} = p.${name}`).join(', ')}, extra = p.extra::json
  FROM ${PRODUCTS} WHERE t.item = p.item`;
const INSERT_INVENTORY = `INSERT INTO orderctl.inventory (item, quantity)
  SELECT * FROM unnest($1::text[], $2::bigint[])`;
const UPDATE_QUANTITIES = `UPDATE orderctl.inventory i SET quantity = q.quantity, updated_at = now()
  FROM unnest($1::text[], $2::bigint[]) AS q (item, quantity) WHERE i.item = q.item`;
const INSERT_MOVEMENTS = `INSERT INTO orderctl.stock_movements
    (seq, ordinal, at, item, delta, on_hand, cause, order_id, event_id)
  SELECT * FROM unnest($1::bigint[], $2::int[], $3::float8[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
    $8::text[], $9::text[])`;
const INSERT_FACTS = `INSERT INTO orderctl.events_log (seq, ordinal, log, key, value)
  SELECT seq, ordinal, log, key, value::json
  FROM unnest($1::bigint[], $2::int[], $3::text[], $4::text[], $5::text[]) AS f (seq, ordinal, log, key, value)`;
/** A deleted row stays, without a value, so that other processes notice. */
const UPSERT_SMALL = `INSERT INTO orderctl.small_tables (table_name, key, value, seq)
  SELECT table_name, key, value::json, seq
  FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS s (table_name, key, value, seq)
  ON CONFLICT (table_name, key) DO UPDATE SET value = EXCLUDED.value, seq = EXCLUDED.seq`;
const UPSERT_EFFECTS = `INSERT INTO orderctl.effects (id, kind, key, fields, state, due_at, attempts, first_tried_at)
  SELECT id, kind, key, fields::json, state, due_at, attempts, first_tried_at
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::int[], $8::float8[])
    AS e (id, kind, key, fields, state, due_at, attempts, first_tried_at)
  ON CONFLICT (id) DO UPDATE SET kind = EXCLUDED.kind, key = EXCLUDED.key, fields = EXCLUDED.fields,
    state = EXCLUDED.state, due_at = EXCLUDED.due_at, attempts = EXCLUDED.attempts,
    first_tried_at = EXCLUDED.first_tried_at`;
const DELETE_EFFECTS = 'DELETE FROM orderctl.effects WHERE id = ANY($1)';
const UPSERT_POSITIONS = `INSERT INTO orderctl.positions
    (processor, topic, partition, next_offset, last_offset, last_timestamp, last_crc, cluster_id)
  SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::text[])
  ON CONFLICT (processor, topic, partition) DO UPDATE SET next_offset = EXCLUDED.next_offset,
    last_offset = EXCLUDED.last_offset, last_timestamp = EXCLUDED.last_timestamp, last_crc = EXCLUDED.last_crc,
    cluster_id = EXCLUDED.cluster_id`;
/** Ids rise in the order of the arrays: one INSERT makes its rows in turn. */
const INSERT_OUTBOX = `INSERT INTO orderctl.outbox (destination, shard, messages, message_count, key, value)
  SELECT destination, shard, messages::json, message_count, key, value
  FROM unnest($1::text[], $2::smallint[], $3::text[], $4::int[], $5::bytea[], $6::bytea[])
    WITH ORDINALITY AS o (destination, shard, messages, message_count, key, value, place)
  ORDER BY place`;

/** @param written.seq the number under which small tables change */
export async function write(
  connection: Connection,
  { loaded, writes, seq }: { readonly loaded: Loaded; readonly writes: Writes; readonly seq: number },
): Promise<void> {
  await writeTables(connection, loaded, writes);
  if (writes.decisions.length > 0) {
    const { decisions, decisionSeqs, decisionOrdinals } = writes;
    for (const { text, values } of [
      insertOrders(decisions, decisionSeqs, decisionOrdinals),
      insertLines(decisions),
    ]) {
      await connection.query(text, values);
    }
  }
  if (writes.edits.length > 0) await connection.query(INSERT_EDITS, editValues(writes.edits));
  await writeLogs(connection, writes);
  await writeSmall(connection, loaded, seq);
  await writeEffects(connection, loaded, writes);
  await writePositions(connection, writes);
  writes.shards = writes.outgoing.map(shardOf);
  const rows = rowsOf(writes.outgoing, writes.shards);
  await insert(connection, INSERT_OUTBOX, rows, [
    'destination',
    'shard',
    'messages',
    'messageCount',
    'key',
    'value',
  ]);
}

/** @param columns in the order of the statement's values */
async function insert<Row>(
  connection: Connection,
  statement: string,
  rows: readonly Row[],
  columns: readonly (keyof Row)[],
): Promise<void> {
  if (rows.length === 0) return;
  await connection.query(
    statement,
    columns.map((column) => rows.map((row) => row[column])),
  );
}

async function writeTables(connection: Connection, loaded: Loaded, writes: Writes): Promise<void> {
  const { users, items, quantities, removedUsers, removedItems } = writes;
  const { newUsers, newItems } = loaded;
  if (removedUsers.size > 0) await connection.query(DELETE_USERS, [[...removedUsers]]);
  const userRows = [...users].flatMap((user) => {
    const row = loaded.users.get(user);
    return row === undefined ? [] : [{ ...row, extra: JSON.stringify(row.extra) }];
  });
  const isNewUser = ({ user }: { user: string }): boolean => newUsers.has(user) || removedUsers.has(user);
  await insert(connection, INSERT_USERS, userRows.filter(isNewUser), USER_VALUES);
  await insert(connection, UPDATE_USERS, userRows.filter(not(isNewUser)), USER_VALUES);

  if (removedItems.size > 0) await connection.query(DELETE_ITEMS, [[...removedItems]]);
  const itemRows = [...items].flatMap((item) => {
    const row = loaded.items.get(item);
    return row === undefined ? [] : [{ ...row, extra: JSON.stringify(row.extra) }];
  });
  const isNewItem = ({ item }: { item: string }): boolean => newItems.has(item) || removedItems.has(item);
  const added = itemRows.filter(isNewItem);
  await insert(connection, INSERT_PRODUCTS, added, PRODUCT_VALUES);
  await insert(connection, INSERT_INVENTORY, added, ['item', 'quantity']);
  await insert(connection, UPDATE_PRODUCTS, itemRows.filter(not(isNewItem)), PRODUCT_VALUES);
  const moved = [...new Set([...items, ...quantities])].flatMap((item) => {
    const row = loaded.items.get(item);
    return row === undefined || isNewItem(row) ? [] : [row];
  });
  await insert(connection, UPDATE_QUANTITIES, moved, ['item', 'quantity']);
}

const USER_VALUES = ['user', 'status', 'extra'] as const;
const PRODUCT_VALUES = ['item', ...ITEM_DETAILS.map(({ field }) => field), 'extra'] as const;

function not<T>(holds: (value: T) => boolean): (value: T) => boolean {
  return (value) => !holds(value);
}

async function writeLogs(connection: Connection, { movements, facts }: Writes): Promise<void> {
  await insert(connection, INSERT_MOVEMENTS, movements, [
    'seq',
    'ordinal',
    'at',
    'item',
    'delta',
    'onHand',
    'cause',
    'orderId',
    'eventId',
  ]);
  await insert(connection, INSERT_FACTS, facts, ['seq', 'ordinal', 'log', 'key', 'value']);
}

async function writeSmall(connection: Connection, { small }: Loaded, seq: number): Promise<void> {
  const rows = [...small.changed].flatMap(([table, changed]) =>
    Array.from(changed, ([key, value]) => ({
      table,
      key,
      seq,
      value: value === null ? null : JSON.stringify(value),
    })),
  );
  await insert(connection, UPSERT_SMALL, rows, ['table', 'key', 'value', 'seq']);
}

async function writeEffects(connection: Connection, { effects }: Loaded, writes: Writes): Promise<void> {
  const ids = [...writes.effects];
  const gone = ids.filter((id) => effects.get(id) === undefined);
  if (gone.length > 0) await connection.query(DELETE_EFFECTS, [gone]);
  const rows = ids.flatMap((id) => {
    const effect = effects.get(id);
    return effect === undefined ? [] : [{ ...effect, fields: JSON.stringify(effect.fields) }];
  });
  await insert(connection, UPSERT_EFFECTS, rows, [
    'id',
    'kind',
    'key',
    'fields',
    'state',
    'dueAt',
    'attempts',
    'firstTriedAt',
  ]);
}

async function writePositions(connection: Connection, { positions }: Writes): Promise<void> {
  const rows = Array.from(positions.values(), (position) => ({
    ...position,
    offset: position.last?.offset ?? null,
    timestamp: position.last?.timestamp ?? null,
    crc: position.last?.crc ?? null,
  }));
  await insert(connection, UPSERT_POSITIONS, rows, [
    'processor',
    'topic',
    'partition',
    'next',
    'offset',
    'timestamp',
    'crc',
    'clusterId',
  ]);
}
