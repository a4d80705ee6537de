import { MESSAGES } from '../../domain/messages/index.ts';
import type { DeclaredMessage } from '../../domain/messages/message.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import { topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import { EVENTS_LOG, STOCK_SOURCES, type SourceMessage } from '../../domain/stock/events.ts';
import type { Codec, Decoded } from '../../ports/codec.ts';
import type { StoreView } from '../../ports/store.ts';
import type { Refused } from '../../processors/processor.ts';
import { refuse, refuseId } from '../../processors/stock/reasons.ts';
import type { DeadLetter } from './dead-letters.ts';

/** The result if a record were read now: its message, or why it would be a dead letter. */
export type ReadAgain = Decoded<unknown> | Refused;

export interface ReadingAgain {
  readonly codecOf: (message: DeclaredMessage) => Promise<Codec<unknown>>;
  readonly names: TopicNames;
  /** The stock that events are validated against. */
  readonly reader: Pick<StoreView, 'itemNamed' | 'facts'>;
}

/**
 * Returns the results if dead letters were read again now by the readers of their original topics. For an unknown
 * topic, it is the result of `orders`.
 *
 * @throws Failure registry_unreachable, registry_refused
 */
export async function readAgain(
  { codecOf, names, reader }: ReadingAgain,
  deadLetters: readonly DeadLetter[],
): Promise<readonly (ReadAgain | null)[]> {
  const read: (ReadAgain | null)[] = deadLetters.map(() => null);
  const byMessage = new Map<DeclaredMessage, number[]>();
  for (const [at, { origin }] of deadLetters.entries()) {
    const found =
      MESSAGES.find((one) => one.schema !== null && topicOf(one, names) === origin.topic) ?? ORDER;
    byMessage.set(found, [...(byMessage.get(found) ?? []), at]);
  }
  for (const [message, places] of byMessage) {
    const records = places.flatMap((at) => deadLetters[at] ?? []).map(asRecord);
    const decoded = await (await codecOf(message)).decode(records);
    const isStock = STOCK_SOURCES.some((name) => name === message.name);
    for (const [i, at] of places.entries()) {
      const one = decoded[i] ?? null;
      const refused =
        isStock && one?.kind === 'message' ? await refusedByStock(reader, one.value as SourceMessage) : null;
      read[at] = refused ?? one;
    }
  }
  return read;
}

/** Applies the rules of `stock`, the only processor that makes dead letters of records that it can decode. */
async function refusedByStock(reader: ReadingAgain['reader'], event: SourceMessage): Promise<Refused | null> {
  const unusable = refuseId(event.event_id);
  if (unusable !== null) return unusable;
  const refused = refuse(event, (await reader.itemNamed(event.product_id))?.quantity);
  // An event that already counted is ignored, whatever its contents.
  return refused === null || (await reader.facts(EVENTS_LOG, event.event_id)).length > 0 ? null : refused;
}

function asRecord({ key, value, headers, failedAt }: DeadLetter) {
  return { offset: 0, timestamp: failedAt ?? 0, key, value, headers };
}
