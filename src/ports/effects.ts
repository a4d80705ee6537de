import type { Answer, Effect, EffectKind } from '../domain/effects.ts';

/** The time limit of one try of an effect. */
export interface Attempt {
  /** Aborts shortly before the time is over, unless the process is suspended. */
  readonly signal: AbortSignal;
  /** Whether the time is over, so that another process may be trying the effect. True after a suspension too. */
  readonly isOver: () => boolean;
}

export interface EffectPerformer {
  /**
   * Performs one effect: calls the external system and returns the outcome. After the first try (`attempts`), the
   * effect may already have happened: what must not happen twice is looked up by its key first. No call is made once
   * the try is over, since another process may have taken over. A fault of the external system is an answer; this
   * rejects only if the signal aborts, or for a bug.
   */
  perform(effect: Effect, attempt: Attempt): Promise<Answer>;
  /** The maximum number of effects in flight: OUTSIDE_AT_ONCE or HERE_AT_ONCE. */
  readonly atOnce: number;
}

/** For effects that call an external system. */
export const OUTSIDE_AT_ONCE = 16;
/** For effects that this process performs immediately: the number that share a commit. */
export const HERE_AT_ONCE = 1_000;

/** Performers by kind. Effects of an absent kind are not performed. */
export type EffectPerformers = Readonly<Partial<Record<EffectKind, EffectPerformer>>>;
