import type { Effect, EffectKind } from '../../domain/effects.ts';
import type { Store } from '../../ports/store.ts';
import type { Connection } from './connection.ts';
import { effectOf, type EffectRow } from './rows/tables.ts';

/** Only those that are due, the oldest first, by effects_due. */
const TAKE = `WITH due AS (SELECT id, due_at AS was, place FROM orderctl.effects
    WHERE kind = ANY($1) AND state <> 'parked' AND due_at <= $3 ORDER BY due_at, place LIMIT $2 FOR UPDATE)
  UPDATE orderctl.effects e SET state = 'trying', attempts = attempts + 1, due_at = $4,
    first_tried_at = coalesce(first_tried_at, $3)
  FROM due WHERE e.id = due.id
  RETURNING e.id, kind, key, fields, state, due_at, attempts, first_tried_at, due.was, due.place`;
/** One look at the index effects_due for each kind that there is. */
const NEXT_DUE = `SELECT kind, (SELECT min(due_at) FROM orderctl.effects e WHERE e.kind = k.kind AND state <> 'parked') AS due
  FROM unnest(ARRAY['charge', 'refund', 'dispatch', 'mail', 'webhook', 'log']) AS k (kind)`;
/** What the owner before was trying is this one's at once. */
const TAKE_OVER = `UPDATE orderctl.effects SET due_at = 0 WHERE state = 'trying'`;

interface TakenRow extends EffectRow {
  /** When it was due. */
  readonly was: number;
  readonly place: number;
}

/** Effects that are owed, for the owner. */
export class OwedEffects {
  readonly #connection: Connection;
  #due = new Map<EffectKind, number>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async start(): Promise<void> {
    await this.#connection.query(TAKE_OVER);
    this.know(await this.look());
  }

  /** When the next of each kind is due, in the transaction that runs. */
  async look(): Promise<ReadonlyMap<EffectKind, number>> {
    const rows = await this.#connection.query<{ kind: EffectKind; due: number | null }>(NEXT_DUE);
    return new Map(rows.flatMap(({ kind, due }) => (due === null ? [] : [[kind, due]])));
  }

  /** @param due as `look` of a transaction that is committed returned it */
  know(due: ReadonlyMap<EffectKind, number>): void {
    this.#due = new Map(due);
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
    const { rows, next } = await this.#connection.transaction(async () => ({
      rows: await this.#connection.query<TakenRow>(TAKE, [kinds, limit, now, now + leaseMs]),
      next: await this.look(),
    }));
    this.know(next);
    return rows.toSorted((a, b) => a.was - b.was || a.place - b.place).map(effectOf);
  }
}
