import type { SmallTable } from '../facts.ts';
import type { State } from '../state.ts';

/**
 * When the store was last restored to an earlier state (milliseconds since the epoch) and so lost what it sent since.
 */
export const RESTORED: SmallTable<{ readonly at: number }> = { name: 'restored' };
/** When the lines of its logs were last rewritten, which changed their positions in the files. */
export const REWRITTEN: SmallTable<{ readonly at: number }> = { name: 'rewritten' };
/** The only key of both tables. */
export const RESTORED_KEY = 'store';

/** More changes per millisecond than an item can have. */
const REVISIONS_PER_MS = 1_000;

type RestoredState = Pick<State, 'storeId' | 'small'>;

/** When the store was last restored, in milliseconds since the epoch; null: never. */
export function restoredAt(state: Pick<State, 'small'>): number | null {
  return state.small(RESTORED, RESTORED_KEY)?.at ?? null;
}

/**
 * The prefix of message ids. It changes with a restore: consumers have seen the ids sent before it, with the decisions
 * of that time.
 */
export function idSource(state: RestoredState): string {
  const at = restoredAt(state);
  return at === null ? state.storeId : `${state.storeId}.${at.toString(36)}`;
}

/**
 * The lower bound of revisions, above all that were sent before a restore: consumers ignore a revision that is not
 * higher than the last.
 */
export function leastRevision(state: Pick<State, 'small'>): number {
  return (restoredAt(state) ?? 0) * REVISIONS_PER_MS;
}
