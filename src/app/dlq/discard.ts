import type { LetterId } from '../../domain/letter-id.ts';
import type { Broker } from '../../ports/broker.ts';
import type { StoreAccess, StoreNotice } from '../../ports/store.ts';
import { Letters, type Letter } from './letters.ts';

/** Letters to a mark: its line has to fit through the folder's socket. */
export const MARK_AT_ONCE = 1_000;

/** What is told of a letter once its bytes are no longer at hand. */
export type LetterNote = Pick<Letter, 'mark' | 'state' | 'origin'>;

/** The letters of these ids, each once. @throws Failure topic_missing, not_found */
export async function findLetters(
  { access, broker }: { access: StoreAccess; broker: Broker },
  { dlqTopic, ids }: { dlqTopic: string; ids: readonly LetterId[] },
): Promise<LetterNote[]> {
  await using admin = await broker.admin();
  await using reader = await access.read();
  const letters = await Letters.open({ admin, reader, dlqTopic });
  const found = new Map<string, LetterNote>();
  for await (const chunk of letters.some(ids)) {
    for (const { mark, state, origin } of chunk) found.set(mark.key, { mark, state, origin });
  }
  return [...found.values()];
}

/** Remembers that nothing more is to be done with these. */
export async function discardLetters(
  access: StoreAccess,
  options: {
    readonly dlqTopic: string;
    readonly letters: readonly LetterNote[];
    readonly why: string;
    readonly onNotice: (notice: StoreNotice) => void;
  },
): Promise<void> {
  const { dlqTopic, letters, why, onNotice } = options;
  for (let from = 0; from < letters.length; from += MARK_AT_ONCE) {
    await access.edit(
      {
        kind: 'dead_letter.mark',
        topic: dlqTopic,
        action: 'discarded',
        why,
        letters: letters.slice(from, from + MARK_AT_ONCE).map(({ mark }) => mark),
      },
      { via: 'command', onNotice },
    );
  }
}
