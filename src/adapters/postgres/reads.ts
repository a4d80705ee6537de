import type { LoggedEdit } from '../../domain/edit.ts';
import type { Effect } from '../../domain/effects.ts';
import type { Fact, FactLog, SmallTable } from '../../domain/facts.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { Item, User } from '../../domain/tables.ts';
import type {
  HistoryLine,
  LoggedMovement,
  StoredPosition,
  StoreReader,
  Undelivered,
} from '../../ports/store.ts';
import type { Connection } from './connection.ts';
import { DECISION_COLUMNS, decidedOf, type DecisionRow } from './rows/decisions.ts';
import { EDIT_COLUMNS, loggedEditOf, type EditRow } from './rows/edits.ts';
import { outgoingOf, type OutgoingRow } from './rows/outgoing.ts';
import {
  EFFECT_COLUMNS,
  effectOf,
  ITEM_COLUMNS,
  itemOf,
  ITEMS,
  positionOf,
  USER_COLUMNS,
  userOf,
  type EffectRow,
  type ItemRow,
  type PositionRow,
  type UserRow,
} from './rows/tables.ts';

/** Rows of a log that are in memory at a time. */
export const CHUNK_ROWS = 2_000;

/** Where a row of a log is in history. */
interface Place {
  readonly seq: number;
  readonly ordinal: number;
}

/* A chunk of each log goes on behind a place, by the index that has (seq, ordinal) at its end. */
const ORDERS = `SELECT ${DECISION_COLUMNS} FROM orderctl.orders o`;
const AFTER = '(seq, ordinal) > ($1, $2) ORDER BY seq, ordinal LIMIT $3';
const BEFORE = '(seq, ordinal) < ($1, $2) ORDER BY seq DESC, ordinal DESC LIMIT $3';
/** Behind all that there is, and before it: a bigint's limits. */
const END: Place = { seq: 2 ** 62, ordinal: 0 };
const START: Place = { seq: -1, ordinal: 0 };

export const DECISIONS_AFTER = `${ORDERS} WHERE ${AFTER}`;

/** Behind all of a commit. */
export function placeAfter(seq: number): Place {
  return { seq, ordinal: 2 ** 31 - 1 };
}

/** What every reader of a store does, on one connection or another. */
export abstract class PostgresReads implements StoreReader {
  abstract readonly storeId: string | null;
  protected abstract readonly connection: Connection;

  async users(): Promise<Iterable<User>> {
    const rows = await this.connection.query<UserRow>(
      `SELECT ${USER_COLUMNS} FROM orderctl.users ORDER BY place`,
    );
    return rows.map(userOf);
  }

  async items(): Promise<Iterable<Item>> {
    const rows = await this.connection.query<ItemRow>(
      `SELECT ${ITEM_COLUMNS} FROM ${ITEMS} ORDER BY p.place`,
    );
    return rows.map(itemOf);
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    const [row] = await this.connection.query<DecisionRow>(`${ORDERS} WHERE o.order_id = $1`, [orderId]);
    return row && decidedOf(row);
  }

  async *decisions(outcome: 'accepted' | 'rejected'): AsyncGenerator<readonly Decided[]> {
    // By orders_by_status.
    const statement = `${ORDERS} WHERE status = '${outcome}' AND ${AFTER}`;
    for await (const rows of this.#chunks<DecisionRow>(statement)) yield rows.map(decidedOf);
  }

  async *decisionsFromEnd(outcome: 'accepted' | 'rejected'): AsyncGenerator<readonly Decided[]> {
    const statement = `${ORDERS} WHERE status = '${outcome}' AND ${BEFORE}`;
    for await (const rows of this.#chunks<DecisionRow>(statement, END)) yield rows.map(decidedOf);
  }

  async *edits(): AsyncGenerator<readonly LoggedEdit[]> {
    for await (const rows of this.#chunks<EditRow>(EDITS)) yield rows.map(loggedEditOf);
  }

  async *movements(): AsyncGenerator<readonly LoggedMovement[]> {
    for await (const rows of this.#chunks<MovementRow>(MOVEMENTS)) yield rows.map(movementOf);
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
    for await (const rows of this.#chunks<FactRow>(statement, START, [log.name])) {
      yield rows.map(({ value }) => value as T);
    }
  }

  async *history(facts: readonly FactLog<never>[]): AsyncGenerator<readonly HistoryLine[]> {
    const byName = new Map(facts.map((log) => [log.name, log]));
    const factLines = `SELECT seq, ordinal, log, value FROM orderctl.events_log WHERE log = ANY($4) AND ${AFTER}`;
    // Of one commit in this order.
    const logs = [
      lines(this.#chunks<EditRow>(EDITS), (row) => ({
        ...{ kind: 'edit', seq: row.seq, at: row.at },
        edit: loggedEditOf(row),
      })),
      lines(this.#chunks<DecisionRow>(DECISIONS_AFTER), (row) => ({
        ...{ kind: 'decision', seq: row.seq, at: row.decided_at },
        decided: decidedOf(row),
      })),
      lines(this.#chunks<MovementRow>(MOVEMENTS), (row) => ({
        ...{ kind: 'movement', seq: row.seq, at: row.at },
        movement: movementOf(row),
      })),
      lines(this.#chunks<FactRow>(factLines, START, [[...byName.keys()]]), ({ seq, log, value }) => ({
        ...{ kind: 'fact', seq, at: null, fact: value },
        log: byName.get(log) ?? unknownLog(log),
      })),
    ];
    yield* merge(logs);
  }

  async small<T>(table: SmallTable<T>): Promise<ReadonlyMap<string, T>> {
    const rows = await this.connection.query<{ key: string; value: T }>(
      'SELECT key, value FROM orderctl.small_tables WHERE table_name = $1 ORDER BY place',
      [table.name],
    );
    return new Map(rows.map(({ key, value }) => [key, value]));
  }

  async effects(): Promise<readonly Effect[]> {
    const rows = await this.connection.query<EffectRow>(
      `SELECT ${EFFECT_COLUMNS} FROM orderctl.effects ORDER BY place`,
    );
    return rows.map(effectOf);
  }

  async *undelivered(): AsyncGenerator<Undelivered> {
    for (let name = ''; ;) {
      const [row] = await this.connection.query<OutgoingRow & { name: string }>(
        'SELECT name, body, key, value FROM orderctl.undelivered WHERE name > $1 ORDER BY name LIMIT 1',
        [name],
      );
      if (row === undefined) return;
      ({ name } = row);
      const outgoing = outgoingOf(row);
      if (outgoing.kind === 'record') yield { ...outgoing, name };
    }
  }

  async positions(): Promise<readonly StoredPosition[]> {
    const rows = await this.connection.query<PositionRow>(
      'SELECT * FROM orderctl.positions ORDER BY processor, topic, partition',
    );
    return rows.map(positionOf);
  }

  /** @param statement with the place as $1 and $2, the limit as $3, and `more` behind */
  async *#chunks<Row extends Place>(
    statement: string,
    from: Place = START,
    more: readonly unknown[] = [],
  ): AsyncGenerator<readonly Row[]> {
    for (let at = from; ;) {
      const rows = await this.connection.query<Row>(statement, [at.seq, at.ordinal, CHUNK_ROWS, ...more]);
      const last = rows.at(-1);
      if (last === undefined) return;
      yield rows;
      if (rows.length < CHUNK_ROWS) return;
      at = last;
    }
  }

  abstract [Symbol.asyncDispose](): Promise<void>;
}

const EDITS = `SELECT ${EDIT_COLUMNS} FROM orderctl.edits WHERE ${AFTER}`;

const MOVEMENTS = `SELECT seq, ordinal, at, item, delta, on_hand, cause, order_id, event_id
  FROM orderctl.stock_movements WHERE ${AFTER}`;

interface MovementRow extends Place {
  readonly at: number;
  readonly item: string;
  readonly delta: number;
  readonly on_hand: number;
  readonly cause: LoggedMovement['cause'];
  readonly order_id: string | null;
  readonly event_id: string | null;
}

function movementOf(row: MovementRow): LoggedMovement {
  const { seq, at, item, delta, on_hand: onHand, cause, order_id: orderId, event_id: eventId } = row;
  return { seq, at, item, delta, onHand, cause, orderId, eventId };
}

interface FactRow extends Place {
  readonly log: string;
  readonly value: Fact;
}

async function* lines<Row>(
  chunks: AsyncIterable<readonly Row[]>,
  read: (row: Row) => HistoryLine,
): AsyncGenerator<HistoryLine> {
  for await (const rows of chunks) for (const row of rows) yield read(row);
}

function unknownLog(name: string): never {
  throw new Error(`the log ${name} was not asked for`);
}

/** @param logs each in order; of the same commit the earlier one comes first */
async function* merge(logs: readonly AsyncGenerator<HistoryLine>[]): AsyncGenerator<readonly HistoryLine[]> {
  const heads = await Promise.all(logs.map((log) => log.next()));
  let chunk: HistoryLine[] = [];
  for (;;) {
    let first: number | undefined;
    for (const [index, head] of heads.entries()) {
      if (head.done === true) continue;
      const known = first === undefined ? undefined : heads[first];
      if (known === undefined || known.done === true || seqOf(head.value) < seqOf(known.value)) first = index;
    }
    const head = first === undefined ? undefined : heads[first];
    const log = first === undefined ? undefined : logs[first];
    if (first === undefined || head === undefined || head.done === true || log === undefined) break;
    chunk.push(head.value);
    if (chunk.length === CHUNK_ROWS) {
      yield chunk;
      chunk = [];
    }
    heads[first] = await log.next();
  }
  if (chunk.length > 0) yield chunk;
}

function seqOf({ seq }: HistoryLine): number {
  return seq ?? 0;
}
