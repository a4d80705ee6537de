// @ts-check
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { CannotStart } from '../kafka/install.mjs';

/** Slots and publications that Debezium keeps in the database. tables.sql has the tables. */
const READERS = ['orderctl_requests', 'orderctl_stock'];

/**
 * @typedef {object} Database
 * @property {string} url postgres://…, as of --store
 * @property {string} password
 */

/**
 * @param {Database} database
 * @returns {Record<string, string>} the environment variables that the connectors read
 * @throws {CannotStart} 2 when the URL is not that of a database
 */
export function connectionOf({ url, password }) {
  const parts = URL.canParse(url) ? new URL(url) : undefined;
  const name = parts?.pathname.slice(1);
  if (parts === undefined || !/^postgres(ql)?:$/.test(parts.protocol) || !name) {
    throw new CannotStart(
      `--store ${url}: give a database, as postgres://orderctl@127.0.0.1:5432/orderctl`,
      2,
    );
  }
  return {
    CONNECT_DATABASE_HOST: parts.hostname,
    CONNECT_DATABASE_PORT: parts.port || '5432',
    CONNECT_DATABASE_NAME: decodeURIComponent(name),
    CONNECT_DATABASE_USER: decodeURIComponent(parts.username) || 'orderctl',
    CONNECT_DATABASE_PASSWORD: decodeURIComponent(parts.password) || password,
    CONNECT_DATABASE_SSLMODE: parts.searchParams.get('sslmode') ?? 'prefer',
  };
}

/**
 * Creates what tables.sql defines.
 *
 * @param {Database} database
 * @throws {CannotStart} 3 where there is no store, 4 where the server has no logical decoding, 5 where it refuses
 */
export async function prepareDatabase(database) {
  await withDatabase(database, async (client) => {
    const { rows } = await client.query(
      `SELECT current_setting('wal_level') AS level, to_regclass('orderctl.inventory') AS store`,
    );
    const [{ level, store }] = rows;
    if (level !== 'logical') {
      throw new CannotStart(
        `the database has wal_level=${level}, but reading changes needs logical: run ` +
          `"ALTER SYSTEM SET wal_level = logical", and restart it`,
        4,
      );
    }
    if (store === null)
      throw new CannotStart('the database has no store: run "orderctl store init" first', 3);
    await client.query(readFileSync(join(import.meta.dirname, 'tables.sql'), 'utf8'));
  });
}

/**
 * Drops slots and publications: a slot that is not read keeps the write-ahead log until the disk is full. Tables stay.
 *
 * @param {Database} database
 * @throws {CannotStart} 4 while a connector is reading, 5 where the database refuses
 */
export async function releaseDatabase(database) {
  await withDatabase(database, async (client) => {
    const { rows } = await client.query(
      'SELECT slot_name, active FROM pg_replication_slots WHERE slot_name = ANY($1) AND database = current_database()',
      [READERS],
    );
    const active = rows.filter((slot) => slot.active).map((slot) => slot.slot_name);
    if (active.length > 0) throw new CannotStart(`${active.join(', ')} is in use: stop Connect first`, 4);
    for (const { slot_name } of rows) await client.query('SELECT pg_drop_replication_slot($1)', [slot_name]);
    for (const name of READERS) await client.query(`DROP PUBLICATION IF EXISTS ${name}`);
  });
}

/**
 * @param {Database} database
 * @param {(client: pg.Client) => Promise<void>} use
 */
async function withDatabase(database, use) {
  const of = connectionOf(database);
  const client = new pg.Client({
    connectionString: database.url,
    password: of['CONNECT_DATABASE_PASSWORD'] || undefined,
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await use(client);
  } catch (error) {
    if (error instanceof CannotStart || !(error instanceof Error)) throw error;
    const at = `${of['CONNECT_DATABASE_HOST']}:${of['CONNECT_DATABASE_PORT']}`;
    throw new CannotStart(`the database at ${at}: ${error.message || String(error)}`, 5);
  } finally {
    await client.end().catch(() => undefined);
  }
}
