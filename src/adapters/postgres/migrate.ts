import { Failure } from '../../domain/failure.ts';
import type { Connection } from './connection.ts';
import { TABLES } from './migrations/0001-tables.ts';
import { INSTANCES } from './migrations/0002-instances.ts';
import { SQL_EDITS } from './migrations/0003-sql-edits.ts';
import { VIEWS } from './migrations/0005-views.ts';
import { SEAL } from './migrations/0007-seal.ts';
import { OUTBOX_GROUPS } from './migrations/0008-outbox-groups.ts';
import { LISTS } from './migrations/0010-lists.ts';
import { ANNOUNCERS } from './migrations/0012-announcers.ts';
import { refuseSealed } from './whole/seal.ts';

/** By their numbers, in order. Never change one that was released: add another. */
const MIGRATIONS: ReadonlyMap<number, string> = new Map([
  [1, TABLES],
  [2, INSTANCES],
  [3, SQL_EDITS],
  [5, VIEWS],
  [7, SEAL],
  [8, OUTBOX_GROUPS],
  [10, LISTS],
  [12, ANNOUNCERS],
]);

/** The version of a store is the highest number that it has. */
export const NEWEST = Math.max(...MIGRATIONS.keys());

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
 * @throws Failure store_too_new when a newer program has migrated it; store_refused when this user may not;
 *   folder_in_use it is sealed
 */
export async function migrate(
  connection: Connection,
  newStoreId: () => string,
  { evenSealed = false }: { readonly evenSealed?: boolean } = {},
): Promise<void> {
  if (missing(await checkedMigrations(connection)).length > 0) await makeMissing(connection, newStoreId);
  if (!evenSealed) await refuseSealed(connection);
}

async function makeMissing(connection: Connection, newStoreId: () => string): Promise<void> {
  // What another process migrates may take long.
  await connection.transaction(async () => {
    await connection.query('SELECT pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
    const applied = await checkedMigrations(connection);
    if (applied === null) {
      await connection.query('CREATE SCHEMA IF NOT EXISTS orderctl');
      await connection.query(
        'CREATE TABLE orderctl.migrations (number integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())',
      );
    }
    for (const number of missing(applied)) {
      await connection.script(MIGRATIONS.get(number) ?? '');
      await connection.query('INSERT INTO orderctl.migrations (number) VALUES ($1)', [number]);
    }
    if (applied === null)
      await connection.query('INSERT INTO orderctl.shop (store_id) VALUES ($1)', [newStoreId()]);
  }, 0);
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
