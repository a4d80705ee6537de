import type { LoggedEdit } from '../../domain/edit.ts';
import type { Effect } from '../../domain/effects.ts';
import { Failure } from '../../domain/failure.ts';
import type { Fact, FactLog, SmallTable } from '../../domain/facts.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { PlacedWindows } from '../../domain/orders/decision-sums.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type {
  FieldValues,
  HistoryLine,
  LineAt,
  LoggedMovement,
  LogPlace,
  SalesLine,
  StockLog,
  StockPiece,
  StoredPosition,
  StoreReader,
  Undelivered,
} from '../../ports/store.ts';
import type { Target } from './connection.ts';
import type { Queries } from './lasting.ts';
import { archivesOf, ArchiveFiles } from './archive/files.ts';
import { decidedOf, decidedWhere, type DecisionRow } from './rows/decisions.ts';
import {
  AFTER,
  BEFORE,
  chunks,
  decisionLine,
  EDITS,
  END,
  historyAfter,
  MOVEMENTS,
  movementOf,
  ORDERS,
  START,
  stockPiece,
  stockPieces,
  summedHistory,
  type FactRow,
  type MovementRow,
  type Place,
} from './history.ts';
import { loggedEditOf, type EditRow } from './rows/edits.ts';
import { recordOf, type RecordRow } from './rows/outgoing.ts';
import { summedDecisions } from './rows/sums.ts';
import {
  EFFECT_COLUMNS,
  effectOf,
  ITEM_COLUMNS,
  ITEMS,
  positionOf,
  USER_COLUMNS,
  userOf,
  type EffectRow,
  type PositionRow,
  type UserRow,
} from './rows/tables.ts';

const DECIDED = decidedWhere('o.order_id = $1');

/** What every reader of a store does, on whichever connection. */
export abstract class PostgresReads implements StoreReader {
  abstract readonly storeId: string | null;
  protected abstract readonly connection: Queries;
  protected abstract readonly target: Target;
  readonly #onNotice: (notice: StoreNotice) => void;
  #reportedArchived = false;

  /** @param onNotice learns once that orders are archived, when something is read that would include them */
  constructor(onNotice: (notice: StoreNotice) => void) {
    this.#onNotice = onNotice;
  }

  async users(): Promise<Iterable<User>> {
    const rows = await this.connection.query<UserRow>(
      `SELECT ${USER_COLUMNS} FROM orderctl.users ORDER BY place`,
    );
    return rows.map(userOf);
  }

  async items(): Promise<Iterable<Item>> {
    const rows = await this.connection.query<Item>(`SELECT ${ITEM_COLUMNS} FROM ${ITEMS} ORDER BY p.place`);
    return rows;
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    const [row] = await this.connection.query<DecisionRow>(DECIDED, [orderId]);
    if (row?.archive != null && this.target.archive != null) {
      const files = new ArchiveFiles(this.target.archive, await archivesOf(this.connection));
      const decided = await files.decided(orderId, row.archive);
      if (decided !== undefined) return decided;
    }
    return row && decidedOf(row);
  }

  /** null: no orders are archived, or their folder was not given, which is reported. */
  async #archived(): Promise<ArchiveFiles | null> {
    const archives = await archivesOf(this.connection);
    const last = archives.at(-1);
    if (last === undefined) return null;
    const { archive } = this.target;
    if (archive != null) return new ArchiveFiles(archive, archives);
    if (!this.#reportedArchived) {
      const orders = archives.reduce((sum, { accepted, rejected }) => sum + accepted + rejected, 0);
      this.#onNotice({ kind: 'orders_archived', orders, untilMs: last.last_decided_at });
    }
    this.#reportedArchived = true;
    return null;
  }

  /** @throws Failure not_found: some are archived, and their folder was not given */
  protected async archivedOrNone(): Promise<ArchiveFiles | null> {
    const archives = await archivesOf(this.connection);
    const last = archives.at(-1);
    if (last === undefined) return null;
    const { archive, url } = this.target;
    if (archive != null) return new ArchiveFiles(archive, archives);
    throw new Failure(
      'not_found',
      `history of ${url} is incomplete without its archives, which have the orders up to ${isoTime(last.last_decided_at)}`,
      { fix: { kind: 'name_archives' } },
    );
  }

  async *decisions(outcome: 'accepted' | 'rejected'): AsyncGenerator<readonly Decided[]> {
    // By the index orders_by_status.
    const statement = `${ORDERS} WHERE status = '${outcome}' AND ${AFTER}`;
    const archived = await this.#archived();
    if (archived !== null) yield* decidedAs(outcome, archived.rows());
    for await (const rows of chunks<DecisionRow>(this.connection, statement)) yield rows.map(decidedOf);
  }

  async *decisionsFromEnd(
    outcome: 'accepted' | 'rejected',
    from?: LogPlace,
  ): AsyncGenerator<readonly LineAt<Decided>[]> {
    const statement = `${ORDERS} WHERE status = '${outcome}' AND ${BEFORE}`;
    const end = endOf(from);
    const lineOf = (row: DecisionRow): LineAt<Decided> => ({ value: decidedOf(row), place: placeOf(row) });
    for await (const rows of chunks<DecisionRow>(this.connection, statement, end)) yield rows.map(lineOf);
    for await (const rows of (await this.#archived())?.rowsFromEnd() ?? []) {
      yield rows.filter((row) => row.status === outcome && isBefore(row, end)).map(lineOf);
    }
  }

  async *edits(): AsyncGenerator<readonly LoggedEdit[]> {
    for await (const rows of chunks<EditRow>(this.connection, EDITS)) yield rows.map(loggedEditOf);
  }

  async *movements(): AsyncGenerator<readonly LoggedMovement[]> {
    for await (const rows of chunks<MovementRow>(this.connection, MOVEMENTS)) yield rows.map(movementOf);
  }

  async facts<T extends Fact>(log: FactLog<T>, key: string): Promise<readonly T[]> {
    const rows = await this.connection.query<{ value: T }>(
      'SELECT value FROM orderctl.events_log WHERE log = $1 AND key = $2 ORDER BY seq, ordinal',
      [log.name, key],
    );
    return rows.map(({ value }) => value);
  }

  async *allFacts<T extends Fact>(log: FactLog<T>): AsyncGenerator<readonly T[]> {
    const statement = `SELECT seq, ordinal, log, value FROM orderctl.events_log WHERE log = $4 AND ${AFTER}`;
    for await (const rows of chunks<FactRow>(this.connection, statement, START, [log.name])) {
      yield rows.map(({ value }) => value as T);
    }
  }

  async *factsFromEnd<T extends Fact>(
    log: FactLog<T>,
    { field, values }: FieldValues<T>,
    from?: LogPlace,
  ): AsyncGenerator<readonly LineAt<T>[]> {
    // Not filtered by the database: it would expect few rows with one of these values, and read all of them to sort
    // those.
    const statement = `SELECT seq, ordinal, log, value FROM orderctl.events_log WHERE log = $4 AND ${BEFORE}`;
    for await (const rows of chunks<FactRow>(this.connection, statement, endOf(from), [log.name])) {
      const wanted = rows.filter(({ value }) => values.includes(value[field] as string));
      yield wanted.map((row) => ({ value: row.value as T, place: placeOf(row) }));
    }
  }

  async #archivedRows() {
    return (await this.archivedOrNone())?.rows() ?? [];
  }

  async *stockFromEnd(log: StockLog, item: string, before?: LogPlace): AsyncGenerator<StockPiece> {
    const end = before === undefined ? END : placeIn(before);
    yield* stockPieces(this.connection, log, item, end);
    if (log !== 'accepted') return;
    for await (const rows of (await this.#archived())?.rowsFromEnd() ?? []) {
      const some = rows.filter((row) => row.status === 'accepted' && isBefore(row, end));
      if (some.length > 0) yield stockPiece(some, item, decisionLine);
    }
  }

  async *history(facts: readonly FactLog<never>[]): AsyncGenerator<readonly HistoryLine[]> {
    const archived = await this.#archivedRows();
    yield* historyAfter(this.connection, facts, { from: START, archived });
  }

  async *salesHistory(
    facts: readonly FactLog<never>[],
    windows: PlacedWindows,
    stockAt?: number,
  ): AsyncGenerator<readonly SalesLine[]> {
    const archived = await this.#archivedRows();
    const decisions = summedDecisions(this.connection, windows, stockAt);
    yield* summedHistory(this.connection, facts, { archived, decisions });
  }

  async small<T>(table: SmallTable<T>): Promise<ReadonlyMap<string, T>> {
    const rows = await this.connection.query<{ key: string; value: T }>(
      'SELECT key, value FROM orderctl.small_tables WHERE table_name = $1 AND value IS NOT NULL ORDER BY place',
      [table.name],
    );
    return new Map(rows.map(({ key, value }) => [key, value]));
  }

  /** All small tables, by name. */
  async smallTables(): Promise<ReadonlyMap<string, ReadonlyMap<string, unknown>>> {
    const rows = await this.connection.query<{ name: string }>(
      'SELECT DISTINCT table_name AS name FROM orderctl.small_tables',
    );
    const tables = new Map<string, ReadonlyMap<string, unknown>>();
    for (const { name } of rows) tables.set(name, await this.small({ name }));
    return tables;
  }

  async effects(ids?: readonly string[]): Promise<readonly Effect[]> {
    const of = `SELECT ${EFFECT_COLUMNS} FROM orderctl.effects`;
    const rows = await (ids === undefined
      ? this.connection.query<EffectRow>(`${of} ORDER BY place`)
      : this.connection.query<EffectRow>(`${of} WHERE id = ANY($1) ORDER BY place`, [ids]));
    return rows.map(effectOf);
  }

  async *undelivered(): AsyncGenerator<Undelivered> {
    for (let name = ''; ;) {
      const [row] = await this.connection.query<RecordRow & { name: string }>(
        'SELECT name, body, key, value FROM orderctl.undelivered WHERE name > $1 ORDER BY name LIMIT 1',
        [name],
      );
      if (row === undefined) return;
      ({ name } = row);
      yield { ...recordOf(row), name };
    }
  }

  async positions(): Promise<readonly StoredPosition[]> {
    const rows = await this.connection.query<PositionRow>(
      'SELECT * FROM orderctl.positions ORDER BY processor, topic, partition',
    );
    return rows.map(positionOf);
  }

  abstract [Symbol.asyncDispose](): Promise<void>;
}

function placeOf({ seq, ordinal }: Place): LogPlace {
  return [seq, ordinal];
}

/** The place behind a row, or behind all of them. */
function endOf(from: LogPlace | undefined): Place {
  if (from === undefined) return END;
  const { seq, ordinal } = placeIn(from);
  return { seq, ordinal: ordinal + 1 };
}

/** @throws Failure invalid_value */
function placeIn(place: LogPlace): Place {
  const [seq = NaN, ordinal = NaN] = place;
  if (Number.isSafeInteger(seq) && Number.isSafeInteger(ordinal) && Math.abs(ordinal) < 2 ** 31 - 1)
    return { seq, ordinal };
  throw new Failure('invalid_value', `no log row is at ${JSON.stringify(place)}`, {
    fix: 'begin again without a cursor',
  });
}

function isBefore(one: Place, other: Place): boolean {
  return one.seq < other.seq || (one.seq === other.seq && one.ordinal < other.ordinal);
}

async function* decidedAs(
  outcome: 'accepted' | 'rejected',
  chunks: AsyncIterable<readonly DecisionRow[]>,
): AsyncGenerator<readonly Decided[]> {
  for await (const rows of chunks) yield rows.filter(({ status }) => status === outcome).map(decidedOf);
}
