import type { Effect } from '../domain/effects.ts';

/** Before the second try, the third, and so on. */
export const PAUSES_MS: readonly number[] = [1_000, 5_000, 30_000, 5 * 60_000, 60 * 60_000];

/** An effect after a try that came to nothing: due again later, or parked when it was the last. @param at now */
export function afterFault(effect: Effect, at: number, pausesMs = PAUSES_MS): Effect {
  const pauseMs = pausesMs[effect.attempts - 1];
  if (pauseMs === undefined) return parked(effect);
  return { ...effect, state: 'due', dueAt: at + pauseMs };
}

/** After so long a request that timed out is not taken up by the other side any more. */
const IN_FLIGHT_MS = 60_000;

/** To be asked about, once it can be said for good what became of it. @param at now */
export function afterFlight(effect: Effect, at: number): Effect {
  return { ...effect, state: 'due', dueAt: Math.max(effect.dueAt, at + IN_FLIGHT_MS) };
}

/** Not tried any more until what asked for it comes again. */
export function parked(effect: Effect): Effect {
  return { ...effect, state: 'parked' };
}

/** One more try of an effect that was parked. @param at now */
export function dueAgain(effect: Effect, at: number): Effect {
  return { ...effect, state: 'due', dueAt: at };
}
