import { Failure } from '../../../domain/failure.ts';
import type { Claim } from '../../../ports/owner.ts';
import { Connection, type Target } from '../connection.ts';

/** The number of an advisory lock, and who has it. */
const TASKS = {
  redrive: { lock: 0x6f726404, who: 'another redrive' },
  // A file of an archive is written before its orders leave the database: a name in it would outlast its erasure.
  archive: { lock: 0x6f726405, who: 'an archive run or an erasure' },
} as const;
type Task = keyof typeof TASKS;

/** In one message, so that no limit of the server is over between two. Before PostgreSQL 17 there is no transaction_timeout. */
const BEGIN = `BEGIN ISOLATION LEVEL READ COMMITTED; SELECT set_config(name, '0', true) FROM pg_settings
  WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')`;

/**
 * Reserves a task in a session of its own. By a transaction that stays open: PgBouncer may give a session to others between
 * two of them. It has no snapshot, so that it holds up no vacuum.
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
  return new Failure('folder_in_use', `${TASKS[task].who} is at work on ${name}`, {
    fix: 'let it end, or stop it; then run this again',
  });
}

function lost(task: Task, cause: unknown): Failure {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    'store_unreachable',
    `the session that kept others out is gone, and ${TASKS[task].who} may be at work: ${why}`,
    { fix: 'run the same command again', cause },
  );
}
