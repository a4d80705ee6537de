import pg from 'pg';
import { describe, expect, test } from 'vitest';
import {
  connectionFailure,
  failureOf,
  isAway,
  isEnded,
  isLost,
  isRetried,
} from '../../../src/adapters/postgres/failures.ts';

const NAME = 'postgres://shop@db/shop';

/** As a server says it; PgBouncer leaves the routine out. */
function said(code: string, message: string, routine?: string): Error {
  const severity = routine === undefined ? 'FATAL' : 'ERROR';
  return Object.assign(new pg.DatabaseError(message, 0, 'error'), { code, severity, routine });
}

describe('PgBouncer', () => {
  test.each([
    ['08P01', 'server login has been failing, try again later (server_login_retry)'],
    ['08P01', 'server conn crashed?'],
    ['08P01', 'database removed'],
    ['08P01', 'query_wait_timeout'],
    ['08006', 'server closed the connection unexpectedly'],
  ])('ends a session by %s, %s: that passes', (code, message) => {
    const error = said(code, message);
    expect(isLost(error)).toBe(true);
    for (const failure of [connectionFailure(error, NAME), failureOf(error, NAME)]) {
      expect(failure).toMatchObject({ code: 'store_unreachable', fix: { kind: 'check_database' } });
      expect(failure.message).toContain(message);
      expect(isAway(failure)).toBe(true);
    }
  });

  test('refuses a password as PostgreSQL does', () => {
    const error = said(
      '08P01',
      'server login has been failing, cached error: password authentication failed',
    );
    const failure = failureOf(error, NAME);
    expect(failure).toMatchObject({ code: 'store_refused', fix: { kind: 'database_credentials' } });
    expect(isAway(failure)).toBe(false);
  });
});

test('a statement that violates the protocol is a bug, and leaves the session', () => {
  const error = said('08P01', 'bind message supplies 1 parameters', 'exec_bind_message');
  expect(isLost(error)).toBe(false);
  expect(failureOf(error, NAME)).toBe(error);
});

test('a statement that is cancelled is no bug, and names the limit', () => {
  const failure = failureOf(
    said('57014', 'canceling statement due to statement timeout', 'ProcessInterrupts'),
    NAME,
  );
  expect(failure).toMatchObject({
    ...{ code: 'store_unreachable', fix: expect.stringContaining('statement_timeout') as string },
    message: expect.stringContaining('canceling statement due to statement timeout') as string,
  });
  expect(isEnded(failure)).toBe(true);
});

test.each(['40001', '40P01'])('what goes on meeting others, %s, is no bug', (code) => {
  const failure = failureOf(said(code, 'could not serialize access', 'ExecUpdate'), NAME);
  expect(failure).toMatchObject({ code: 'store_unreachable', fix: expect.stringMatching(/again/) as string });
  expect([isEnded(failure), isRetried(failure), isLost(failure)]).toEqual([true, true, false]);
});
