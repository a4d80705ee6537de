import { byTopic } from '../../domain/topics/by-topic.ts';
import type { DeadLetterId } from '../../domain/topics/dead-letter-id.ts';
import type { Broker } from '../../ports/broker.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import { DeadLetters, type DeadLetter, type DeadLetterScope } from './dead-letters.ts';

/** The maximum number of dead letters in one edit, whose line must fit through the owner's socket. */
export const MARK_AT_ONCE = 1_000;

/** The data that is kept of a dead letter when its bytes are no longer valid. */
export type DeadLetterNote = Pick<DeadLetter, 'id' | 'topic' | 'mark' | 'state' | 'origin'>;

/** Finds the dead letters with these ids, each once. @throws Failure topic_missing, not_found */
export async function findDeadLetters(
  { access, broker }: { access: StoreAccess; broker: Broker },
  { scope, ids }: { scope: DeadLetterScope; ids: readonly DeadLetterId[] },
): Promise<DeadLetterNote[]> {
  await using admin = await broker.admin();
  await using reader = await access.read();
  const deadLetters = await DeadLetters.open({ admin, reader, scope });
  const found = new Map<string, DeadLetterNote>();
  for await (const chunk of deadLetters.some(ids)) {
    for (const { id, topic, mark, state, origin } of chunk)
      found.set(`${topic} ${mark.key}`, { id, topic, mark, state, origin });
  }
  return [...found.values()];
}

/** Marks dead letters as discarded. */
export async function discardDeadLetters(
  access: StoreAccess,
  options: {
    readonly deadLetters: readonly DeadLetterNote[];
    readonly why: string;
    readonly onNotice: (notice: StoreNotice) => void;
  },
): Promise<void> {
  const { deadLetters, why, onNotice } = options;
  for (const [topic, ofTopic] of byTopic(deadLetters)) {
    for (let from = 0; from < ofTopic.length; from += MARK_AT_ONCE) {
      const letters = ofTopic.slice(from, from + MARK_AT_ONCE).map(({ mark }) => mark);
      await access.edit(
        { kind: 'dead_letter.mark', topic, action: 'discarded', why, letters },
        { via: 'command', onNotice },
      );
    }
  }
}
