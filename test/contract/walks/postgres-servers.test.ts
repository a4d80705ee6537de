import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Connection } from '../../../src/adapters/postgres/connection.ts';
import { closedPort } from '../../support/closed-port.ts';
import { ask, startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

/** As a role that writes, or one whose transactions are read-only, as those of a standby are. */
async function open(ports: readonly (string | number)[], { user = 'orderctl', more = '' } = {}) {
  const { pathname } = new URL(server.url);
  const hosts = ports.map(() => '127.0.0.1').join();
  const url = `postgres://${user}@${hosts}${pathname}?port=${ports.join()}${more}`;
  return Connection.open({ url, password: null });
}

describe('of several servers', () => {
  test('the one that takes writes is used, wherever it is named', async () => {
    const [{ port }, closed] = [new URL(server.url), await closedPort()];
    for (const ports of [
      [port, closed],
      [closed, port],
    ]) {
      await using connection = await open(ports);
      expect(await connection.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    }
  });

  test('none may be there, or take writes: that passes, and each is named', async () => {
    const [{ port }, closed, other] = [new URL(server.url), await closedPort(), await closedPort()];
    await expect(open([closed, other])).rejects.toMatchObject({
      code: 'store_unreachable',
      message: expect.stringMatching(
        new RegExp(`no server of .* accepts writes: .*:${closed}/.* nothing listens there; .*:${other}/`),
      ) as string,
    });
    const user = `reader_${process.pid}`;
    await ask(
      server.url,
      `CREATE ROLE ${user} LOGIN; ALTER ROLE ${user} SET default_transaction_read_only = on`,
    );
    try {
      await expect(open([closed, port], { user })).rejects.toMatchObject({
        code: 'store_unreachable',
        message: expect.stringContaining('does not accept writes: it is a standby') as string,
      });
      await expect(open([port], { user, more: '&target_session_attrs=primary' })).rejects.toMatchObject({
        code: 'store_unreachable',
      });
      // One alone may be read from.
      await using reader = await open([port], { user });
      expect(await reader.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
    } finally {
      await ask(server.url, `DROP ROLE ${user}`);
    }
  });

  test('a refusal that does not pass is said as such, and so is a wish for a standby', async () => {
    const [{ port }, closed] = [new URL(server.url), await closedPort()];
    await expect(open([closed, port], { user: 'nobody_of_that_name' })).rejects.toMatchObject({
      code: 'store_refused',
    });
    await expect(open([port], { more: '&target_session_attrs=standby' })).rejects.toMatchObject({
      code: 'invalid_value',
      fix: expect.stringContaining('read-write') as string,
    });
  });
});
