import { declaredDeadLetters, declaredTopic, type DeclaredTopic } from '../../domain/declared-topics.ts';
import { Failure } from '../../domain/failure.ts';
import { ORDER } from '../../domain/messages/shop/order.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';

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
  declared: DeclaredTopic = declaredTopic(ORDER, topic),
): Promise<number> {
  const found = await admin.partitionCount(topic);
  if (found !== undefined) return found;
  if (!create) {
    throw new Failure('topic_missing', `topic ${topic} does not exist`, {
      fix: { kind: 'create_topic' },
      context: { topic },
    });
  }
  if (await createDeclared(admin, declared)) {
    on({ kind: 'topic_created', topic, partitions: declared.partitions });
  }
  return (await admin.partitionCount(topic)) ?? declared.partitions;
}

/** @returns whether this call created it */
export function createDeclared(admin: BrokerAdmin, declared: DeclaredTopic): Promise<boolean> {
  const { topic, partitions, replication } = declared;
  const configs = Object.fromEntries(
    Object.entries(declared.configs).map(([name, value]) => [name, String(value)]),
  );
  return admin.createTopic(topic, { partitions, replication, configs });
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
  const limit = Number(await admin.topicConfig(topic, 'max.message.bytes'));
  const declared = declaredDeadLetters(ORDER, dlqTopic, limit > 0 ? limit : undefined);
  await ensureTopic(admin, dlqTopic, create, on, declared);
}
