import { Failure } from '../failure.ts';
import { MESSAGES } from './index.ts';
import type { DeclaredMessage } from './message.ts';
import { deadLettersOf, deadLetterTopicOf, topicOf, type TopicNames } from './topic-names.ts';

/**
 * Selects messages by name or by topic name. The result is in the order of the catalogue.
 *
 * @param nearest returns the known name that is most like an unknown one, if any
 * @throws Failure invalid_value (no such message), invalid_settings (a topic name is set for an unknown message, or two
 * messages have the same topic)
 */
export function selectMessages(
  wanted: readonly string[] | 'all',
  names: TopicNames,
  nearest: (word: string, known: readonly string[]) => string | undefined = () => undefined,
): DeclaredMessage[] {
  checkNames(names);
  if (wanted === 'all') return [...MESSAGES];
  const isMeant = (message: DeclaredMessage, name: string): boolean =>
    message.name === name || topicOf(message, names) === name;
  for (const name of wanted) {
    if (MESSAGES.some((message) => isMeant(message, name))) continue;
    const near = nearest(
      name,
      MESSAGES.flatMap((message) => [message.name, topicOf(message, names)]),
    );
    throw new Failure('invalid_value', `message ${name} does not exist`, {
      fix: near === undefined ? `choose from ${listed()}` : `did you mean ${near}?`,
    });
  }
  return MESSAGES.filter((message) => wanted.some((name) => isMeant(message, name)));
}

/** The message that declares the dead-letter topic of a message: an entry of the catalogue, or the message itself. */
export function deadLettersBy(message: DeclaredMessage): DeclaredMessage {
  return MESSAGES.find(({ name }) => name === deadLettersOf(message)) ?? message;
}

/** The messages whose dead letters go to `topic`. */
export function carriedBy(topic: string, names: TopicNames): DeclaredMessage[] {
  return MESSAGES.filter((message) => deadLetterTopicOf(message, names) === topic);
}

function checkNames(names: TopicNames): void {
  const known = new Set(MESSAGES.flatMap((message) => [message.name, deadLettersOf(message)]));
  const unknown = [...names.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new Failure('invalid_settings', `a topic name is set for ${unknown}, but no such message exists`, {
      fix: `choose from ${listed()}, or append .dlq to one of these`,
    });
  }
  const owners = new Map<string, string>();
  for (const message of MESSAGES) {
    const dead = deadLettersOf(message);
    const pairs = [[message.name, topicOf(message, names)] as const];
    if (dead !== null) pairs.push([dead, deadLetterTopicOf(message, names) ?? '']);
    for (const [name, topic] of pairs) {
      const owner = owners.get(topic) ?? name;
      owners.set(topic, owner);
      if (owner === name) continue;
      throw new Failure('invalid_settings', `${owner} and ${name} both use topic ${topic}`, {
        fix: 'use a separate topic for each',
      });
    }
  }
}

function listed(): string {
  return MESSAGES.map(({ name }) => name).join(', ');
}
