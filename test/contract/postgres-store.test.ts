import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import pg from 'pg';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { systemClock } from '../../src/compose.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { storePartsContract } from './store-parts.suite.ts';
import { sharedStoreContract, type SharedStoreUnderTest } from './store-shared.suite.ts';
import { storeContract } from './store.suite.ts';

/** One database for all: to make and drop one takes longer than most tests. */
const EMPTY = `DO $$
  DECLARE name text;
  BEGIN
    FOR name IN SELECT table_name FROM information_schema.tables WHERE table_schema = 'orderctl'
      AND table_type = 'BASE TABLE' AND table_name NOT IN ('migrations', 'shop')
    LOOP EXECUTE format('DELETE FROM orderctl.%I', name); END LOOP;
  END $$`;

describe('the store in PostgreSQL', () => {
  let server: TestPostgres;
  let client: pg.Client;
  beforeAll(async () => {
    server = await startTestPostgres();
    client = new pg.Client(server.url);
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await server[Symbol.asyncDispose]();
  });

  // The first one finds no store, and the others an empty one.
  const make = async (): Promise<SharedStoreUnderTest> => ({
    access: () =>
      openPostgres({ url: server.url, password: null, clock: systemClock, processes, user: 'tester' }),
    forget: async (purpose) => {
      await client.query('DELETE FROM orderctl.instances WHERE purpose = $1', [purpose]);
    },
    shutOut: async (purpose) => {
      await client.query('UPDATE orderctl.instances SET is_out = true WHERE purpose = $1', [purpose]);
    },
    endSessions: async () => {
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orderctl'`,
      );
    },
    [Symbol.asyncDispose]: async () => {
      await client.query(EMPTY);
    },
  });

  test('a request with a name is made once, by whichever process and however often it is sent at once', async () => {
    await using under = await make();
    const onNotice = (): void => undefined;
    const conditions = { row: null, key: 'k-1' };
    const how = { via: 'http', onNotice } as const;
    const adding = { kind: 'item.add', item: 'pen', quantity: 5 } as const;
    const all = Array.from({ length: 5 }, () => under.access());
    const added = await Promise.all(all.map((access) => access.editIf(adding, conditions, how)));
    const updating = { kind: 'item.update', item: 'pen', by: 20 } as const;
    const updated = await Promise.all(
      all.map((access) => access.editIf(updating, { row: null, key: 'k-2' }, how)),
    );
    for (const made of [added, updated]) {
      expect(made.map(({ isRepeat }) => isRepeat).sort()).toEqual([false, true, true, true, true]);
      expect(made.map(({ edit }) => edit)).toEqual(made.map(() => made[0]?.edit));
    }
    await using reader = await under.access().read();
    expect([...(await reader.items())].map(({ quantity }) => quantity)).toEqual([25]);
  });

  // Apart, since each prepares the store for its own tests.
  describe('users, items and orders', () => storeContract(make));
  describe('several owners', () => sharedStoreContract(make));
  describe('all else', () => storePartsContract(make));
});
