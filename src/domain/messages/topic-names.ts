import type { DeclaredMessage } from './message.ts';

/** Names of topics that differ from the default, by message name, or by message name and `.dlq`. */
export type TopicNames = ReadonlyMap<string, string>;

export function topicOf({ name }: DeclaredMessage, names: TopicNames): string {
  return names.get(name) ?? name;
}

/** The catalogue name of a message's dead-letter topic; null: no processor reads the message. */
export function deadLettersOf({ name, readers }: DeclaredMessage): string | null {
  if (readers.length === 0) return null;
  return readers.includes('stock') ? 'dlq' : `${name}.dlq`;
}

export function deadLetterTopicOf(message: DeclaredMessage, names: TopicNames): string | null {
  const name = deadLettersOf(message);
  if (name === null || name === 'dlq') return name === null ? null : (names.get(name) ?? name);
  return names.get(name) ?? `${topicOf(message, names)}.dlq`;
}
