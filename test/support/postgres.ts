import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { freePort } from '../../deploy/kafka/services.mjs';
import { startPostgres } from '../../deploy/postgres/server.mjs';

export interface TestPostgres extends AsyncDisposable {
  /** The URL of its database, for `--store`: `orderctl`, or one database per test on a server that is given. */
  readonly url: string;
}

/** Little memory: several test files may have a server at the same time. Syncs are as by default. */
export const SETTINGS = { shared_buffers: '16MB', max_connections: '40', max_wal_size: '256MB' };

/**
 * A PostgreSQL for one test, on a free port, with its data in a temporary folder. Where ORDERCTL_TEST_POSTGRES is the
 * URL of a server on which the user may create databases: a database on that server.
 *
 * @param settings of the server; with settings, it is always started for this test
 */
export async function startTestPostgres(settings?: Readonly<Record<string, string>>): Promise<TestPostgres> {
  const given = process.env.ORDERCTL_TEST_POSTGRES ?? '';
  if (given !== '' && settings === undefined) return databaseOn(given);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-postgres-'));
  const service = await startPostgres({
    folder,
    port: await freePort(),
    settings: { ...SETTINGS, ...settings },
  });
  return {
    url: service.address,
    [Symbol.asyncDispose]: async () => {
      await service.stop();
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function databaseOn(server: string): Promise<TestPostgres> {
  const name = `orderctl_test_${randomBytes(6).toString('hex')}`;
  await ask(server, `CREATE DATABASE ${name}`);
  return {
    url: otherDatabase(server, name),
    [Symbol.asyncDispose]: async () => {
      await ask(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** The URL of another database of the same server. */
export function otherDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}

/** @returns the rows */
export async function ask<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Empties a store: creating and dropping a database takes longer than most tests. */
export const EMPTY_STORE = `DO $$
  DECLARE name text;
  BEGIN
    PERFORM set_config('orderctl.is_own', 'on', true);
    FOR name IN SELECT table_name FROM information_schema.tables WHERE table_schema = 'orderctl'
      AND table_type = 'BASE TABLE' AND table_name NOT IN ('migrations', 'shop')
    LOOP EXECUTE format('DELETE FROM orderctl.%I', name); END LOOP;
  END $$`;
