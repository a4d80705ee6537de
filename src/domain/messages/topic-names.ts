import type { DeclaredMessage } from './message.ts';

/** Topics by message, and by message and `.dlq`, where they are not named like it. */
export type TopicNames = ReadonlyMap<string, string>;

export function topicOf({ name }: DeclaredMessage, names: TopicNames): string {
  return names.get(name) ?? name;
}

/** The name in the catalogue of the topic of a message's dead letters; null: no processor of ours reads it. */
export function deadLettersOf({ name, readers }: DeclaredMessage): string | null {
  if (readers.length === 0) return null;
  return readers.includes('stock') ? 'dlq' : `${name}.dlq`;
}

export function deadLetterTopicOf(message: DeclaredMessage, names: TopicNames): string | null {
  const name = deadLettersOf(message);
  if (name === null || name === 'dlq') return name === null ? null : (names.get(name) ?? name);
  return names.get(name) ?? `${topicOf(message, names)}.dlq`;
}
