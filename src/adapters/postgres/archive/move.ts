import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { Claim } from '../../../ports/owner.ts';
import type { ArchivedOrders, ArchivePlan, ArchiveOptions } from '../../../ports/whole/store-admin.ts';
import { Connection, type Target } from '../connection.ts';
import { noStore } from '../edit.ts';
import { chunks, ORDERS, AFTER, START } from '../history.ts';
import { checkedMigrations, migrate } from '../migrate.ts';
import { claimTask } from '../owner/claims.ts';
import type { DecisionRow } from '../rows/decisions.ts';
import { refuseSealed } from '../whole/seal.ts';
import { archivesOf, makeArchiveFolder, setLeftoversAside, writeArchive } from './files.ts';

/**
 * Orders in a file, or slightly more: a commit is never split. A reader has a whole file in memory, which takes 15
 * MB.
 */
const MOST_ORDERS = 50_000;

/**
 * Whole commits from the start of history, up to the first one with an order that is too recent: what remains is the
 * end of history. Decision times come from different machines and may go backwards.
 */
const PLAN = `SELECT count(*) FILTER (WHERE status = 'accepted') AS accepted,
    count(*) FILTER (WHERE status = 'rejected') AS rejected,
    min(decided_at) AS "fromMs", max(decided_at) AS "untilMs", max(seq) AS "lastSeq"
  FROM orderctl.orders
  WHERE seq < coalesce((SELECT min(seq) FROM orderctl.orders WHERE decided_at >= $1), 9223372036854775807)`;
/** The commit of the last order that still goes into a file. Uses the key (seq, ordinal). */
const END = 'SELECT seq FROM orderctl.orders WHERE seq <= $1 ORDER BY seq, ordinal OFFSET $2 LIMIT 1';

const KEEP_IDS = `WITH kept AS (
    INSERT INTO orderctl.archived_orders (order_id, archive, status, user_name, created_at, decided_at, topic, partition,
      record_offset, reason, lines)
    SELECT order_id, $1, status, user_name, created_at, decided_at, topic, partition, record_offset, reason,
      coalesce((SELECT json_agg(json_build_array(l.item, l.quantity) ORDER BY l.line)
        FROM orderctl.order_lines l WHERE l.order_id = o.order_id), '[]')
    FROM orderctl.orders o WHERE seq <= $2 RETURNING status, decided_at)
  SELECT count(*) FILTER (WHERE status = 'accepted') AS accepted,
    count(*) FILTER (WHERE status = 'rejected') AS rejected, max(decided_at) AS last FROM kept`;
const KEEP_SALES = `INSERT INTO orderctl.archived_sales AS s (item, sold)
  SELECT l.item, sum(l.quantity) FROM orderctl.orders o JOIN orderctl.order_lines l USING (order_id)
  WHERE o.seq <= $1 AND o.status = 'accepted' GROUP BY l.item
  ON CONFLICT (item) DO UPDATE SET sold = s.sold + EXCLUDED.sold`;
const DELETE_LINES = `DELETE FROM orderctl.order_lines l USING orderctl.orders o
  WHERE o.seq <= $1 AND l.order_id = o.order_id`;
const DELETE_ORDERS = 'DELETE FROM orderctl.orders WHERE seq <= $1';
const LIST = `INSERT INTO orderctl.archives (number, file, sha256, accepted, rejected, last_seq, last_decided_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7)`;

/** Counts what would be archived. @throws Failure not_found, store_too_new */
export async function planArchive(target: Target, beforeMs: number): Promise<ArchivePlan> {
  await using connection = await openStore(target);
  const { accepted, rejected, fromMs, untilMs } = await readPlan(connection, beforeMs);
  return { accepted, rejected, fromMs, untilMs };
}

async function openStore(target: Target): Promise<Connection> {
  const connection = await Connection.open(target);
  try {
    if ((await checkedMigrations(connection)) === null) throw noStore(target.url);
    await migrate(connection, () => '');
    return connection;
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}

interface PlanRow extends ArchivePlan {
  readonly lastSeq: number | null;
}

async function readPlan(connection: Connection, beforeMs: number): Promise<PlanRow> {
  const [row] = await connection.query<PlanRow>(PLAN, [beforeMs]);
  if (row === undefined) throw new Error('an aggregate has one row');
  return row;
}

/**
 * Moves old orders to files, one file per transaction: it is durable before its orders leave the database, and an
 * interrupted run continues when it is run again. Runs while processes own the store, and they wait for nothing,
 * since a decided order does not change.
 *
 * @param mostOrders in a file, or slightly more
 * @throws Failure see StoreArchive
 */
export async function archiveOrders(
  target: Target,
  { beforeMs, to, signal, onFile }: ArchiveOptions,
  mostOrders = MOST_ORDERS,
): Promise<ArchivedOrders> {
  await using connection = await openStore(target);
  await using claim = await claimTask(target, 'archive');
  await makeArchiveFolder(to);
  const { lastSeq } = await readPlan(connection, beforeMs);
  const files: string[] = [];
  const done = { accepted: 0, rejected: 0 };
  while (lastSeq !== null && !signal.aborted) {
    const moved = await moveNext(connection, { folder: to, lastSeq, mostOrders, claim });
    if (moved === null) break;
    files.push(moved.file);
    done.accepted += moved.accepted;
    done.rejected += moved.rejected;
    onFile(moved.file, moved.accepted + moved.rejected);
  }
  if (!signal.aborted) return { ...done, files };
  throw new Failure('interrupted', `interrupted after ${done.accepted + done.rejected} orders`, {
    fix: 'run it again: it continues from there',
  });
}

interface Moved {
  readonly file: string;
  readonly accepted: number;
  readonly rejected: number;
}

/** @returns null: no orders up to `lastSeq` are left */
async function moveNext(
  connection: Connection,
  {
    folder,
    lastSeq,
    mostOrders,
    claim,
  }: { folder: string; lastSeq: number; mostOrders: number; claim: Claim },
): Promise<Moved | null> {
  const before = await archivesOf(connection);
  const [first] = await connection.query<{ seq: number }>(END, [lastSeq, 0]);
  if (first === undefined) return null;
  const [last] = await connection.query<{ seq: number }>(END, [lastSeq, mostOrders - 1]);
  const end = last?.seq ?? lastSeq;
  const start = `orders-${digits(first.seq)}-`;
  const file = `${start}${digits(end)}.jsonl`;
  const sha256 = await writeArchive(path.join(folder, file), rowsUpTo(connection, end));
  const number = (before.at(-1)?.number ?? 0) + 1;
  const moved = await connection.transaction(async () => {
    await refuseSealed(connection);
    // Readers continue; another process that archives waits.
    await connection.query('LOCK TABLE orderctl.archives IN SHARE ROW EXCLUSIVE MODE');
    if ((await archivesOf(connection)).length !== before.length) throw archivedByAnother(connection.name);
    const [kept] = await connection.query<Omit<Moved, 'file'> & { last: number }>(KEEP_IDS, [number, end]);
    if (kept === undefined) throw new Error('an aggregate has one row');
    await connection.query(KEEP_SALES, [end]);
    await connection.query(DELETE_LINES, [end]);
    await connection.query(DELETE_ORDERS, [end]);
    const { accepted, rejected } = kept;
    await connection.query(LIST, [number, file, sha256, accepted, rejected, end, kept.last]);
    // Without this check, the file might have a name that was erased meanwhile.
    await claim.check();
    return { file, accepted, rejected };
  });
  await setLeftoversAside(path.join(folder, file), start);
  return moved;
}

/** Padded, so that names sort in the order of history. */
function digits(seq: number): string {
  return String(seq).padStart(12, '0');
}

/** Needs no snapshot: the orders of a finished commit no longer change. */
async function* rowsUpTo(connection: Connection, end: number): AsyncGenerator<readonly DecisionRow[]> {
  for await (const rows of chunks<DecisionRow>(connection, `${ORDERS} WHERE ${AFTER}`, START)) {
    const wanted = rows.filter(({ seq }) => seq <= end);
    yield wanted;
    if (wanted.length < rows.length) return;
  }
}

function archivedByAnother(name: string): Failure {
  return new Failure('changed_since', `another process is archiving orders of ${name}`, {
    fix: 'run this again',
  });
}
