import { userInfo } from 'node:os';
import { Failure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Clock } from '../../ports/clock.ts';
import type { TableCopy } from '../../ports/table-copy.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { Processes } from '../../ports/processes.ts';
import { Connection, type Target } from './connection.ts';
import { makeEdit, makeEditIf, noStore } from './edit.ts';
import { PostgresInspection } from './inspection.ts';
import { checkedMigrations, refuseOlder } from './migrate.ts';
import { claimTask } from './owner/claims.ts';
import { askStatus, askToStop } from './owner/requests.ts';
import type { PostgresOptions } from './store.ts';
import { PostgresView } from './view.ts';

/** The store in a PostgreSQL database, in its schema `orderctl`. Opening it does not connect. */
export function openPostgres(
  options: Target & {
    readonly clock: Clock;
    readonly processes: Processes;
    /** The author of edits in the log of edits; by default the operating system's user name. */
    readonly user?: string;
    /** Receives what readers notice. */
    readonly onNotice?: ((notice: StoreNotice) => void) | undefined;
  },
): StoreAccess {
  const onNotice = options.onNotice ?? (() => undefined);
  const opened: PostgresOptions = { ...options, user: options.user ?? userInfo().username };
  const { url: name, processes } = opened;
  return {
    name,
    processes,
    async own(how) {
      const { PostgresStore } = await import('./store.ts');
      return PostgresStore.open({ ...opened, ...how });
    },
    edit: (request, how) => makeEdit(opened, request, how),
    editIf: (request, conditions, how) => makeEditIf(opened, request, conditions, how),
    copyTable: (table, how) => copyTable(opened, table, how?.create === true),
    consumerStatus: () => withStore(opened, (connection) => askStatus(connection, processes), null),
    stopConsumer: ({ kill, instance = null }) =>
      withStore(opened, (connection) => askToStop(connection, processes, { kill, instance }), null),
    claim: (task) => claimTask(opened, task),
    isThere: () => withStore(opened, async () => true, false),
    room: async () => null,
    keptAside: () => [],
    recentOrderIds: (prefix, limit) =>
      withStore(opened, (connection) => recentIds(connection, prefix, limit), []),
    read: async (how) => (await openView(opened, how?.onNotice ?? onNotice)).view,
    keepView: async () => null,
    backUp: () => Promise.reject(notOnPostgres(name)),
    inspect: async () => {
      const { connection, view } = await openView(opened, onNotice);
      return PostgresInspection.open(view, connection, opened);
    },
    // There are no such files: the database computes what they would contain.
    rebuildViews: async () => undefined,
  };
}

/** @param nothing what to return if no store exists */
async function withStore<T>(
  opened: PostgresOptions,
  work: (connection: Connection) => Promise<T>,
  nothing: T,
): Promise<T> {
  await using connection = await Connection.open(opened);
  return (await checkedMigrations(connection)) === null ? nothing : await work(connection);
}

/** @throws Failure not_found, store_too_new, store_refused (it has an earlier version) */
async function openView(
  opened: PostgresOptions,
  onNotice: (notice: StoreNotice) => void = () => undefined,
): Promise<{ connection: Connection; view: PostgresView }> {
  const connection = await Connection.open(opened);
  try {
    const applied = await checkedMigrations(connection);
    if (applied === null) throw noStore(opened.url);
    refuseOlder(opened.url, applied);
    const parts = { target: opened, clock: opened.clock, onNotice };
    return { connection, view: await PostgresView.open(parts, connection) };
  } catch (error) {
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}

/** @throws Failure not_found */
async function copyTable(
  opened: PostgresOptions,
  table: 'users' | 'inventory',
  create: boolean,
): Promise<TableCopy> {
  const { PostgresCopy } = await import('./transactions/table-copy.ts');
  if (create && !(await withStore(opened, async () => true, false)))
    return new PostgresCopy(opened, table, { rows: [], seq: 0 });
  const { view } = await openView(opened);
  await using reader = view;
  const rows = table === 'users' ? await reader.users() : await reader.items();
  return new PostgresCopy(opened, table, { rows: [...rows], seq: view.place.ends.get('commits') ?? 0 });
}

async function recentIds(connection: Connection, prefix: string, limit: number): Promise<string[]> {
  const rows = await connection.query<{ order_id: string }>(
    `SELECT order_id FROM orderctl.orders WHERE starts_with(order_id, $1)
     ORDER BY seq DESC, ordinal DESC LIMIT $2`,
    [prefix, limit],
  );
  return rows.map(({ order_id: id }) => id);
}

function notOnPostgres(name: string): Failure {
  return new Failure('usage', `${name} is a database, which this command does not support`, {
    fix: 'use it on a folder; back up a database with pg_dump',
  });
}
