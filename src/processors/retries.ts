import type { Effect } from '../domain/effects.ts';

/** Pauses before the second try, the third try, and so on. */
export const PAUSES_MS: readonly number[] = [1_000, 5_000, 30_000, 5 * 60_000, 60 * 60_000];

/** An effect after a failed try: due again later, or parked if that was the last. @param at now */
export function afterFault(effect: Effect, at: number, pausesMs = PAUSES_MS): Effect {
  const pauseMs = pausesMs[effect.attempts - 1];
  if (pauseMs === undefined) return parked(effect);
  return { ...effect, state: 'due', dueAt: at + pauseMs };
}

/** How long the receiver may still execute a request that timed out. */
const IN_FLIGHT_MS = 60_000;

/** Due again when the outcome of a try under way is certain. @param at now */
export function afterFlight(effect: Effect, at: number): Effect {
  return { ...effect, state: 'due', dueAt: Math.max(effect.dueAt, at + IN_FLIGHT_MS) };
}

/** An effect that is not tried again until its message is redriven. */
export function parked(effect: Effect): Effect {
  return { ...effect, state: 'parked' };
}

/** An effect that is due for one more try. @param at now */
export function dueAgain(effect: Effect, at: number): Effect {
  return { ...effect, state: 'due', dueAt: at };
}
