import type { Effect, EffectKind } from '../../domain/effects.ts';
import type { Store } from '../../ports/store.ts';
import type { Trace } from './connection.ts';
import type { LastingConnection, Queries } from './lasting.ts';
import { effectOf, type EffectRow } from './rows/tables.ts';
import { NOW } from './transactions/seq.ts';

/**
 * Takes effects that are due and that no other process is taking, oldest first, by the index effects_due. Due times
 * and leases follow the clock of the database: the clocks of processes may differ by more than a lease.
 */
const TAKE = `WITH now AS MATERIALIZED (SELECT ${NOW} AS now), due AS (
    SELECT id, due_at AS was, place FROM orderctl.effects
    WHERE kind = ANY($1) AND state <> 'parked' AND due_at <= (SELECT now FROM now)
    ORDER BY due_at, place LIMIT $2 FOR UPDATE SKIP LOCKED)
  UPDATE orderctl.effects e SET state = 'trying', attempts = attempts + 1, due_at = now + $3, taken_by = $4,
    first_tried_at = coalesce(first_tried_at, now)
  FROM due, now WHERE e.id = due.id
  RETURNING e.id, kind, key, fields, state, due_at, attempts, first_tried_at, due.was, due.place,
    pg_current_xact_id()::text AS transaction`;
const TAKEN = 'SELECT FROM orderctl.effects WHERE id = $1 AND taken_by = $2 AND attempts = $3';
/** One look-up in the index effects_due for each kind. */
const NEXT_DUE = `SELECT kind, ${NOW} AS now,
    (SELECT min(due_at) FROM orderctl.effects e WHERE e.kind = k.kind AND state <> 'parked') AS due
  FROM unnest(ARRAY['charge', 'refund', 'dispatch', 'mail', 'webhook', 'log']) AS k (kind)`;

interface TakenRow extends EffectRow {
  /** When it was due. */
  readonly was: number;
  readonly place: number;
  readonly transaction: string;
}

/** When the next effect of each kind is due, by the clock of the database. */
export interface Due {
  readonly at: ReadonlyMap<EffectKind, number>;
  /** How far the clock of the database is ahead of this process's monotonic clock. */
  readonly aheadMs: number;
}

/** The pending effects, for one of the processes that perform them. */
export class OwedEffects {
  readonly #connection: LastingConnection;
  readonly #instanceId: string;
  #due: Due = { at: new Map(), aheadMs: 0 };

  constructor(connection: LastingConnection, instanceId: string) {
    this.#connection = connection;
    this.#instanceId = instanceId;
  }

  /** When the next effect of each kind is due, in the current transaction. */
  async look(connection: Queries): Promise<Due> {
    const rows = await connection.query<{ kind: EffectKind; now: number; due: number | null }>(NEXT_DUE);
    const at = new Map(rows.flatMap(({ kind, due }) => (due === null ? [] : [[kind, due]])));
    return { at, aheadMs: (rows[0]?.now ?? 0) - performance.now() };
  }

  /**
   * @param due what `look` returned in a transaction that has been committed
   * @returns whether an effect is due earlier than was known
   */
  know(due: Due): boolean {
    const { at: before } = this.#due;
    this.#due = due;
    return [...due.at].some(([kind, at]) => at < (before.get(kind) ?? Infinity));
  }

  /** See Store.dueInMs. */
  dueInMs(kinds: readonly EffectKind[]): number | null {
    const { at, aheadMs } = this.#due;
    const due = kinds.flatMap((kind) => at.get(kind) ?? []);
    return due.length === 0 ? null : Math.max(0, Math.min(...due) - aheadMs - performance.now());
  }

  /** Call in a turn of the owner. */
  async take({ kinds, limit, leaseMs }: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    if (this.dueInMs(kinds) !== 0) return [];
    const { rows, next } = await this.#connection.transaction(async (connection) => {
      const values = [kinds, limit, leaseMs, this.#instanceId];
      const rows = await connection.query<TakenRow>(TAKE, values);
      connection.trace = this.#traceOf(rows);
      return { rows, next: await this.look(connection) };
    });
    this.know(next);
    return rows.toSorted((a, b) => a.was - b.was || a.place - b.place).map(effectOf);
  }

  /** If another process takes the effect meanwhile, it has one attempt more than this process counted. */
  #traceOf([first]: readonly TakenRow[]): Trace | null {
    if (first === undefined) return null;
    const { id, attempts, transaction } = first;
    const values = [id, this.#instanceId, attempts];
    return {
      id: transaction,
      isThere: async (queries) => (await queries.query(TAKEN, values)).length > 0,
    };
  }
}
