import type { Effect, EffectKind } from '../../../domain/effects.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Store } from '../../../ports/store.ts';
import type { Ledger } from '../ledger.ts';
import type { GroupCommit } from './group.ts';

/** The effects that are owed, as the owner of the folder holds them. */
export class OwedEffects {
  readonly #ledger: Ledger;
  readonly #group: GroupCommit;
  readonly #clock: Clock;

  constructor(ledger: Ledger, group: GroupCommit, clock: Clock) {
    this.#ledger = ledger;
    this.#group = group;
    this.#clock = clock;
    ledger.tables.effects.takeOver();
  }

  /** As takeEffects of Store. */
  async take({ kinds, limit, leaseMs }: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    let tried: readonly Effect[] = [];
    await this.#group.stage(() => {
      const now = this.#clock.now();
      const due = this.#ledger.tables.effects.due(kinds, now, limit);
      tried = due.map((effect) => asTried(effect, now, leaseMs));
      if (tried.length > 0) this.#ledger.stage({ lines: tried.map((one) => ['effect', one.id, one]) });
    });
    return tried;
  }

  /** As nextDue of Store. */
  nextDue(kinds: readonly EffectKind[]): number | null {
    return this.#ledger.tables.effects.nextDue(kinds);
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
