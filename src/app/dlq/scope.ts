import { deadLetterTopicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { ProcessorTopics } from '../offsets/group-positions.ts';
import { readingOf } from '../offsets/reading.ts';
import { processors } from '../../processors/index.ts';
import { PLAIN_SHOP } from '../../processors/options.ts';
import { EFFECT_STAGE } from './headers.ts';
import type { DeadLetter, DeadLetterScope } from './dead-letters.ts';

/** What a scope may be of. */
export const SCOPES = ['all', ...processors(PLAIN_SHOP).map(({ name }) => name)];

/** Those of a dead-letter topic, in which ids need not name it. */
export function scopeOfTopic(topic: string): DeadLetterScope {
  return { topics: [topic], isNamed: false, of: null };
}

/**
 * Those of a processor: of all topics that it reads.
 *
 * @param wanted its name or that of its group; `all`: of every processor
 * @throws Failure invalid_value: there is no such processor
 */
export function scopeOfProcessor(
  wanted: string,
  shop: { group: string; names: TopicNames },
): DeadLetterScope {
  const of = wanted === 'all' ? null : readingOf(wanted, shop);
  const topics = processors(PLAIN_SHOP)
    .filter(({ name }) => of === null || name === of.processor)
    .flatMap(({ sources }) => sources.map((source) => deadLetterTopicOf(source, shop.names) ?? []).flat());
  return { topics: [...new Set(topics)], isNamed: of?.processor !== 'orders', of };
}

/**
 * Those of all processors of a shop. Its other topics may be shared with other shops.
 *
 * @param dlqTopic that of the orders
 */
export function scopeOfShop(dlqTopic: string, shop: { group: string; names: TopicNames }): DeadLetterScope {
  const { topics } = scopeOfProcessor('all', shop);
  const ofShop = { group: shop.group, topic: dlqTopic };
  return { topics: [...new Set([dlqTopic, ...topics])], isNamed: true, of: null, ofShop };
}

/**
 * The one group that is to handle a dead letter when it comes again: where there is one reader, or only one that it came
 * to nothing in; null: all that read the topic, because none of them could read it. A group that was renamed since is
 * known by its processor.
 */
export function onlyGroupFor(
  { origin }: Pick<DeadLetter, 'origin'>,
  readings: readonly ProcessorTopics[],
): string | null {
  const { format, group, topic, errorStage } = origin;
  if (format !== 'orderctl' || group === null) return null;
  const readers = readings.filter(({ topics }) => topic !== null && topics.includes(topic));
  if (errorStage !== EFFECT_STAGE && readers.length > 1) return null;
  if (readers.some((reader) => reader.group === group)) return group;
  return readers.find(({ processor }) => group.endsWith(`.${processor}`))?.group ?? group;
}
