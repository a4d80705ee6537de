import type { Effect, EffectKind } from '../../domain/effects.ts';
import type { Store } from '../../ports/store.ts';
import type { LastingConnection, Queries } from './lasting.ts';
import { effectOf, type EffectRow } from './rows/tables.ts';

/** Only those that are due and that nobody else is taking, the oldest first, by effects_due. */
const TAKE = `WITH due AS (SELECT id, due_at AS was, place FROM orderctl.effects
    WHERE kind = ANY($1) AND state <> 'parked' AND due_at <= $3 ORDER BY due_at, place LIMIT $2 FOR UPDATE SKIP LOCKED)
  UPDATE orderctl.effects e SET state = 'trying', attempts = attempts + 1, due_at = $4, taken_by = $5,
    first_tried_at = coalesce(first_tried_at, $3)
  FROM due WHERE e.id = due.id
  RETURNING e.id, kind, key, fields, state, due_at, attempts, first_tried_at, due.was, due.place,
    pg_current_xact_id()::text AS transaction`;
/** One look at the index effects_due for each kind that there is. */
const NEXT_DUE = `SELECT kind, (SELECT min(due_at) FROM orderctl.effects e WHERE e.kind = k.kind AND state <> 'parked') AS due
  FROM unnest(ARRAY['charge', 'refund', 'dispatch', 'mail', 'webhook', 'log']) AS k (kind)`;

interface TakenRow extends EffectRow {
  /** When it was due. */
  readonly was: number;
  readonly place: number;
  readonly transaction: string;
}

/** Effects that are owed, for one of the processes that perform them. */
export class OwedEffects {
  readonly #connection: LastingConnection;
  readonly #instanceId: string;
  #due = new Map<EffectKind, number>();

  constructor(connection: LastingConnection, instanceId: string) {
    this.#connection = connection;
    this.#instanceId = instanceId;
  }

  /** When the next of each kind is due, in the transaction that runs. */
  async look(connection: Queries): Promise<ReadonlyMap<EffectKind, number>> {
    const rows = await connection.query<{ kind: EffectKind; due: number | null }>(NEXT_DUE);
    return new Map(rows.flatMap(({ kind, due }) => (due === null ? [] : [[kind, due]])));
  }

  /**
   * @param due as `look` of a transaction that is committed returned it
   * @returns whether anything is due earlier than it was known to be
   */
  know(due: ReadonlyMap<EffectKind, number>): boolean {
    const before = this.#due;
    this.#due = new Map(due);
    return [...due].some(([kind, at]) => at < (before.get(kind) ?? Infinity));
  }

  nextDue(kinds: readonly EffectKind[]): number | null {
    const due = kinds.flatMap((kind) => this.#due.get(kind) ?? []);
    return due.length === 0 ? null : Math.min(...due);
  }

  /** In a turn of the owner. */
  async take(
    { kinds, limit, leaseMs }: Parameters<Store['takeEffects']>[0],
    now: number,
  ): Promise<readonly Effect[]> {
    const due = this.nextDue(kinds);
    if (due === null || due > now) return [];
    const { rows, next } = await this.#connection.transaction(async (connection) => {
      const values = [kinds, limit, now, now + leaseMs, this.#instanceId];
      const rows = await connection.query<TakenRow>(TAKE, values);
      connection.transactionId = rows[0]?.transaction ?? null;
      return { rows, next: await this.look(connection) };
    });
    this.know(next);
    return rows.toSorted((a, b) => a.was - b.was || a.place - b.place).map(effectOf);
  }
}
