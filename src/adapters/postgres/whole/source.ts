import type { Fact, FactLog } from '../../../domain/facts.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Processes } from '../../../ports/processes.ts';
import type { Rewriting, StoreSource } from '../../../ports/whole/store-copy.ts';
import { Connection, type Target } from '../connection.ts';
import { noStore } from '../edit.ts';
import { readList } from '../rows/lists.ts';
import { PostgresInspection } from '../inspection.ts';
import { checkedMigrations } from '../migrate.ts';
import { claimTask } from '../owner/claims.ts';
import { PostgresStore } from '../store.ts';
import { lockCommits } from '../transactions/seq.ts';
import { lastOf, PostgresView } from '../view.ts';
import { forget, placesOf, rewriteRows, transactionOf } from './rewrite.ts';
import { refuseSealed } from './seal.ts';

/** By events_log_by_log: one line of each log. */
const LOGS = 'SELECT DISTINCT ON (log) log, key, value FROM orderctl.events_log ORDER BY log, seq, ordinal';

/** A store in PostgreSQL that is copied: no other process owns it meanwhile, but edits continue until the seal. */
export async function openPostgresSource(
  target: Target,
  to: string,
  parts: { clock: Clock; processes: Processes },
): Promise<StoreSource> {
  const connection = await Connection.open(target);
  let owner: PostgresStore | undefined;
  try {
    if ((await checkedMigrations(connection)) === null) throw noStore(target.url);
    // A store that was sealed by an interrupted copy can be copied further.
    owner = await ownAlone(target, parts);
    await refuseSealed(connection, to);
    return new PostgresSource(target, parts.clock, { connection, owner });
  } catch (error) {
    await owner?.[Symbol.asyncDispose]();
    await connection[Symbol.asyncDispose]();
    throw error;
  }
}

/** Owns even a sealed store. @throws Failure folder_in_use */
export function ownAlone(
  target: Target,
  parts: { readonly clock: Clock; readonly processes: Processes },
): Promise<PostgresStore> {
  return PostgresStore.open({
    ...target,
    ...parts,
    user: '',
    evenSealed: true,
    purpose: 'store copy',
    via: 'command',
    isAlone: true,
    onNotice: () => undefined,
  });
}

class PostgresSource implements StoreSource {
  readonly storeId: string;
  readonly #target: Target;
  readonly #clock: Clock;
  readonly #connection: Connection;
  readonly #owner: PostgresStore;
  readonly #views: PostgresView[] = [];
  #seen = -1;

  constructor(
    target: Target,
    clock: Clock,
    { connection, owner }: { connection: Connection; owner: PostgresStore },
  ) {
    this.#target = target;
    this.#clock = clock;
    this.#connection = connection;
    this.#owner = owner;
    this.storeId = owner.storeId;
  }

  async factLogs(): Promise<readonly FactLog<never>[]> {
    const rows = await this.#connection.query<{ log: string; key: string; value: Fact }>(LOGS);
    return rows.map(({ log: name, key, value }) => {
      const field = Object.keys(value).find((field) => String(value[field]) === key);
      if (field === undefined) throw new Error(`no field of a fact of ${name} is its key`);
      return { name, key: field };
    });
  }

  /** As of one moment, to which `rest` and `seal` refer too. */
  async *history() {
    const { view, connection } = await this.#newView();
    this.#seen = (await lastOf(connection)).seq;
    yield* view.history(await this.factLogs());
  }

  async #newView(): Promise<{ view: PostgresView; connection: Connection }> {
    const connection = await Connection.open(this.#target);
    const view = await PostgresView.open({ target: this.#target, clock: this.#clock }, connection);
    this.#views.push(view);
    return { view, connection };
  }

  async rest() {
    const { view, connection } = await this.#newView();
    const inspection = await PostgresInspection.open(view, connection, this.#target);
    return {
      users: inspection.users(),
      items: inspection.items(),
      positions: inspection.positions(),
      small: await view.smallTables(),
      effects: inspection.effects(),
      unsent: inspection.allUnsent(),
      undelivered: inspection.undelivered(),
      lists: {
        suppliers: await readList(connection, 'suppliers'),
        reports: await readList(connection, 'reports'),
      },
    };
  }

  async seal(to: string): Promise<boolean> {
    return await this.#connection.transaction(async () => {
      await lockCommits(this.#connection);
      if ((await lastOf(this.#connection)).seq !== this.#seen) return false;
      const seal = JSON.stringify({ why: 'copied', store: to });
      await this.#connection.query('UPDATE orderctl.shop SET sealed = $1::json', [seal]);
      return true;
    });
  }

  async rewrite(rewriting: Rewriting, texts: readonly string[]): Promise<readonly string[]> {
    await using claim = await claimTask(this.#target, 'archive');
    const transaction = await this.#connection.transaction(async () => {
      await lockCommits(this.#connection);
      if ((await lastOf(this.#connection)).seq !== this.#seen) {
        throw new Failure('changed_since', `${this.#connection.name} was changed meanwhile`, {
          fix: 'run this again',
        });
      }
      await rewriteRows(this.#connection, rewriting);
      await claim.check();
      return transactionOf(this.#connection);
    });
    await this.#closeViews();
    const places = await placesOf(this.#connection, rewriting, texts);
    return [...places, ...(await forget(this.#connection, transaction, this.#clock))];
  }

  /** While a view is open, the server keeps what it sees. */
  async #closeViews(): Promise<void> {
    for (const view of this.#views.splice(0)) await view[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#closeViews();
    await this.#owner[Symbol.asyncDispose]();
    await this.#connection[Symbol.asyncDispose]();
  }
}
