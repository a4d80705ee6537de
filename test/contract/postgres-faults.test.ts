import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import type { Connection } from '../../src/adapters/postgres/connection.ts';
import { LastingConnection } from '../../src/adapters/postgres/lasting.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { systemClock } from '../../src/compose.ts';
import { startPoolingProxy } from '../support/pooling-proxy.ts';
import { ask, otherDatabase, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { waitFor } from '../support/wait.ts';

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

interface Lasting {
  readonly session: LastingConnection;
  /** What was reported; null: it is back. */
  readonly away: (Error | null)[];
}

/** @param limitMs how long it waits */
async function open(limitMs: number | null, url = server.url, clock = systemClock): Promise<Lasting> {
  const away: (Error | null)[] = [];
  const session = await LastingConnection.open({
    target: { url, password: null },
    clock,
    limitMs,
    onAway: (failure) => void away.push(failure),
    signal: new AbortController().signal,
  });
  return { session, away };
}

const LOGIN_FAILS = 'server login has been failing, try again later (server_login_retry)';

async function openByPool(limitMs: number | null) {
  const url = new URL(server.url);
  const to = { host: url.hostname, port: Number(url.port), user: url.username };
  const pool = await startPoolingProxy({ ...to, database: url.pathname.slice(1) }, 2);
  url.port = String(pool.port);
  return { pool, ...(await open(limitMs, url.href)) };
}

test('a pool that has lost its server is waited for, in a statement and in a commit', async () => {
  const { pool, away, ...opened } = await openByPool(null);
  await using session = opened.session;
  pool.refuse(LOGIN_FAILS);
  const asked = session.query('SELECT 1 AS one');
  await waitFor('a word about it', async () => away.length > 0);
  expect(away[0]).toMatchObject({
    code: 'store_unreachable',
    message: expect.stringContaining(LOGIN_FAILS) as string,
  });
  pool.refuse(null);
  expect(await asked).toEqual([{ one: 1 }]);
  expect(away.splice(0).at(-1)).toBeNull();
  let runs = 0;
  const committed = session.transaction(async () => {
    runs += 1;
    if (runs === 1) pool.refuse('server conn crashed?');
    return runs;
  });
  await waitFor('a word about the commit', async () => away.length > 0);
  pool.refuse(null);
  expect(await committed).toBe(2);
});

test('a pool that never gets its server back is given up', { timeout: 20_000 }, async () => {
  const { pool, away, ...opened } = await openByPool(1_000);
  await using session = opened.session;
  pool.refuse(LOGIN_FAILS);
  await expect(session.query('SELECT')).rejects.toMatchObject({ code: 'store_unreachable' });
  // It is not asked without a pause.
  expect(away.length).toBeLessThan(5);
});

/** Whatever sleeps in a statement. */
async function cancel(): Promise<void> {
  const sleeping = `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event = 'PgSleep'`;
  await waitFor('a statement to cancel', async () => (await ask(server.url, sleeping)).length > 0);
}

test('a statement that is cancelled is run again, in a transaction too', async () => {
  await using session = (await open(null)).session;
  let runs = 0;
  const work = async (connection: Pick<Connection, 'query'>): Promise<number> => {
    runs += 1;
    if (runs === 1) await connection.query('SELECT pg_sleep(30)');
    return runs;
  };
  const done = session.transaction(work);
  await cancel();
  expect(await done).toBe(2);
  await ask(server.url, 'CREATE SEQUENCE runs');
  const asked = session.query(
    "SELECT CASE WHEN nextval('runs') = 1 THEN pg_sleep(30)::text ELSE 'again' END AS run",
  );
  await cancel();
  expect(await asked).toEqual([{ run: 'again' }]);
});

test('an edit that is cancelled is made', async () => {
  const access = openPostgres({
    url: server.url,
    password: null,
    clock: systemClock,
    processes,
    user: 'tester',
  });
  const edit = (item: string) =>
    access.edit({ kind: 'item.add', item, quantity: 5 }, { via: 'command', onNotice: () => undefined });
  await edit('book');
  await ask(
    server.url,
    `CREATE SEQUENCE holds;
     CREATE FUNCTION public.hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
       IF nextval('holds') = 1 THEN PERFORM pg_sleep(30); END IF; RETURN NULL; END $$;
     CREATE TRIGGER hold AFTER INSERT ON orderctl.inventory EXECUTE FUNCTION public.hold()`,
  );
  const edited = edit('pen');
  await cancel();
  expect(await edited).toMatchObject({ item: 'pen' });
});

test('what a limit of the server always cancels is given up, though the database would be waited for', async () => {
  const fast = { ...systemClock, elapsed: () => systemClock.elapsed() * 20 };
  await using session = (await open(null, server.url, fast)).session;
  await session.query("SET statement_timeout = '20ms'");
  await expect(session.query('SELECT pg_sleep(30)')).rejects.toMatchObject({
    code: 'store_unreachable',
    fix: expect.stringContaining('statement_timeout') as string,
  });
});

describe('where transactions are serializable by default', () => {
  test('a statement by itself that meets another one is run again, without a word', async () => {
    await ask(server.url, 'CREATE TABLE met (n integer); INSERT INTO met VALUES (1)');
    const { away, ...opened } = await open(null);
    await using session = opened.session;
    await using other = (await open(null)).session;
    await session.query("SET default_transaction_isolation = 'serializable'");
    const add = 'UPDATE met SET n = n + 1 RETURNING n';
    let asked: Promise<unknown> | undefined;
    await other.transaction(async (connection) => {
      await connection.query(add);
      asked = session.query(add);
      const waiting = `SELECT FROM pg_stat_activity
        WHERE datname = current_database() AND query = '${add}' AND wait_event_type = 'Lock'`;
      await waitFor('it to wait', async () => (await ask(server.url, waiting)).length > 0);
    });
    expect(await asked).toEqual([{ n: 3 }]);
    expect(away).toEqual([]);
  });

  test('who reserves a task holds up no vacuum', async () => {
    const database = new URL(server.url).pathname.slice(1);
    await ask(server.url, `ALTER DATABASE ${database} SET default_transaction_isolation = 'serializable'`);
    const access = openPostgres({ url: server.url, password: null, clock: systemClock, processes });
    await using claim = await access.claim('redrive');
    await claim.check();
    const sessions = await ask(
      server.url,
      `SELECT backend_xmin FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'idle in transaction' AND application_name = 'orderctl'`,
    );
    expect(sessions).toEqual([{ backend_xmin: null }]);
    await ask(server.url, `ALTER DATABASE ${database} RESET default_transaction_isolation`);
  });
});

test('a session that the server ends because it is idle is opened again, without a word', async () => {
  const { away, ...opened } = await open(null);
  await using session = opened.session;
  await session.query("SET idle_session_timeout = '50ms'");
  const { connection } = session;
  await waitFor('it to end', async () => connection.isLost);
  expect(await session.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  expect(away).toEqual([]);
});

async function pidOf(session: LastingConnection): Promise<number> {
  const [row] = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return row?.pid ?? 0;
}

test('a database that lets nobody in for now is waited for', async () => {
  const { away, ...opened } = await open(null);
  await using session = opened.session;
  const { pathname } = new URL(server.url);
  const allow = (isAllowed: boolean): Promise<unknown> =>
    ask(
      otherDatabase(server.url, 'postgres'),
      `ALTER DATABASE ${pathname.slice(1)} WITH ALLOW_CONNECTIONS ${isAllowed}`,
    );
  const end = `SELECT pg_terminate_backend(${await pidOf(session)})`;
  await ask(server.url, end);
  await allow(false);
  const asked = session.query('SELECT 1 AS one');
  try {
    await waitFor('a word about it', async () => away.length > 0);
    expect(away[0]?.message).toContain('not currently accepting connections');
  } finally {
    await allow(true);
  }
  expect(await asked).toEqual([{ one: 1 }]);
});
