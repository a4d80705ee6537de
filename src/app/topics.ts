import { Failure } from '../domain/failure.ts';
import type { BrokerAdmin } from '../ports/broker.ts';

/** Partitions of a topic that is created for the user. */
const NEW_TOPIC_PARTITIONS = 6;
/** What the headers of a dead letter may add to the record that it carries. */
const DEAD_LETTER_HEADROOM_BYTES = 64 * 1024;
/** Kafka's default for `max.message.bytes`, where the broker does not say. */
const DEFAULT_MAX_MESSAGE_BYTES = 1_048_588;

export interface TopicCreated {
  readonly kind: 'topic_created';
  readonly topic: string;
  readonly partitions: number;
}

/**
 * Makes sure that a topic is there.
 *
 * @param create false makes a missing topic a failure
 * @returns its number of partitions
 * @throws Failure topic_missing
 */
export async function ensureTopic(
  admin: BrokerAdmin,
  topic: string,
  create: boolean,
  on: (event: TopicCreated) => void,
  configs: Readonly<Record<string, string>> = {},
): Promise<number> {
  const found = await admin.partitionCount(topic);
  if (found !== undefined) return found;
  if (!create) {
    throw new Failure('topic_missing', `topic ${topic} does not exist`, {
      fix: 'leave out --no-create to have it made, or name another with --topic',
      context: { topic },
    });
  }
  if (await admin.createTopic(topic, { partitions: NEW_TOPIC_PARTITIONS, configs })) {
    on({ kind: 'topic_created', topic, partitions: NEW_TOPIC_PARTITIONS });
  }
  return (await admin.partitionCount(topic)) ?? NEW_TOPIC_PARTITIONS;
}

/** As ensureTopic; what fits into `topic` fits into its dead-letter topic, headers included. */
export async function ensureDeadLetterTopic(
  admin: BrokerAdmin,
  topic: string,
  dlqTopic: string,
  create: boolean,
  on: (event: TopicCreated) => void,
): Promise<void> {
  if ((await admin.partitionCount(dlqTopic)) !== undefined) return;
  const limit = Number(await admin.topicConfig(topic, 'max.message.bytes')) || DEFAULT_MAX_MESSAGE_BYTES;
  const maxMessageBytes = Math.min(limit + DEAD_LETTER_HEADROOM_BYTES, 2 ** 31 - 1);
  await ensureTopic(admin, dlqTopic, create, on, { 'max.message.bytes': String(maxMessageBytes) });
}
