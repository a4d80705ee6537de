import type { Connection } from '../connection.ts';
import { COMMIT_LOCK } from './locks.ts';

/**
 * Until the transaction ends nobody else commits anything that counts. Call it once all rows are locked: the order of
 * commits is that of the locks, and the process that has it waits for no row.
 */
export async function lockCommits(connection: Connection): Promise<void> {
  await connection.query('SELECT pg_advisory_xact_lock($1)', [COMMIT_LOCK]);
}

/** The numbers of the next transactions. */
export async function nextSeqs(connection: Connection, count: number): Promise<number[]> {
  await lockCommits(connection);
  const rows = await connection.query<{ seq: number }>(
    `SELECT nextval('orderctl.commit_seq') AS seq FROM generate_series(1, $1)`,
    [count],
  );
  return rows.map(({ seq }) => seq);
}
