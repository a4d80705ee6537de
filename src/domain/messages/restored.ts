import type { SmallTable } from '../facts.ts';
import type { State } from '../state.ts';

/** When the store was last put back to an earlier state, in milliseconds since the epoch: it forgot what it had sent. */
export const RESTORED: SmallTable<{ readonly at: number }> = { name: 'restored' };
/** When its lines were last written again, by which they moved. */
export const REWRITTEN: SmallTable<{ readonly at: number }> = { name: 'rewritten' };
/** The one key of both. */
export const RESTORED_KEY = 'store';

/** An item does not change a million times a second. */
const REVISIONS_PER_MS = 1_000;

type RestoredState = Pick<State, 'storeId' | 'small'>;

/** Milliseconds since the epoch; null: never. */
export function restoredAt(state: Pick<State, 'small'>): number | null {
  return state.small(RESTORED, RESTORED_KEY)?.at ?? null;
}

/** What ids of messages begin with: readers have seen those of before a restore with what was decided then. */
export function idSource(state: RestoredState): string {
  const at = restoredAt(state);
  return at === null ? state.storeId : `${state.storeId}.${at.toString(36)}`;
}

/** Revisions are greater: above all that were sent before a restore, since readers pass over lower ones. */
export function leastRevision(state: Pick<State, 'small'>): number {
  return (restoredAt(state) ?? 0) * REVISIONS_PER_MS;
}
