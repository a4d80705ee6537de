import { Failure } from '../../domain/failure.ts';
import type { Connection } from './connection.ts';
import { isOfOtherTables } from './failures.ts';
import { checkKnown, MIGRATIONS, NEWEST } from './migrations/known.ts';
import { refuseSealed } from './whole/seal.ts';

/** Held while a database is migrated, since several processes may start at once. */
const MIGRATION_LOCK = 0x6f726401;

/**
 * The migrations that the database has; null: it has no store.
 *
 * @throws Failure corrupt_state: the schema belongs to another program
 */
async function appliedTo(connection: Connection): Promise<ReadonlySet<number> | null> {
  const [there] = await connection.query<{ there: boolean }>(
    // Not with to_regclass, which may still use the state from before the lock.
    `SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE n.nspname = 'orderctl' AND c.relname = 'migrations') AS there`,
  );
  if (there?.there !== true) return null;
  const rows = await connection
    .query<{ number: unknown }>('SELECT number FROM orderctl.migrations')
    .catch((error: unknown) => {
      if (isOfOtherTables(error)) throw foreignSchema(connection.name);
      throw error;
    });
  const numbers = rows.map(({ number }) => {
    if (typeof number !== 'number') throw foreignSchema(connection.name);
    return number;
  });
  return numbers.length === 0 ? null : new Set(numbers);
}

function foreignSchema(name: string): Failure {
  return new Failure(
    'corrupt_state',
    `the schema orderctl of ${name} has a table "migrations" that orderctl did not create`,
    { fix: 'name another database, or rename that schema if another program owns it' },
  );
}

/**
 * Creates the store, or migrates it to the version of this program.
 *
 * @throws Failure store_too_new (a newer program has migrated it), store_refused (this user may not), folder_in_use
 *   (it is sealed)
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
  // No limit for the lock: a migration by another process may take long.
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

/** Readers do not change the tables. @throws Failure store_refused: they have an earlier version */
export function refuseOlder(name: string, applied: ReadonlySet<number>): void {
  const [first] = missing(applied);
  if (first === undefined) return;
  throw new Failure(
    'store_refused',
    `the store in ${name} has version ${Math.max(...applied)}, but this program reads version ${NEWEST}`,
    { fix: { kind: 'migrate_store' } },
  );
}

/** @returns null: there is no store @throws Failure store_too_new */
export async function checkedMigrations(connection: Connection): Promise<ReadonlySet<number> | null> {
  const applied = await appliedTo(connection);
  checkKnown(connection.name, [...(applied ?? [])]);
  return applied;
}
