import { afterAll, beforeAll, describe } from 'vitest';
import pg from 'pg';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { systemClock } from '../../src/compose.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { storePartsContract } from './store-parts.suite.ts';
import { storeContract, type StoreUnderTest } from './store.suite.ts';

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
  const make = async (): Promise<StoreUnderTest> => ({
    access: () =>
      openPostgres({ url: server.url, password: null, clock: systemClock, processes, user: 'tester' }),
    [Symbol.asyncDispose]: async () => {
      await client.query(EMPTY);
    },
  });

  // Apart, since each prepares the store for its own tests.
  describe('users, items and orders', () => storeContract(make));
  describe('all else', () => storePartsContract(make));
});
