import { Failure } from '../../domain/failure.ts';
import { topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import { processors } from '../../processors/index.ts';
import { PLAIN_SHOP } from '../../processors/options.ts';
import { groupOf } from '../run/groups.ts';
import type { ProcessorTopics } from './group-positions.ts';

/** The topics and groups of all processors of a shop. */
export function readingOfAll({ group, names }: { group: string; names: TopicNames }): ProcessorTopics[] {
  return processors(PLAIN_SHOP).map(({ name: processor, sources }) => ({
    processor,
    group: groupOf(processor, group),
    topics: sources.map((source) => topicOf(source, names)),
  }));
}

/** @param wanted the name of a processor or of its group @throws Failure invalid_value: there is no such processor */
export function readingOf(wanted: string, shop: { group: string; names: TopicNames }): ProcessorTopics {
  const all = readingOfAll(shop);
  const found =
    all.find(({ processor }) => processor === wanted) ?? all.find(({ group }) => group === wanted);
  if (found !== undefined) return found;
  throw new Failure('invalid_value', `there is no processor ${JSON.stringify(wanted)}`, {
    fix: `choose from ${all.map(({ processor }) => processor).join(', ')}, or one of their groups`,
  });
}
