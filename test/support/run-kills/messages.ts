import avsc from 'avsc';
import { expect } from 'vitest';
import type { Message } from '../../../src/domain/messages/message.ts';
import { readTopic, type TopicRecord } from '../topics.ts';

/** A message as it was on its topic. */
export interface Sent<V> {
  readonly id: string;
  readonly key: string;
  readonly value: V;
}

const HEADER_BYTES = 5;

/**
 * The messages of a topic by `ce_id`, in the order of their first copies. Repeated copies must have the same bytes and
 * headers.
 */
export async function messagesOf<V>(
  { name, schema }: Pick<Message, 'name' | 'schema'>,
  brokers: string,
): Promise<readonly Sent<V>[]> {
  const type = avsc.Type.forSchema(schema as avsc.Schema);
  const found = new Map<string, TopicRecord>();
  for (const record of await readTopic(name, brokers)) {
    const id = String(record.headers.ce_id);
    const before = found.get(id);
    if (before === undefined) found.set(id, record);
    else expect(contentOf(record), `${id} came with two contents`).toEqual(contentOf(before));
  }
  return [...found].map(([id, { key, value }]) => ({
    id,
    key: String(key),
    value: type.fromBuffer((value ?? Buffer.alloc(0)).subarray(HEADER_BYTES)) as V,
  }));
}

function contentOf({ key, value, headers }: TopicRecord): unknown {
  return { key, value, headers };
}
