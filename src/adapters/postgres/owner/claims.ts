import { Failure } from '../../../domain/failure.ts';
import type { Connection } from '../connection.ts';

/** Held by the session that redrives. */
const TASK_LOCKS = { redrive: 0x6f726404 } as const;

/** @throws Failure folder_in_use */
export async function claimTask(connection: Connection, task: keyof typeof TASK_LOCKS): Promise<void> {
  const [row] = await connection.query<{ taken: boolean }>('SELECT pg_try_advisory_lock($1) AS taken', [
    TASK_LOCKS[task],
  ]);
  if (row?.taken === true) return;
  throw new Failure('folder_in_use', `another ${task} is at work on ${connection.name}`, {
    fix: 'let it end, or stop it; then run this again',
  });
}
