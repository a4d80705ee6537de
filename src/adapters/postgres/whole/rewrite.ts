import type { Clock } from '../../../ports/clock.ts';
import type { Fact } from '../../../domain/facts.ts';
import type { HistoryLine } from '../../../ports/store.ts';
import type { Rewriting } from '../../../ports/whole/store-copy.ts';
import type { Connection } from '../connection.ts';
import { DECISION_COLUMNS, decidedOf, type DecisionRow } from '../rows/decisions.ts';
import { EDIT_COLUMNS, loggedEditOf, type EditRow } from '../rows/edits.ts';
import { USER_COLUMNS, userOf, type UserRow } from '../rows/tables.ts';

/*
 * Rewrites rows of a store in place. They are found by the keys that are said to change, so that the time depends on
 * the number of such rows only. Runs in the transaction of the caller.
 */

/** By users_pkey. */
const USERS = `SELECT ${USER_COLUMNS} FROM orderctl.users WHERE user_name = ANY($1) FOR UPDATE`;
const SET_USER = 'UPDATE orderctl.users SET user_name = $2, extra = $3::json WHERE user_name = $1';
/** By orders_pkey. */
const ORDERS = `SELECT ${DECISION_COLUMNS} FROM orderctl.orders o WHERE o.order_id = ANY($1)`;
const SET_ORDER = 'UPDATE orderctl.orders SET user_name = $2, detail = $3 WHERE order_id = $1';
/** By archived_orders_pkey: what the database keeps of orders that were archived. */
const ARCHIVED = 'SELECT order_id, user_name FROM orderctl.archived_orders WHERE order_id = ANY($1)';
const SET_ARCHIVED = 'UPDATE orderctl.archived_orders SET user_name = $2 WHERE order_id = $1';
interface ArchivedRow {
  readonly order_id: string;
  readonly user_name: string;
}
/** By edits_pkey. */
const EDITS = `SELECT ${EDIT_COLUMNS} FROM orderctl.edits WHERE seq = ANY($1) ORDER BY seq, ordinal`;
const SET_EDIT = 'UPDATE orderctl.edits SET edit = $3::json, why = $4 WHERE seq = $1 AND ordinal = $2';
/** By events_log_by_key. */
const FACTS = `SELECT seq, ordinal, value FROM orderctl.events_log WHERE log = $1 AND key = ANY($2)
  ORDER BY seq, ordinal`;
const SET_FACT = 'UPDATE orderctl.events_log SET value = $3::json WHERE seq = $1 AND ordinal = $2';

export async function rewriteRows(connection: Connection, rewriting: Rewriting): Promise<void> {
  const { touched, user, line } = rewriting;
  for (const row of await connection.query<UserRow>(USERS, [[...touched.users]])) {
    const before = userOf(row);
    const after = user(before);
    await connection.query(SET_USER, [before.user, after.user, JSON.stringify(after.extra)]);
  }
  const orders = [...touched.orders];
  for (const row of await connection.query<ArchivedRow>(ARCHIVED, [orders])) {
    const after = user({ user: row.user_name, status: 'paid', extra: {} });
    await connection.query(SET_ARCHIVED, [row.order_id, after.user]);
  }
  for (const row of await connection.query<DecisionRow>(ORDERS, [orders]))
    await setDecision(connection, row, line);
  for (const row of await connection.query<EditRow>(EDITS, [[...touched.edits]])) {
    await setEdit(connection, row, line);
  }
  for (const [log, keys] of touched.facts) {
    const rows = await connection.query<{ seq: number; ordinal: number; value: Fact }>(FACTS, [
      log,
      [...keys],
    ]);
    for (const { seq, ordinal, value } of rows) {
      // The name of its key field does not matter here.
      const before: HistoryLine = {
        kind: 'fact',
        seq,
        at: null,
        log: { name: log, key: '' },
        fact: value,
      };
      const after = line(before);
      if (after === before || after.kind !== 'fact') continue;
      await connection.query(SET_FACT, [seq, ordinal, JSON.stringify(after.fact)]);
    }
  }
}

type Line = Rewriting['line'];

async function setDecision(connection: Connection, row: DecisionRow, line: Line): Promise<void> {
  const decided = decidedOf(row);
  const before: HistoryLine = { kind: 'decision', seq: row.seq, at: row.decided_at, decided };
  const after = line(before);
  if (after === before || after.kind !== 'decision') return;
  const { order, outcome } = after.decided;
  const detail = outcome.kind === 'rejected' ? outcome.detail : null;
  await connection.query(SET_ORDER, [row.order_id, order.user, detail]);
}

async function setEdit(connection: Connection, row: EditRow, line: Line): Promise<void> {
  const before: HistoryLine = { kind: 'edit', seq: row.seq, at: row.at, edit: loggedEditOf(row) };
  const after = line(before);
  if (after === before || after.kind !== 'edit') return;
  const { edit } = after;
  // The fields that have no column of their own.
  const own = Object.fromEntries(Object.entries(edit).filter(([name]) => name in row.edit));
  await connection.query(SET_EDIT, [row.seq, row.ordinal, JSON.stringify(own), edit.why ?? null]);
}

/** Archive files with any of these orders, and other rows that contain one of the texts. */
const PLACES = `SELECT 'archive ' || a.file AS place FROM orderctl.archives a WHERE EXISTS
    (SELECT FROM orderctl.archived_orders o WHERE o.archive = a.number AND o.order_id = ANY($1))
  UNION ALL SELECT 'undelivered record ' || u.name FROM orderctl.undelivered u, unnest($2::text[]) AS t (word)
    WHERE position(t.word IN u.body::text) > 0 OR position(convert_to(t.word, 'UTF8') IN u.key) > 0
      OR position(convert_to(t.word, 'UTF8') IN u.value) > 0
  UNION SELECT 'file ' || k.name FROM orderctl.kept_files k, unnest($2::text[]) AS t (word)
    WHERE position(t.word IN k.content) > 0
  UNION SELECT 'small table ' || s.table_name FROM orderctl.small_tables s, unnest($2::text[]) AS t (word)
    WHERE s.key = t.word OR position(to_json(t.word)::text IN s.value::text) > 0
  UNION SELECT 'supplier ' || s.supplier_id FROM orderctl.suppliers s, unnest($2::text[]) AS t (word)
    WHERE position(t.word IN concat_ws(' ', s.supplier_id, s.name, s.contact)) > 0
  ORDER BY 1`;

/** Places other than the rows above that still contain one of the texts. */
export async function placesOf(
  connection: Connection,
  { touched }: Rewriting,
  texts: readonly string[],
): Promise<string[]> {
  const rows = await connection.query<{ place: string }>(PLACES, [[...touched.orders], texts]);
  return rows.map(({ place }) => place);
}

const FORGET =
  'VACUUM orderctl.users, orderctl.orders, orderctl.archived_orders, orderctl.edits, orderctl.events_log';
/**
 * Whether the server keeps what existed before a transaction: for snapshots, standbys, slots or prepared
 * transactions.
 */
const IS_KEPT = `SELECT EXISTS (SELECT FROM (
    SELECT backend_xmin AS oldest FROM pg_stat_activity WHERE pid <> pg_backend_pid()
      AND (backend_type = 'walsender' OR backend_type = 'client backend' AND datname = current_database())
    UNION ALL SELECT xmin FROM pg_replication_slots
    UNION ALL SELECT transaction FROM pg_prepared_xacts WHERE database = current_database()
  ) kept WHERE age(oldest) >= age(($1::xid8)::xid)) AS kept`;
const CHECKS = 10;
const CHECK_MS = 200;

/** Call in the transaction that rewrites. @returns what `forget` needs */
export async function transactionOf(connection: Connection): Promise<string> {
  const [row] = await connection.query<{ id: string }>('SELECT pg_current_xact_id()::text AS id');
  if (row === undefined) throw new Error('pg_current_xact_id() has no row');
  return row.id;
}

/**
 * Removes the versions of rows from before a transaction: until then, their bytes are in the files of the tables.
 * Waits up to two seconds for transactions that end soon.
 *
 * @returns where they still are
 */
export async function forget(connection: Connection, transaction: string, clock: Clock): Promise<string[]> {
  for (let check = 1; check <= CHECKS; check += 1) {
    if (check > 1) await clock.sleep(CHECK_MS);
    await connection.query(FORGET);
    const [row] = await connection.query<{ kept: boolean }>(IS_KEPT, [transaction]);
    if (row?.kept !== true) return [];
  }
  return [
    'files of the tables, which keep it because of an older transaction or a replication slot: end it, then VACUUM',
  ];
}
