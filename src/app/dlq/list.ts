import type { Broker } from '../../ports/broker.ts';
import type { StoreAccess } from '../../ports/store.ts';
import {
  Letters,
  matchesLetter,
  UNKNOWN_CODE,
  type Letter,
  type LetterFilter,
  type LetterState,
} from './letters.ts';

export interface ListLettersOptions {
  readonly dlqTopic: string;
  readonly filter: LetterFilter;
  /** How many are handed out; all that match are counted. */
  readonly limit: number;
  /** Called again when it has resolved: whoever prints sets the pace. */
  readonly onLetters: (letters: readonly Letter[]) => Promise<void>;
}

export interface ListLettersSummary {
  readonly dlqTopic: string;
  /** Letters that match. */
  readonly total: number;
  readonly listed: number;
  readonly byErrorCode: ReadonlyMap<string, number>;
  readonly byState: Readonly<Record<LetterState, number>>;
}

/** Lists dead letters as they are read: their number does not matter. @throws Failure topic_missing */
export async function listLetters(
  { access, broker }: { access: StoreAccess; broker: Broker },
  { dlqTopic, filter, limit, onLetters }: ListLettersOptions,
): Promise<ListLettersSummary> {
  await using admin = await broker.admin();
  await using reader = await access.read();
  const letters = await Letters.open({ admin, reader, dlqTopic });
  const byErrorCode = new Map<string, number>();
  const byState = { open: 0, redriven: 0, discarded: 0 };
  let total = 0;
  let listed = 0;
  for await (const chunk of letters.all()) {
    const matching = chunk.filter((letter) => matchesLetter(letter, filter));
    for (const { origin, state } of matching) {
      const code = origin.errorCode ?? UNKNOWN_CODE;
      byErrorCode.set(code, (byErrorCode.get(code) ?? 0) + 1);
      byState[state] += 1;
    }
    total += matching.length;
    const shown = matching.slice(0, limit - listed);
    listed += shown.length;
    if (shown.length > 0) await onLetters(shown);
  }
  return { dlqTopic, total, listed, byErrorCode, byState };
}
