import { hostname } from 'node:os';
import { Failure } from '../../../domain/failure.ts';
import type { Processes } from '../../../ports/processes.ts';
import type { Connection } from '../connection.ts';
import type { Queries } from '../lasting.ts';
import { lockCommits } from '../transactions/seq.ts';

/* The processes that own a store. Each has a row in orderctl.instances as long as it renews it. */

/** How long a row is good without being renewed: less than a minute, in which a payment may be under way. */
export const LEASE_S = 10;
/** How long one that is silent can be found, to be shut out: it may be paused. */
const SILENT_S = 3_600;
/** How long the last commit is kept of a process that was never known to be dead: when it wakes it asks for that. */
const COMMIT_KEPT = '30 days';

/** A process that owns the store, as it wrote itself down. */
export interface Instance {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
  readonly identity: string | null;
  readonly purpose: string;
  readonly started_at: number;
  readonly is_consumer: boolean;
  readonly is_alone: boolean;
  /** Whether it makes known what follows from edits. */
  readonly announces: boolean;
}

const COLUMNS = 'id, host, pid, identity, purpose, started_at, is_consumer, is_alone, announces';
export const LIVING = `NOT is_out AND seen_at > clock_timestamp() - interval '${LEASE_S} s'`;

/** Those that own it now, the oldest first. */
export function instancesOf(connection: Queries): Promise<Instance[]> {
  return connection.query<Instance>(
    `SELECT ${COLUMNS} FROM orderctl.instances WHERE ${LIVING} ORDER BY started_at, id`,
  );
}

/** Those too that are silent, and may own it again when they wake. */
export function withSilent(connection: Queries): Promise<(Instance & { readonly isLiving: boolean })[]> {
  return connection.query(
    `SELECT ${COLUMNS}, ${LIVING} AS "isLiving" FROM orderctl.instances WHERE NOT is_out ORDER BY started_at, id`,
  );
}

/**
 * Writes a process down as an owner of the store, or again when its row was removed meanwhile. In a transaction.
 *
 * @throws Failure folder_in_use: another one owns it alone, or this one is to be alone and is not
 */
export async function register(connection: Connection, self: Instance, processes: Processes): Promise<void> {
  // Nobody commits meanwhile: a process whose row this removes notices before its next commit.
  await lockCommits(connection);
  // One that is silent may wake beside any other but one that is alone.
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

/** As `register` writes it. */
export function selfAs(as: Omit<Instance, 'host' | 'pid' | 'identity'>, processes: Processes): Instance {
  return { ...as, host: hostname(), pid: process.pid, identity: processes.self() };
}

/**
 * Rows that are not renewed any more, and of processes that are known to be dead; what these had taken is free.
 *
 * @param silentS since when a row is not renewed
 */
export async function removeDead(
  connection: Queries,
  processes: Processes,
  silentS = SILENT_S,
): Promise<void> {
  const rows = await connection.query<Pick<Instance, 'id' | 'identity'> & { isLate: boolean }>(
    // One that was shut out stays until it has surely noticed.
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
 * Removes processes that have ended. What one of them was trying is due at once; one that is only silent may still be at it:
 * its tries are others' when their time is over.
 */
export async function remove(connection: Queries, dead: readonly string[]): Promise<void> {
  if (dead.length === 0) return;
  await connection.query(
    `UPDATE orderctl.effects SET due_at = 0 WHERE state = 'trying' AND taken_by = ANY($1)`,
    [dead],
  );
  await connection.query('DELETE FROM orderctl.instance_commits WHERE instance = ANY($1)', [dead]);
  // Last: as long as it is there somebody else does what was left.
  await connection.query('DELETE FROM orderctl.instances WHERE id = ANY($1)', [dead]);
}

function inUse(name: string, by: Instance): Failure {
  const message = `${name} is in use by ${describe(by)}`;
  return new Failure('folder_in_use', message, { fix: { kind: 'stop_owner' } });
}

export function describe({ pid, host, purpose, started_at }: Instance): string {
  const where = host === hostname() ? '' : ` on ${host}`;
  return `process ${pid}${where} (${purpose}, since ${new Date(started_at).toISOString()})`;
}
