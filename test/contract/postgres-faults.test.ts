import { afterAll, beforeAll, expect, test } from 'vitest';
import { LastingConnection } from '../../src/adapters/postgres/lasting.ts';
import { systemClock } from '../../src/compose.ts';
import { startPoolingProxy } from '../support/pooling-proxy.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
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
async function open(limitMs: number | null, url = server.url): Promise<Lasting> {
  const away: (Error | null)[] = [];
  const session = await LastingConnection.open({
    ...{ target: { url, password: null }, clock: systemClock, limitMs },
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
    ...{ code: 'store_unreachable', message: expect.stringContaining(LOGIN_FAILS) as string },
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
