import type { Broker } from '../../ports/broker.ts';
import type { StoreAccess } from '../../ports/access.ts';
import {
  DeadLetters,
  matchesDeadLetter,
  UNKNOWN_CODE,
  type DeadLetter,
  type DeadLetterFilter,
  type DeadLetterState,
} from './dead-letters.ts';

export interface ListDeadLettersOptions {
  readonly dlqTopic: string;
  readonly filter: DeadLetterFilter;
  /** How many are handed out; all that match are counted. */
  readonly limit: number;
  /** Called again when it has resolved: the listener sets the pace. */
  readonly onDeadLetters: (letters: readonly DeadLetter[]) => Promise<void>;
}

export interface ListDeadLettersSummary {
  readonly dlqTopic: string;
  /** Dead letters that match. */
  readonly total: number;
  readonly listed: number;
  readonly byErrorCode: ReadonlyMap<string, number>;
  readonly byState: Readonly<Record<DeadLetterState, number>>;
}

/** Lists dead letters as they are read, however many there are. @throws Failure topic_missing */
export async function listDeadLetters(
  { access, broker }: { access: StoreAccess; broker: Broker },
  { dlqTopic, filter, limit, onDeadLetters }: ListDeadLettersOptions,
): Promise<ListDeadLettersSummary> {
  await using admin = await broker.admin();
  await using reader = await access.read();
  const letters = await DeadLetters.open({ admin, reader, dlqTopic });
  const byErrorCode = new Map<string, number>();
  const byState = { open: 0, redriven: 0, discarded: 0 };
  let total = 0;
  let listed = 0;
  for await (const chunk of letters.all()) {
    const matching = chunk.filter((letter) => matchesDeadLetter(letter, filter));
    for (const { origin, state } of matching) {
      const code = origin.errorCode ?? UNKNOWN_CODE;
      byErrorCode.set(code, (byErrorCode.get(code) ?? 0) + 1);
      byState[state] += 1;
    }
    total += matching.length;
    const shown = matching.slice(0, limit - listed);
    listed += shown.length;
    if (shown.length > 0) await onDeadLetters(shown);
  }
  return { dlqTopic, total, listed, byErrorCode, byState };
}
