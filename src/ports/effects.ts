import type { Answer, Effect, EffectKind } from '../domain/effects.ts';

/** The time that one try of an effect has. */
export interface Attempt {
  /** Aborts somewhat before the time is over, in a process that is awake. */
  readonly signal: AbortSignal;
  /** Whether another may be trying it by now, as one that slept may find out late. */
  readonly isOver: () => boolean;
}

export interface EffectPerformer {
  /**
   * Performs one effect: calls the outside and returns the outcome. If this is not the first try (`attempts`), it may have
   * happened before: what must not happen twice is looked up by its key. It is not asked for once the try is over, since
   * another may have taken over. Total: a fault of the other side is an answer; it rejects only when the signal aborts,
   * and for a bug.
   */
  perform(effect: Effect, attempt: Attempt): Promise<Answer>;
  /** So many are in flight at most: OUTSIDE_AT_ONCE or HERE_AT_ONCE. */
  readonly atOnce: number;
}

/** Of what somebody outside answers. */
export const OUTSIDE_AT_ONCE = 16;
/** Of what is done here at once: as many as share a commit. */
export const HERE_AT_ONCE = 1_000;

/** By kind; effects of an absent kind are not performed. */
export type EffectPerformers = Readonly<Partial<Record<EffectKind, EffectPerformer>>>;
