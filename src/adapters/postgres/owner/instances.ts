import { hostname } from 'node:os';
import { isoTime } from '../../../domain/iso-time.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Processes } from '../../../ports/processes.ts';
import type { Connection } from '../connection.ts';
import type { Queries } from '../lasting.ts';
import { lockCommits } from '../transactions/seq.ts';

/* The processes that own a store. Each has a row in orderctl.instances for as long as it renews it. */

/** How long a row is valid without being renewed: less than a minute, for which a payment may be under way. */
export const LEASE_S = 10;
/** How long a silent process can still be found and shut out: it may be paused. */
const SILENT_S = 3_600;
/** How long to keep the last commit of a process that was never known to be dead: it asks for it when it wakes. */
const COMMIT_KEPT = '30 days';

/** A process that owns the store, as it registered itself. */
export interface Instance {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly identity: string | null;
  readonly purpose: string;
  readonly started_at: number;
  readonly is_consumer: boolean;
  readonly is_alone: boolean;
  /** Whether it announces what follows from edits. */
  readonly announces: boolean;
}

const COLUMNS = 'id, host, pid, identity, purpose, started_at, is_consumer, is_alone, announces';
export const LIVING = `NOT is_out AND seen_at > clock_timestamp() - interval '${LEASE_S} s'`;

/** The current owners, the oldest first. */
export function instancesOf(connection: Queries): Promise<Instance[]> {
  return connection.query<Instance>(
    `SELECT ${COLUMNS} FROM orderctl.instances WHERE ${LIVING} ORDER BY started_at, id`,
  );
}

/** Includes silent processes, which may own the store again when they wake. */
export function withSilent(connection: Queries): Promise<(Instance & { readonly isLiving: boolean })[]> {
  return connection.query(
    `SELECT ${COLUMNS}, ${LIVING} AS "isLiving" FROM orderctl.instances WHERE NOT is_out ORDER BY started_at, id`,
  );
}

/**
 * Registers a process as an owner of the store, also again if its row was removed meanwhile. Call in a transaction.
 *
 * @throws Failure folder_in_use: another process owns it alone, or this one must be alone and is not
 */
export async function register(connection: Connection, self: Instance, processes: Processes): Promise<void> {
  // No process commits meanwhile: one whose row this removes notices it before its next commit.
  await lockCommits(connection);
  // A silent process may wake up alongside any other process, except one that must be alone.
  await removeDead(connection, processes, self.is_alone ? LEASE_S : SILENT_S);
  await connection.query(REMOVE_OLD_COMMITS);
  const others = (await instancesOf(connection)).filter(({ id }) => id !== self.id);
  const [inTheWay] = self.is_alone ? others : others.filter(({ is_alone }) => is_alone);
  if (inTheWay !== undefined) throw inUse(connection.name, inTheWay);
  const { id, host, pid, identity, purpose, started_at, is_consumer, is_alone, announces } = self;
  await connection.query(
    `INSERT INTO orderctl.instances (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
    [id, host, pid, identity, purpose, started_at, is_consumer, is_alone, announces],
  );
}

const REMOVE_OLD_COMMITS = `DELETE FROM orderctl.instance_commits c WHERE at < clock_timestamp() - interval '${COMMIT_KEPT}'
  AND NOT EXISTS (SELECT FROM orderctl.instances WHERE id = c.instance)`;

/** This process, as `register` writes it. */
export function selfAs(as: Omit<Instance, 'host' | 'pid' | 'identity'>, processes: Processes): Instance {
  return { ...as, host: hostname(), pid: process.pid, identity: processes.self() };
}

/**
 * Removes the rows that are no longer renewed, and those of processes known to be dead, and frees what the dead had
 * taken.
 *
 * @param silentS how long a row may go without being renewed
 */
export async function removeDead(
  connection: Queries,
  processes: Processes,
  silentS = SILENT_S,
): Promise<void> {
  const rows = await connection.query<Pick<Instance, 'id' | 'identity'> & { isLate: boolean }>(
    // A process that was shut out keeps its row until it has surely noticed.
    `SELECT id, identity, seen_at < clock_timestamp() - CASE WHEN is_out THEN interval '1 day' ELSE interval '${silentS} s' END
       AS "isLate" FROM orderctl.instances`,
  );
  const dead = rows.filter(({ identity }) => identity !== null && processes.stateOf(identity) === 'dead');
  const late = rows.filter(({ isLate }) => isLate).map(({ id }) => id);
  if (late.length > 0) await connection.query('DELETE FROM orderctl.instances WHERE id = ANY($1)', [late]);
  await remove(
    connection,
    dead.map(({ id }) => id),
  );
}

/**
 * Removes processes that have ended. The effects that they were trying are due at once. A process that is only silent
 * may still be trying: others try its effects again when their lease is over.
 */
export async function remove(connection: Queries, dead: readonly string[]): Promise<void> {
  if (dead.length === 0) return;
  await connection.query(
    `UPDATE orderctl.effects SET due_at = 0 WHERE state = 'trying' AND taken_by = ANY($1)`,
    [dead],
  );
  await connection.query('DELETE FROM orderctl.instance_commits WHERE instance = ANY($1)', [dead]);
  // Last: while the row exists, another process still does what was left.
  await connection.query('DELETE FROM orderctl.instances WHERE id = ANY($1)', [dead]);
}

function inUse(name: string, by: Instance): Failure {
  const message = `${name} is in use by ${describe(by)}`;
  return new Failure('folder_in_use', message, { fix: { kind: 'stop_owner' } });
}

export function describe({ pid, host, purpose, started_at }: Instance): string {
  const where = host === hostname() ? '' : ` on ${host}`;
  return `process ${pid}${where} (${purpose}, since ${isoTime(started_at)})`;
}
