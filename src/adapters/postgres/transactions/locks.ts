import { Failure } from '../../../domain/failure.ts';

/** Held from when a commit gets its number until it ends, so that numbers rise in the order of commits. */
export const COMMIT_LOCK = 0x6f726402;

/**
 * Of the sessions that have locks of the store and wait for none themselves, the one with the oldest transaction.
 * Once a statement has given up, pg_blocking_pids no longer knows what it waited for.
 */
const HOLDER = `SELECT a.pid, a.usename AS "user", a.application_name AS application, a.state,
    extract(epoch FROM clock_timestamp() - a.xact_start)::int AS seconds,
    left(regexp_replace(a.query, '\\s+', ' ', 'g'), 120) AS query
  FROM pg_stat_activity a
  WHERE a.pid <> pg_backend_pid() AND a.datname = current_database()
    AND NOT EXISTS (SELECT FROM pg_locks w WHERE w.pid = a.pid AND NOT w.granted)
    AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.granted
      AND (l.locktype = 'advisory' AND l.objid = ${COMMIT_LOCK} OR l.mode <> 'AccessShareLock'
        AND l.relation IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('orderctl'))))
  ORDER BY a.xact_start LIMIT 1`;

interface Holder {
  readonly pid: number;
  readonly user: string;
  readonly application: string;
  /** null, like `seconds`, if this user may not see it. */
  readonly state: string | null;
  readonly seconds: number | null;
  readonly query: string;
}

interface Session {
  /** How messages name the database. */
  readonly name: string;
  query<R extends object>(statement: string): Promise<R[]>;
}

/** Names the session with the lock that a transaction gave up waiting for; the transaction is rolled back. */
export async function lockedFailure(session: Session, cause: unknown): Promise<Failure> {
  const [holder] = await session.query<Holder>(HOLDER).catch(() => []);
  const message = `PostgreSQL at ${session.name} is blocked by ${holder === undefined ? 'a lock of another session' : described(holder)}`;
  return new Failure('store_unreachable', message, {
    fix:
      holder === undefined
        ? 'try again in a moment'
        : `end that transaction: COMMIT or ROLLBACK in its session, or SELECT pg_terminate_backend(${holder.pid})`,
    cause,
  });
}

function described({ pid, user, application, state, seconds, query }: Holder): string {
  const by = [application === '' ? [] : application, `user ${user}`].flat().join(', ');
  const since = state === null || seconds === null ? '' : `, ${state} for ${seconds} s`;
  return `session ${pid} (${by})${since}: ${query}`;
}
