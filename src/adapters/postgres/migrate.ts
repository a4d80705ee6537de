import { Failure } from '../../domain/failure.ts';
import type { Connection } from './connection.ts';
import { TABLES } from './migrations/0001-tables.ts';
import { INSTANCES } from './migrations/0002-instances.ts';
import { SQL_EDITS } from './migrations/0003-sql-edits.ts';

/** By their numbers, in order. Never change one that was released: add another. */
const MIGRATIONS: ReadonlyMap<number, string> = new Map([
  [1, TABLES],
  [2, INSTANCES],
  [3, SQL_EDITS],
]);

/** Held while a database is migrated: several processes may start at once. */
const MIGRATION_LOCK = 0x6f726401;

/** What the database has of them; null: it has no store. */
async function appliedTo(connection: Connection): Promise<ReadonlySet<number> | null> {
  const [there] = await connection.query<{ there: boolean }>(
    // Not by to_regclass, which may still have from before the lock that there is none.
    `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = 'orderctl' AND c.relname = 'migrations') AS there`,
  );
  if (there?.there !== true) return null;
  const rows = await connection.query<{ number: number }>('SELECT number FROM orderctl.migrations');
  return rows.length === 0 ? null : new Set(rows.map(({ number }) => number));
}

/**
 * Makes the store, or brings it to the version of this program.
 *
 * @returns the numbers of the migrations that it made
 * @throws Failure store_too_new when a newer program has migrated it; store_refused when this user may not
 */
export async function migrate(connection: Connection, newStoreId: () => string): Promise<readonly number[]> {
  if (missing(await checkedMigrations(connection)).length === 0) return [];
  return await connection.transaction(async () => {
    await connection.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const applied = await checkedMigrations(connection);
    if (applied === null) {
      await connection.query('CREATE SCHEMA IF NOT EXISTS orderctl');
      await connection.query(
        'CREATE TABLE orderctl.migrations (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())',
      );
    }
    const made = missing(applied);
    for (const number of made) {
      await connection.script(MIGRATIONS.get(number) ?? '');
      await connection.query('INSERT INTO orderctl.migrations (number) VALUES ($1)', [number]);
    }
    if (applied === null)
      await connection.query('INSERT INTO orderctl.shop (store_id) VALUES ($1)', [newStoreId()]);
    return made;
  });
}

function missing(applied: ReadonlySet<number> | null): number[] {
  return [...MIGRATIONS.keys()].filter((number) => applied?.has(number) !== true);
}

/** @returns null: there is no store @throws Failure store_too_new */
export async function checkedMigrations(connection: Connection): Promise<ReadonlySet<number> | null> {
  const applied = await appliedTo(connection);
  checkKnown(connection.name, [...(applied ?? [])]);
  return applied;
}

/** @param numbers of migrations that the database has @throws Failure store_too_new */
export function checkKnown(name: string, numbers: readonly number[]): void {
  const unknown = numbers.filter((number) => !MIGRATIONS.has(number));
  if (unknown.length === 0) return;
  throw new Failure(
    'store_too_new',
    `the store in ${name} has migration ${Math.max(...unknown)}, which this program does not know`,
    { fix: 'use the newer orderctl that migrated it' },
  );
}
