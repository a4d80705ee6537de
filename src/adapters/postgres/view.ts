import type { FactLog } from '../../domain/facts.ts';
import { Failure } from '../../domain/failure.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { Clock } from '../../ports/clock.ts';
import type { HistoryPlace } from '../../ports/health.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { HistoryLine, StoreView } from '../../ports/store.ts';
import { Connection, type Target } from './connection.ts';
import { historyAfter, placeAfter, START } from './history.ts';
import { PostgresReads } from './reads.ts';
import { ITEM_COLUMNS, ITEMS, USER_COLUMNS, userOf, type UserRow } from './rows/tables.ts';

/** How often a follower checks for more. */
const CHECK_MS = 200;

/** Each by the first column of an index. */
const LAST = `SELECT store_id AS "storeId", greatest((SELECT max(seq) FROM orderctl.orders),
  (SELECT max(seq) FROM orderctl.edits), (SELECT max(seq) FROM orderctl.stock_movements),
  (SELECT max(seq) FROM orderctl.events_log), a.seq, 0) AS seq, coalesce(a.seq, 0) AS "archivedSeq"
  FROM orderctl.shop, (SELECT max(last_seq) AS seq FROM orderctl.archives) a`;

interface Last {
  readonly storeId: string;
  /** The number of the last commit that added to a log. */
  readonly seq: number;
  /** Orders up to this commit are archived; 0: none are. */
  readonly archivedSeq: number;
}

interface ViewParts {
  readonly target: Target;
  readonly clock: Clock;
  readonly onNotice?: (notice: StoreNotice) => void;
}

/** A snapshot of the database, for as long as it is open. */
export class PostgresView extends PostgresReads implements StoreView {
  readonly storeId: string;
  protected readonly connection: Connection;
  protected readonly target: Target;
  readonly #clock: Clock;
  readonly #last: Last;

  private constructor({ target, clock, onNotice }: ViewParts, connection: Connection, last: Last) {
    super(onNotice ?? (() => undefined));
    this.target = target;
    this.#clock = clock;
    this.connection = connection;
    this.storeId = last.storeId;
    this.#last = last;
  }

  /** @param connection to a database with a store; the view closes it */
  static async open(parts: ViewParts, connection: Connection): Promise<PostgresView> {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return new PostgresView(parts, connection, await lastOf(connection));
  }

  async userNamed(user: string): Promise<User | undefined> {
    const statement = `SELECT ${USER_COLUMNS} FROM orderctl.users WHERE user_name = $1`;
    const [row] = await this.connection.query<UserRow>(statement, [user]);
    return row && userOf(row);
  }

  async itemNamed(item: string): Promise<Item | undefined> {
    const statement = `SELECT ${ITEM_COLUMNS} FROM ${ITEMS} WHERE item = $1`;
    const [row] = await this.connection.query<Item>(statement, [item]);
    return row;
  }

  /** See StoreInspection. */
  get place(): HistoryPlace {
    return { storeId: this.storeId, ends: new Map([['commits', this.#last.seq]]) };
  }

  async *historyFrom(
    from: HistoryPlace | null,
    facts: readonly FactLog<never>[],
  ): AsyncGenerator<readonly HistoryLine[]> {
    if (from === null) {
      // Without their folder, archived orders are in the sums of `archived`.
      const isWhole = this.target.archive != null;
      const archived = isWhole ? ((await this.archivedOrNone())?.rows() ?? []) : [];
      yield* historyAfter(this.connection, facts, { from: START, archived });
      return;
    }
    const seq = from.ends.get('commits') ?? 0;
    const { url } = this.target;
    if (from.storeId !== this.storeId || seq > this.#last.seq) throw replaced(url);
    if (this.#last.archivedSeq > seq) throw archivedSince(url);
    yield* historyAfter(this.connection, facts, { from: placeAfter(seq) });
  }

  follow(facts: readonly FactLog<never>[], signal: AbortSignal): AsyncIterable<readonly HistoryLine[]> {
    return follow(this.target, this.#clock, this.#last, { facts, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }
}

export async function lastOf(connection: Connection): Promise<Last> {
  const [row] = await connection.query<Last>(LAST);
  if (row === undefined) throw new Error('orderctl.shop has no row');
  return row;
}

/** Numbers rise in the order of commits, so nothing appears later under a number that was passed. */
async function* follow(
  target: Target,
  clock: Clock,
  from: Last,
  { facts, signal }: { readonly facts: readonly FactLog<never>[]; readonly signal: AbortSignal },
): AsyncGenerator<readonly HistoryLine[]> {
  await using connection = await Connection.open(target);
  for (let { seq } = from; !signal.aborted;) {
    const now = await lastOf(connection);
    if (now.storeId !== from.storeId || now.seq < seq) throw replaced(target.url);
    if (now.archivedSeq > seq) throw archivedSince(target.url);
    if (now.seq > seq) {
      yield* historyAfter(connection, facts, { from: placeAfter(seq), upTo: now.seq });
      // Orders that were archived while they were read may be missing.
      if ((await lastOf(connection)).archivedSeq > seq) throw archivedSince(target.url);
    } else await clock.sleep(CHECK_MS, signal);
    ({ seq } = now);
  }
}

function archivedSince(name: string): Failure {
  return new Failure('changed_since', `orders of ${name} were archived before they were read here`, {
    fix: 'run this again',
  });
}

function replaced(name: string): Failure {
  return new Failure('changed_since', `${name} was replaced by another store, or by an earlier copy`, {
    fix: 'run this again',
  });
}
