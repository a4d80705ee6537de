import { randomUUID } from 'node:crypto';
import type { Clock } from '../../../ports/clock.ts';
import type { Processes } from '../../../ports/processes.ts';
import type { StoreAbout, StoreAdmin } from '../../../ports/whole/store-admin.ts';
import { Connection, type Target } from '../connection.ts';
import { noStore } from '../edit.ts';
import { postgresLists } from '../rows/lists.ts';
import { checkedMigrations, migrate, refuseOlder } from '../migrate.ts';
import { NEWEST } from '../migrations/known.ts';

/** The tables whose rows are counted: an estimate would be wrong just after an import. */
const COUNTED = [
  'users',
  'products',
  'inventory',
  'orders',
  'order_lines',
  'stock_movements',
  'edits',
  'events_log',
  'archived_orders',
  'effects',
  'outbox',
  'undelivered',
  'positions',
  'suppliers',
  'reports',
];
const ABOUT = `SELECT current_setting('server_version') AS server, (SELECT store_id FROM orderctl.shop) AS "storeId",
  (SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'orderctl' AND c.relkind IN ('r', 'p')) AS "sizeBytes"`;

/** A store in PostgreSQL as a whole. */
export function postgresAdmin({
  clock,
  processes,
  ...target
}: Target & { readonly clock: Clock; readonly processes: Processes }): StoreAdmin {
  return {
    name: target.url,
    lists: postgresLists(target),
    about: () => about(target),
    async migrate() {
      await using connection = await Connection.open(target);
      const before = await checkedMigrations(connection);
      await migrate(connection, randomUUID);
      return { from: before === null ? null : Math.max(...before), to: NEWEST };
    },
    archive: {
      async plan(beforeMs) {
        const { planArchive } = await import('../archive/move.ts');
        return planArchive(target, beforeMs);
      },
      async execute(options) {
        const { archiveOrders } = await import('../archive/move.ts');
        return archiveOrders(target, options);
      },
    },
    async source(to) {
      const { openPostgresSource } = await import('./source.ts');
      return openPostgresSource(target, to, { clock, processes });
    },
    async target(of) {
      const { PostgresTarget } = await import('./target.ts');
      return PostgresTarget.open(target, of, { clock, processes });
    },
  };
}

async function about(target: Target): Promise<StoreAbout> {
  await using connection = await Connection.open(target);
  const applied = await checkedMigrations(connection);
  if (applied === null) throw noStore(target.url);
  refuseOlder(target.url, applied);
  const [found] = await connection.query<Pick<StoreAbout, 'server' | 'storeId' | 'sizeBytes'>>(ABOUT);
  if (found === undefined) throw new Error('orderctl.shop has no row');
  const counts = await connection.query<{ name: string; rows: number }>(
    COUNTED.map((name) => `SELECT '${name}' AS name, ${countOf(name)} AS rows FROM orderctl.${name}`).join(
      ' UNION ALL ',
    ),
  );
  return { kind: 'postgres', ...found, version: Math.max(...applied), newest: NEWEST, rows: counts };
}

/** A row of the outbox has several messages. */
function countOf(table: string): string {
  return table === 'outbox' ? 'coalesce(sum(message_count), 0)' : 'count(*)';
}
