import type { Effect, EffectKind } from '../../../domain/effects.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Store } from '../../../ports/store.ts';
import type { Ledger } from '../ledger.ts';
import type { GroupCommit } from './group.ts';

/** The pending effects, for the owner of the folder. */
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

  /** See `Store.takeEffects`. */
  async take({ kinds, limit, leaseMs }: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    let tried: readonly Effect[] = [];
    await this.#group.stage(() => {
      const now = this.#clock.now();
      const { effects } = this.#ledger.tables;
      const due = effects.due(kinds, now, limit);
      if (due.length === 0) return;
      const tries = due.map(
        ({ id, attempts, firstTriedAt }) => [id, attempts + 1, firstTriedAt ?? now] as const,
      );
      this.#ledger.stage({ lines: [['tried', now + leaseMs, tries]] });
      tried = due.flatMap(({ id }) => effects.get(id) ?? []);
    });
    return tried;
  }

  /** See `Store.dueInMs`. */
  dueInMs(kinds: readonly EffectKind[]): number | null {
    const due = this.#ledger.tables.effects.nextDue(kinds);
    return due === null ? null : Math.max(0, due - this.#clock.now());
  }
}
