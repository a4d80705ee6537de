import { MESSAGES } from '../../domain/messages/index.ts';
import type { DeclaredMessage } from '../../domain/messages/message.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import { topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { Codec, Decoded } from '../../ports/codec.ts';
import type { DeadLetter } from './dead-letters.ts';

export interface ReadingAgain {
  readonly codecOf: (message: DeclaredMessage) => Promise<Codec<unknown>>;
  readonly names: TopicNames;
}

/**
 * What the readers of the topics that dead letters came from would make of each now; of a topic of others, what
 * `orders` would.
 *
 * @throws Failure registry_unreachable, registry_refused
 */
export async function readAgain(
  { codecOf, names }: ReadingAgain,
  deadLetters: readonly DeadLetter[],
): Promise<readonly (Decoded<unknown> | null)[]> {
  const read: (Decoded<unknown> | null)[] = deadLetters.map(() => null);
  const byMessage = new Map<DeclaredMessage, number[]>();
  for (const [at, { origin }] of deadLetters.entries()) {
    const found =
      MESSAGES.find((one) => one.schema !== null && topicOf(one, names) === origin.topic) ?? ORDER;
    byMessage.set(found, [...(byMessage.get(found) ?? []), at]);
  }
  for (const [message, places] of byMessage) {
    const records = places.flatMap((at) => deadLetters[at] ?? []).map(asRecord);
    const decoded = await (await codecOf(message)).decode(records);
    for (const [i, at] of places.entries()) read[at] = decoded[i] ?? null;
  }
  return read;
}

function asRecord({ key, value, headers, failedAt }: DeadLetter) {
  return { ...{ offset: 0, timestamp: failedAt ?? 0 }, ...{ key, value, headers } };
}
