import { Failure } from '../../../domain/failure.ts';
import type { Connection } from '../connection.ts';

const TASK_LOCKS = { redrive: 0x6f726404 } as const;

/**
 * Reserves a task until the session ends. By a transaction that stays open: PgBouncer may give a session to others between
 * two of them. It has no snapshot, so that it holds up no vacuum.
 *
 * @throws Failure folder_in_use
 */
export async function claimTask(connection: Connection, task: keyof typeof TASK_LOCKS): Promise<void> {
  await connection.query('BEGIN');
  const [row] = await connection.query<{ taken: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS taken', [
    TASK_LOCKS[task],
  ]);
  if (row?.taken === true) return;
  throw new Failure('folder_in_use', `another ${task} is at work on ${connection.name}`, {
    fix: 'let it end, or stop it; then run this again',
  });
}
