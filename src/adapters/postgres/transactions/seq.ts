import type { Connection } from '../connection.ts';
import { COMMIT_LOCK } from './locks.ts';

/**
 * Until the transaction ends, no other process commits anything that counts. Call it once all rows are locked:
 * commits are in the order of this lock, and the process that has it waits for no row.
 */
export async function lockCommits(connection: Connection): Promise<void> {
  await connection.query('SELECT pg_advisory_xact_lock($1)', [COMMIT_LOCK]);
}

/**
 * Milliseconds since the epoch by the clock of the database, the one clock that all processes of a store share. It
 * stamps what they commit, and determines when effects are due.
 */
export const NOW = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::float8';

/** The number and the time of the next transaction. */
export async function nextSeq(connection: Connection): Promise<{ seq: number; at: number }> {
  await lockCommits(connection);
  const [row] = await connection.query<{ seq: number; at: number }>(
    `SELECT nextval('orderctl.commit_seq') AS seq, ${NOW} AS at`,
  );
  if (row === undefined) throw new Error('a SELECT without FROM has one row');
  return row;
}
