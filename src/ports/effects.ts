import type { Answer, Effect, EffectKind } from '../domain/effects.ts';

/**
 * Performs one effect: asks the outside and says what came of it. A try that is not the first (`attempts`) may have
 * happened before: what must not happen twice is looked up by its key, and not asked for once `dueAt` has passed, which a
 * process that slept may find out late: another may have taken over. Total: a fault of the other side is an answer;
 * it rejects only when `signal` aborts, and with a bug.
 */
export type PerformEffect = (effect: Effect, signal: AbortSignal) => Promise<Answer>;

/** By kind; of one that is absent nothing is performed. */
export type EffectPerformers = Readonly<Partial<Record<EffectKind, PerformEffect>>>;
