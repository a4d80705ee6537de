import type { WantedTopic } from '../../domain/topics/declared-topics.ts';
import type { DeclaredMessage } from '../../domain/messages/message.ts';
import { carriedBy, deadLettersBy } from '../../domain/messages/select.ts';
import { deadLetterTopicOf, topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';

/** The topics of messages, each followed by that of its dead letters, where a processor reads it. */
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
