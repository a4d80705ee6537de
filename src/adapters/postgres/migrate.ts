import { Failure } from '../../domain/failure.ts';
import type { Connection } from './connection.ts';
import { TABLES } from './migrations/0001-tables.ts';
import { INSTANCES } from './migrations/0002-instances.ts';

/** In order; the version of a database is how many of them it has. Never change one that was released: add another. */
const MIGRATIONS: readonly string[] = [TABLES, INSTANCES];

/** Held while a database is migrated: several processes may start at once. */
const MIGRATION_LOCK = 0x6f726401;

/** The version of the database; null: it has no store. */
async function versionOf(connection: Connection): Promise<number | null> {
  const [there] = await connection.query<{ there: boolean }>(
    // Not by to_regclass, which may still have from before the lock that there is none.
    `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = 'orderctl' AND c.relname = 'migrations') AS there`,
  );
  if (there?.there !== true) return null;
  const [row] = await connection.query<{ version: number | null }>(
    'SELECT max(number) AS version FROM orderctl.migrations',
  );
  return row?.version ?? null;
}

/**
 * Makes the store, or brings it to the version of this program.
 *
 * @throws Failure store_too_new when a newer program has migrated it; store_refused when this user may not
 */
export async function migrate(connection: Connection, newStoreId: () => string): Promise<void> {
  if ((await checkedVersion(connection)) === MIGRATIONS.length) return;
  await connection.transaction(async () => {
    await connection.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const version = (await checkedVersion(connection)) ?? 0;
    if (version === 0) {
      await connection.query('CREATE SCHEMA IF NOT EXISTS orderctl');
      await connection.query(
        'CREATE TABLE orderctl.migrations (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())',
      );
    }
    for (const [index, statements] of MIGRATIONS.entries()) {
      if (index < version) continue;
      await connection.script(statements);
      await connection.query('INSERT INTO orderctl.migrations (number) VALUES ($1)', [index + 1]);
    }
    if (version === 0)
      await connection.query('INSERT INTO orderctl.shop (store_id) VALUES ($1)', [newStoreId()]);
  });
}

/** @throws Failure store_too_new */
export async function checkedVersion(connection: Connection): Promise<number | null> {
  const version = await versionOf(connection);
  if (version !== null) checkKnown(connection.name, [version]);
  return version;
}

/** @param numbers of migrations that the database has @throws Failure store_too_new */
export function checkKnown(name: string, numbers: readonly number[]): void {
  if (Math.max(...numbers) <= MIGRATIONS.length) return;
  throw new Failure(
    'store_too_new',
    `the store in ${name} has version ${Math.max(...numbers)}, and this program knows ${MIGRATIONS.length}`,
    { fix: 'use the newer orderctl that migrated it' },
  );
}
