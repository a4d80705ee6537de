import { deadLetterTopicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { ProcessorTopics } from '../offsets/group-positions.ts';
import { readingOf } from '../offsets/reading.ts';
import { processors } from '../../processors/index.ts';
import { PLAIN_SHOP } from '../../processors/options.ts';
import { EFFECT_STAGE } from './headers.ts';
import type { DeadLetter, DeadLetterScope } from './dead-letters.ts';

/** The values that a scope can have: `all`, or a processor. */
export const SCOPES = ['all', ...processors(PLAIN_SHOP).map(({ name }) => name)];

/** The scope of one dead-letter topic, in which ids do not need to name it. */
export function scopeOfTopic(topic: string): DeadLetterScope {
  return { topics: [topic], isNamed: false, of: null };
}

/**
 * The scope of a processor: the dead-letter topics of all topics that it reads.
 *
 * @param wanted the name of the processor or of its group; `all`: every processor
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
 * The scope of all processors of a shop; topics other than `dlqTopic` may be shared with other shops.
 *
 * @param dlqTopic the dead-letter topic of `orders`
 */
export function scopeOfShop(dlqTopic: string, shop: { group: string; names: TopicNames }): DeadLetterScope {
  const { topics } = scopeOfProcessor('all', shop);
  const ofShop = { group: shop.group, topic: dlqTopic };
  return { topics: [...new Set([dlqTopic, ...topics])], isNamed: true, of: null, ofShop };
}

/**
 * The only group that must process a dead letter when it is sent again: when the topic has one reader, or when only
 * this group's effect failed. null: all readers of the topic, since none of them could decode it. A group that was
 * renamed since is recognized by its processor.
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
