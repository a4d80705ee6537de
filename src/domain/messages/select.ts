import { Failure } from '../failure.ts';
import { MESSAGES } from './index.ts';
import type { DeclaredMessage } from './message.ts';
import { deadLettersOf, deadLetterTopicOf, topicOf, type TopicNames } from './topic-names.ts';

/**
 * Messages by their names, or by those of their topics, in the order of the catalogue.
 *
 * @param nearest which of the known names was meant by one that is unknown
 * @throws Failure invalid_value: there is no such message; invalid_settings: a topic is named for none, or for two
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
    throw new Failure('invalid_value', `there is no message ${name}`, {
      fix: near === undefined ? `choose from ${listed()}` : `did you mean ${near}?`,
    });
  }
  return MESSAGES.filter((message) => wanted.some((name) => isMeant(message, name)));
}

/** By whose numbers its dead-letter topic is made: a message of the catalogue, or the one that is read. */
export function deadLettersBy(message: DeclaredMessage): DeclaredMessage {
  return MESSAGES.find(({ name }) => name === deadLettersOf(message)) ?? message;
}

/** The messages of which `topic` is the dead-letter topic. */
export function carriedBy(topic: string, names: TopicNames): DeclaredMessage[] {
  return MESSAGES.filter((message) => deadLetterTopicOf(message, names) === topic);
}

function checkNames(names: TopicNames): void {
  const known = new Set(MESSAGES.flatMap((message) => [message.name, deadLettersOf(message)]));
  const unknown = [...names.keys()].find((name) => !known.has(name));
  if (unknown !== undefined) {
    throw new Failure(
      'invalid_settings',
      `a topic name is given for ${unknown}, but there is no such message`,
      {
        fix: `choose from ${listed()}, or one of these and .dlq`,
      },
    );
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
      throw new Failure('invalid_settings', `${owner} and ${name} are both on topic ${topic}`, {
        fix: 'give each a topic of its own',
      });
    }
  }
}

function listed(): string {
  return MESSAGES.map(({ name }) => name).join(', ');
}
