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
    code: 'store_unreachable',
    fix: expect.stringContaining('statement_timeout') as string,
    message: expect.stringContaining('canceling statement due to statement timeout') as string,
  });
  expect(isEnded(failure)).toBe(true);
});

test.each(['40001', '40P01'])('what goes on meeting others, %s, is no bug', (code) => {
  const failure = failureOf(said(code, 'could not serialize access', 'ExecUpdate'), NAME);
  expect(failure).toMatchObject({ code: 'store_unreachable', fix: expect.stringMatching(/again/) as string });
  expect([isEnded(failure), isRetried(failure), isLost(failure)]).toEqual([true, true, false]);
});

test.each(['57P01', '57P05', '25P03', '25P04'])(
  'by %s the server ends a session, which is opened again',
  (code) => {
    const error = said(code, 'terminating connection due to idle-session timeout', 'ProcessInterrupts');
    expect(isLost(error)).toBe(true);
    expect(connectionFailure(error, NAME)).toMatchObject({ code: 'store_unreachable' });
  },
);

test.each([
  ['28P01', { kind: 'database_credentials' }, false],
  ['28000', { kind: 'database_credentials' }, false],
  ['42501', { kind: 'database_credentials' }, false],
  ['3D000', { kind: 'other_database' }, false],
  ['53300', expect.stringContaining('max_connections'), true],
  ['55000', expect.stringContaining('ALLOW_CONNECTIONS true'), true],
  ['57P03', expect.stringContaining('try again'), true],
  ['53200', expect.stringContaining('on the server'), false],
  ['XX000', expect.stringContaining('on the server'), false],
])('who is refused by %s learns what to do', (code, fix: unknown, passes) => {
  const failure = connectionFailure(said(code, 'no', 'InitPostgres'), NAME);
  expect(failure).toMatchObject({ code: 'store_refused', fix });
  expect(isAway(failure)).toBe(passes);
});
