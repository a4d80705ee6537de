import { Failure } from '../../../domain/failure.ts';
import type { Claim } from '../../../ports/owner.ts';
import { Connection, type Target } from '../connection.ts';

/** The number of an advisory lock, and who may have it. */
const TASKS = {
  redrive: { lock: 0x6f726404, holder: 'another redrive' },
  // The file of an archive is written before its orders leave the database: a name in it would outlast its erasure.
  archive: { lock: 0x6f726405, holder: 'an archive run or an erasure' },
} as const;
type Task = keyof typeof TASKS;

/**
 * In one message, so that no limit of the server can expire in between. PostgreSQL before 17 has no
 * transaction_timeout.
 */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT set_config(name, '0', true) FROM pg_settings
  WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`;

/**
 * Reserves a task in a session of its own, by a transaction that stays open: between two transactions, PgBouncer may
 * give the session to others. The transaction has no snapshot, so it does not hold up vacuum.
 *
 * @throws Failure folder_in_use
 */
export async function claimTask(target: Target, task: Task): Promise<Claim> {
  const connection = await Connection.open(target);
  try {
    await connection.script(BEGIN);
    const [row] = await connection.query<{ taken: boolean }>(
      'SELECT pg_try_advisory_xact_lock($1) AS taken',
      [TASKS[task].lock],
    );
    if (row?.taken !== true) throw taken(task, connection.name);
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
  return {
    async check() {
      await connection.query('SELECT 1').catch((error: unknown) => {
        throw lost(task, error);
      });
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

function taken(task: Task, name: string): Failure {
  return new Failure('folder_in_use', `${TASKS[task].holder} is running on ${name}`, {
    fix: 'wait until it ends, or stop it; then run this again',
  });
}

function lost(task: Task, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    'store_unreachable',
    `the session that reserved the task was lost, and ${TASKS[task].holder} may be running: ${why}`,
    { fix: 'run the same command again', cause },
  );
}
