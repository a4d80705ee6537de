import type { Advice } from '../../domain/advice.ts';
import { Failure } from '../../domain/failure.ts';

/* Translates errors of PostgreSQL and the network to failures. The codes are in appendix A of PostgreSQL's manual. */

/** serialization_failure, deadlock_detected: another transaction was first. */
const CONFLICTS = ['40001', '40P01'];
/** unique_violation may have the same cause. */
const RETRIED = new Set([...CONFLICTS, '23505']);
/**
 * admin_shutdown, crash_shutdown, idle_session_timeout, idle_in_transaction_session_timeout, transaction_timeout: the
 * session is lost.
 */
const SESSION_GONE = new Set(['57P01', '57P02', '57P05', '25P03', '25P04']);
const NETWORK = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']);

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

export function isRetried(error: unknown): boolean {
  return RETRIED.has(codeOf(error instanceof Failure ? error.cause : error));
}

/** lock_not_available: another session held a lock for too long. The session can still be used. */
export function isLocked(error: unknown): boolean {
  return codeOf(error instanceof Failure ? error.cause : error) === '55P03';
}

/**
 * Whether the server ended the statement but not the session: after a conflict with another transaction, or by
 * query_canceled, which an administrator or statement_timeout causes.
 */
export function isEnded(error: unknown): boolean {
  const code = codeOf(error instanceof Failure ? error.cause : error);
  return code === '57014' || CONFLICTS.includes(code);
}

/**
 * invalid_parameter_value from pg_xact_status: a number in the future. A standby took the place of the server that
 * assigned it, and does not have that transaction.
 */
export function isOfAnotherServer(error: unknown): boolean {
  return codeOf(error) === '22023';
}

/**
 * Whether the tables may not be those that this program knows: unknown names and types, and not_null_violation and
 * check_violation, as for a column that it leaves out.
 */
export function isOfOtherTables(error: unknown): boolean {
  const code = codeOf(error);
  return (code.startsWith('42') && code !== '42501') || code === '23502' || code === '23514';
}

/**
 * Class 08: PgBouncer ends sessions with 08P01 whatever the reason, such as a restart of its server. PostgreSQL
 * itself names the routine that failed; its own 08P01 means an invalid statement, and the session continues.
 */
function isOfPooler(error: unknown): boolean {
  if (!codeOf(error).startsWith('08')) return false;
  return !(error instanceof Error && 'routine' in error && error.routine !== undefined);
}

/** Whether the session is lost with this error. */
export function isLost(error: unknown): boolean {
  const code = codeOf(error);
  if (SESSION_GONE.has(code) || NETWORK.has(code) || isOfPooler(error)) return true;
  // pg has no codes for these.
  return (
    error instanceof Error &&
    /^(Connection terminated|Client has encountered a connection error)/.test(error.message)
  );
}

/**
 * cannot_connect_now, too_many_connections, read_only_sql_transaction, object_not_in_prerequisite_state: the server
 * is starting, is full, is a standby, or refuses connections for now (ALLOW_CONNECTIONS).
 */
const PASSING = new Set(['57P03', '53300', '25006', '55000']);

/** Whether the error is temporary, such as a restart of the server: a server that was reached once is waited for. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Failure)) return isLost(error);
  return error.code === 'store_unreachable' || PASSING.has(codeOf(error.cause));
}

/** For an attempt to connect, or for a lost session. */
export function connectionFailure(error: unknown, name: string): Failure {
  if (error instanceof Failure) return error;
  const code = codeOf(error);
  const text = error instanceof Error ? error.message : String(error);
  const isSqlState = /^[0-9A-Z]{5}$/.test(code) && !code.startsWith('E');
  if ((isSqlState && !SESSION_GONE.has(code) && !isOfPooler(error)) || /SASL|password/.test(text)) {
    return new Failure('store_refused', `PostgreSQL at ${name} refused: ${text}`, {
      fix: refusedFix(code),
      cause: error,
    });
  }
  if (isOfTls(code, text)) {
    return new Failure('store_refused', `PostgreSQL at ${name}: TLS failed: ${text}`, {
      fix: text.includes('does not support SSL')
        ? 'turn TLS on there (ssl = on), or leave sslmode out of the URL'
        : 'give the certificate of its authority: ?sslmode=verify-full&sslrootcert=FILE',
      cause: error,
    });
  }
  const why = code === 'ECONNREFUSED' ? 'nothing listens there' : text || code;
  return new Failure('store_unreachable', `PostgreSQL at ${name} cannot be reached: ${why}`, {
    fix: { kind: 'check_database' },
    cause: error,
  });
}

/** Codes of Node and OpenSSL; pg has none for a server without TLS. */
function isOfTls(code: string, text: string): boolean {
  return (
    /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code) ||
    text.includes('does not support SSL')
  );
}

/** @param code empty if pg itself refuses, for example to connect without a password */
function refusedFix(code: string): Advice {
  switch (code) {
    case '3D000':
      return { kind: 'other_database' };
    case '53300':
      return 'allow more connections (max_connections), or close some';
    case '55000':
      return 'let others connect to the database again: ALTER DATABASE … ALLOW_CONNECTIONS true';
    case '57P03':
      return 'it is starting or recovering: try again in a moment';
    default:
      // invalid_authorization_specification, insufficient_privilege; PgBouncer refuses a password with 08P01.
      return /^(28|42501|08|$)/.test(code)
        ? { kind: 'database_credentials' }
        : 'fix the cause on the server, whose log may say more, and try again';
  }
}

/** For a failed statement. */
export function failureOf(error: unknown, name: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof Failure) return error;
  if (isLost(error)) return connectionFailure(error, name);
  switch (codeOf(error)) {
    // insufficient_privilege, read_only_sql_transaction
    case '42501':
    case '25006':
      return new Failure('store_refused', `PostgreSQL at ${name} refused: ${error.message}`, {
        fix: 'grant that user the rights to create and change the schema orderctl',
        cause: error,
      });
    case '40001':
    case '40P01':
      return new Failure('store_unreachable', `PostgreSQL at ${name} ended a statement: ${error.message}`, {
        fix: 'try again in a moment: others are changing the same rows',
        cause: error,
      });
    case '57014':
      return new Failure('store_unreachable', `PostgreSQL at ${name} ended a statement: ${error.message}`, {
        fix: 'raise statement_timeout of that user and database (ALTER ROLE … SET statement_timeout = 0), or find out what cancels it',
        cause: error,
      });
    // disk_full, io_error
    case '53100':
    case '58030':
      return new Failure('write_failed', `PostgreSQL at ${name} could not write: ${error.message}`, {
        fix: 'free some space on the server, and start again',
        cause: error,
      });
    default:
      return error;
  }
}
