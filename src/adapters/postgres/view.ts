import type { Decided } from '../../domain/orders/decided.ts';
import type { Clock } from '../../ports/clock.ts';
import type { NewDecisions, StoreView } from '../../ports/store.ts';
import { Connection, type Target } from './connection.ts';
import { CHUNK_ROWS, DECISIONS_AFTER, placeAfter, PostgresReads } from './reads.ts';
import { decidedOf, type DecisionRow } from './rows/decisions.ts';

/** How often new decisions are looked for. */
const POLL_MS = 200;

/** A snapshot of the database, as long as it is open. */
export class PostgresView extends PostgresReads implements StoreView {
  readonly storeId: string | null;
  protected readonly connection: Connection;
  readonly #target: Target;
  readonly #clock: Clock;
  /** The last commit that decided orders, as far as it sees. */
  readonly #seq: number;

  private constructor(
    target: Target,
    clock: Clock,
    connection: Connection,
    seen: { storeId: string | null; seq: number },
  ) {
    super();
    this.#target = target;
    this.#clock = clock;
    this.connection = connection;
    this.storeId = seen.storeId;
    this.#seq = seen.seq;
  }

  /** @param connection to a database with a store; the view closes it */
  static async open(target: Target, clock: Clock, connection: Connection): Promise<PostgresView> {
    await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const [row] = await connection.query<{ storeId: string | null; seq: number | null }>(
      `SELECT (SELECT store_id FROM orderctl.shop) AS "storeId", (SELECT max(seq) FROM orderctl.orders) AS seq`,
    );
    return new PostgresView(target, clock, connection, {
      storeId: row?.storeId ?? null,
      seq: row?.seq ?? -1,
    });
  }

  newDecisions(signal: AbortSignal): AsyncIterable<NewDecisions> {
    return follow(this.#target, this.#clock, this.#seq, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection[Symbol.asyncDispose]();
  }
}

/** Commits have their numbers in their order, so that nothing comes later under a number that was passed. */
async function* follow(
  target: Target,
  clock: Clock,
  from: number,
  signal: AbortSignal,
): AsyncGenerator<NewDecisions> {
  await using connection = await Connection.open(target);
  for (let at = placeAfter(from); !signal.aborted;) {
    const rows = await connection.query<DecisionRow>(DECISIONS_AFTER, [at.seq, at.ordinal, CHUNK_ROWS]);
    at = rows.at(-1) ?? at;
    const of = (status: DecisionRow['status']): Decided[] =>
      rows.filter((row) => row.status === status).map(decidedOf);
    yield { accepted: of('accepted'), rejected: of('rejected') };
    if (rows.length < CHUNK_ROWS) await clock.sleep(POLL_MS, signal);
  }
}
