import { processors } from '../../processors/index.ts';
import type { ShopOptions } from '../../processors/options.ts';
import { selectProcessors } from '../run/services.ts';
import type { WantedTopic } from '../../domain/topics/declared-topics.ts';
import type { DeclaredMessage } from '../../domain/messages/message.ts';
import { carriedBy, deadLettersBy } from '../../domain/messages/select.ts';
import { deadLetterTopicOf, topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';

/** The topics of messages, each followed by its dead-letter topic if a processor reads it. */
export function wantedTopics(messages: readonly DeclaredMessage[], names: TopicNames): WantedTopic[] {
  const wanted = new Map<string, WantedTopic>();
  const add = (topic: string, message: DeclaredMessage): void => {
    const carried = carriedBy(topic, names).map((one) => topicOf(one, names));
    wanted.set(topic, { topic, message, carries: carried.length === 0 ? null : carried });
  };
  for (const message of messages) {
    add(topicOf(message, names), message);
    const deadLetters = deadLetterTopicOf(message, names);
    if (deadLetters !== null) add(deadLetters, deadLettersBy(message));
  }
  return [...wanted.values()];
}

/**
 * The topics that a run of processors needs: the topics it reads, their dead-letter topics, and the topics it writes.
 */
export function topicsOfRun(
  run: readonly {
    readonly sources: readonly DeclaredMessage[];
    readonly emits: readonly DeclaredMessage[];
  }[],
  names: TopicNames,
): WantedTopic[] {
  const wanted = wantedTopics(
    run.flatMap(({ sources }) => sources),
    names,
  );
  for (const message of run.flatMap(({ emits }) => emits)) {
    const topic = topicOf(message, names);
    if (!wanted.some((one) => one.topic === topic)) wanted.push({ topic, message, carries: null });
  }
  return wanted;
}

/**
 * The topics that a run needs in the cluster, and the messages it reads or sends, which need schemas in the registry.
 *
 * @param processorNames empty: all processors
 * @throws Failure usage: there is no such processor
 */
export function needsOfRun(
  processorNames: readonly string[],
  shop: ShopOptions,
  names: TopicNames,
): { readonly topics: readonly WantedTopic[]; readonly messages: readonly DeclaredMessage[] } {
  const chosen = selectProcessors(processors(shop), processorNames);
  const messages = new Set(chosen.flatMap(({ sources, emits }) => [...sources, ...emits]));
  return { topics: topicsOfRun(chosen, names), messages: [...messages] };
}

/**
 * @param name a processor, or `all` for every processor of the shop
 *
 * @throws Failure usage: there is no such processor
 */
export function topicsOfProcessor(
  name: string,
  shop: ShopOptions,
  names: TopicNames,
): readonly WantedTopic[] {
  return needsOfRun(name === 'all' ? [] : [name], shop, names).topics;
}
