import type { Effect, EffectKind } from '../../../domain/effects.ts';
import { DueIndex } from './due-index.ts';

/** The pending effects, by id. */
export class OwedTable {
  readonly #effects = new Map<string, Effect>();
  /** Only for an owner: readers do not ask what is due. */
  #due: DueIndex | undefined;

  get(id: string): Effect | undefined {
    return this.#effects.get(id);
  }

  has(id: string): boolean {
    return this.#effects.has(id);
  }

  values(): Iterable<Effect> {
    return this.#effects.values();
  }

  set(effect: Effect): void {
    this.#effects.set(effect.id, effect);
    this.#due?.set(effect.id, effect.kind, effect.state === 'parked' ? null : effect.dueAt);
  }

  /** An effect that is no longer pending stays removed, since the line may be applied again. */
  tried(id: string, again: Pick<Effect, 'dueAt' | 'attempts'> & { readonly firstTriedAt: number }): void {
    const effect = this.#effects.get(id);
    if (effect === undefined) return;
    const { kind, key, fields } = effect;
    const { dueAt, attempts, firstTriedAt } = again;
    // Not `{ ...effect, ...again }`: see newEffect.
    this.set({ id, kind, key, fields, state: 'trying', dueAt, attempts, firstTriedAt });
  }

  delete(id: string): void {
    this.#effects.delete(id);
    this.#due?.delete(id);
  }

  /** For an owner that starts: effects that the previous owner was trying are due at once. */
  takeOver(): void {
    const due = new DueIndex();
    for (const { id, kind, state, dueAt } of this.#effects.values()) {
      if (state !== 'parked') due.set(id, kind, state === 'trying' ? 0 : dueAt);
    }
    this.#due = due;
  }

  /** When the next of these kinds is due, milliseconds since the epoch; null: only parked ones are pending, or none. */
  nextDue(kinds: readonly EffectKind[]): number | null {
    return this.#due?.next(kinds) ?? null;
  }

  /** The effects that are due by `now`, the oldest first. */
  due(kinds: readonly EffectKind[], now: number, limit: number): readonly Effect[] {
    const ids = this.#due?.due(kinds, now, limit) ?? [];
    return ids.flatMap((id) => this.#effects.get(id) ?? []);
  }
}
