import type { Answered, Effect, EffectKind } from '../../../domain/effects.ts';
import type { ProcessorName } from '../../../domain/messages/message.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Store } from '../../../ports/store.ts';
import type { EffectsEvent } from '../events.ts';

/** How often failing tries are reported. */
const WARN_EVERY_MS = 30_000;

interface Failing {
  /** As in Clock.elapsed. */
  readonly since: number;
  /** Why the last try failed. */
  readonly message: string;
  readonly isReported: boolean;
  /** All effects that failed are parked, which is reported elsewhere. */
  readonly isOver: boolean;
}

export interface FailingTriesParts {
  readonly store: Pick<Store, 'effects'>;
  readonly clock: Clock;
  readonly processor: ProcessorName;
  readonly on: (event: EffectsEvent) => void;
}

/**
 * Reports that calls to an outside service fail: at the first failed try, every 30 s while an effect waits for its next
 * try, and when a try succeeds again.
 */
export class FailingTries {
  readonly #parts: FailingTriesParts;
  readonly #failing = new Map<EffectKind, Failing>();
  /** Kept when a try succeeds, so that a service that fails now and then is not reported more often. */
  readonly #reportedAt = new Map<EffectKind, number>();

  constructor(parts: FailingTriesParts) {
    this.#parts = parts;
  }

  /** Takes the answer to a try, after its commit. */
  take({ effect: { kind }, answer }: Answered): void {
    const { clock, processor, on } = this.#parts;
    const before = this.#failing.get(kind);
    if (answer.kind === 'failed') {
      const { message } = answer;
      const { since, isReported } = before ?? { since: clock.elapsed(), isReported: false };
      this.#failing.set(kind, { since, message, isReported, isOver: false });
      return;
    }
    this.#failing.delete(kind);
    if (before?.isReported === true) on({ kind: 'effects_resumed', processor, effect: kind });
  }

  /** The time until the next report, in milliseconds; null: none before another try fails. */
  get dueInMs(): number | null {
    const due = [...this.#failing].flatMap(([kind, { isOver }]) => (isOver ? [] : [this.#dueInMs(kind)]));
    return due.length === 0 ? null : Math.max(0, Math.min(...due));
  }

  #dueInMs(kind: EffectKind): number {
    const at = this.#reportedAt.get(kind);
    return at === undefined ? 0 : at + WARN_EVERY_MS - this.#parts.clock.elapsed();
  }

  /** Reports what is due. @throws Failure of the store */
  async report(): Promise<void> {
    if (this.dueInMs !== 0) return;
    const owed = (await this.#parts.store.effects()).filter(({ state }) => state !== 'parked');
    for (const [kind, failing] of [...this.#failing])
      if (!failing.isOver && this.#dueInMs(kind) <= 0)
        this.#report(
          kind,
          failing,
          owed.filter((effect) => effect.kind === kind),
        );
  }

  #report(kind: EffectKind, failing: Failing, owed: readonly Effect[]): void {
    const { clock, processor, on } = this.#parts;
    const failed = owed.filter(hasFailed);
    const [first] = failed.toSorted((a, b) => (a.firstTriedAt ?? 0) - (b.firstTriedAt ?? 0));
    this.#failing.set(kind, {
      ...failing,
      isReported: failing.isReported || first !== undefined,
      isOver: first === undefined,
    });
    if (first === undefined) return;
    const { since, message } = failing;
    this.#reportedAt.set(kind, clock.elapsed());
    const next = failed.flatMap(({ state, dueAt }) => (state === 'due' ? [dueAt] : []));
    on({
      kind: 'effects_failing',
      processor,
      effect: kind,
      about: aboutOf(first),
      message,
      waiting: owed.length,
      forMs: clock.elapsed() - since,
      nextInMs: next.length === 0 ? null : Math.max(0, Math.min(...next) - clock.now()),
    });
  }
}

function hasFailed({ state, attempts }: Effect): boolean {
  return attempts > (state === 'trying' ? 1 : 0);
}

/** `checkout/ORD-7/charge` is about ORD-7. */
function aboutOf({ id, kind }: Effect): string {
  return id.replace(/^(?:checkout|delivery)\//, '').replace(new RegExp(`/${kind}$`), '');
}
