import type { Effect, EffectKind } from '../../../domain/effects.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Store } from '../../../ports/store.ts';
import type { Ledger } from '../ledger.ts';
import type { WriteTurns } from './write-turns.ts';

/** The effects that are owed, as the owner of the folder holds them. */
export class OwedEffects {
  readonly #ledger: Ledger;
  readonly #turns: WriteTurns;
  readonly #clock: Clock;
  /** Ids of those that a previous owner was trying: nobody is trying them any more. */
  readonly #left = new Set<string>();

  constructor(ledger: Ledger, turns: WriteTurns, clock: Clock) {
    this.#ledger = ledger;
    this.#turns = turns;
    this.#clock = clock;
    for (const { id, state } of this.#all()) if (state === 'trying') this.#left.add(id);
  }

  #all(): Iterable<Effect> {
    return this.#ledger.tables.effects.values();
  }

  /** As takeEffects of Store. */
  take({ kinds, limit, leaseMs }: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    return this.#turns.run(async () => {
      const now = this.#clock.now();
      const taken = this.#due(kinds, now).slice(0, limit);
      const tried = taken.map((effect) => asTried(effect, now, leaseMs));
      if (tried.length === 0) return tried;
      await this.#ledger.commit({ lines: tried.map((effect) => ['effect', effect.id, effect]) });
      for (const { id } of tried) this.#left.delete(id);
      return tried;
    });
  }

  /** The oldest first. */
  #due(kinds: readonly EffectKind[], now: number): readonly Effect[] {
    const due: (readonly [at: number, Effect])[] = [];
    for (const effect of this.#all()) {
      const at = kinds.includes(effect.kind) ? this.#dueAt(effect) : null;
      if (at !== null && at <= now) due.push([at, effect]);
    }
    return due.sort(([a], [b]) => a - b).map(([, effect]) => effect);
  }

  /** As nextDue of Store. */
  nextDue(kinds: readonly EffectKind[]): number | null {
    let next: number | null = null;
    for (const effect of this.#all()) {
      const at = kinds.includes(effect.kind) ? this.#dueAt(effect) : null;
      if (at !== null && (next === null || at < next)) next = at;
    }
    return next;
  }

  /** When it may be tried next; null: it is parked. */
  #dueAt({ id, state, dueAt }: Effect): number | null {
    if (state === 'parked') return null;
    return this.#left.has(id) && state === 'trying' ? 0 : dueAt;
  }
}

/** The effect as it is during its next try. */
function asTried(effect: Effect, now: number, leaseMs: number): Effect {
  return {
    ...effect,
    state: 'trying',
    dueAt: now + leaseMs,
    attempts: effect.attempts + 1,
    firstTriedAt: effect.firstTriedAt ?? now,
  };
}
