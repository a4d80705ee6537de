import { declare, type DeclaredTopic, type WantedTopic } from '../../domain/topics/declared-topics.ts';
import { Failure } from '../../domain/failure.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';

export interface TopicCreated {
  readonly kind: 'topic_created';
  readonly topic: string;
  readonly partitions: number;
}

/**
 * Makes sure that topics exist: the topics that messages are sent to or read from, and their dead-letter topics.
 *
 * @param create false: a missing topic is a failure
 * @returns the number of topics that it created
 * @throws Failure topic_missing
 */
export async function ensureTopics(
  admin: BrokerAdmin,
  wanted: readonly WantedTopic[],
  create: boolean,
  on: (event: TopicCreated) => void,
): Promise<number> {
  let created = 0;
  const left = new Set(wanted.map(({ topic }) => topic));
  const queue = [...wanted];
  for (const one of queue) {
    const { topic } = one;
    const carries = one.carries ?? [];
    // The topic must hold the largest record of these topics, so they are created first.
    if (carries.some((of) => of !== topic && left.has(of))) {
      queue.push(one);
      continue;
    }
    left.delete(topic);
    if ((await admin.partitionCount(topic)) !== undefined) continue;
    if (!create) {
      throw new Failure('topic_missing', `topic ${topic} does not exist`, {
        fix: { kind: 'create_topic' },
        context: { topic },
      });
    }
    const carried: number[] = [];
    for (const of of carries) {
      if ((await admin.partitionCount(of)) === undefined) continue;
      const bytes = Number(await admin.topicConfig(of, 'max.message.bytes'));
      if (bytes > 0) carried.push(bytes);
    }
    const declared = declare(one, carried);
    if (!(await createDeclared(admin, declared))) continue;
    created += 1;
    on({ kind: 'topic_created', topic, partitions: declared.partitions });
  }
  return created;
}

/** @returns whether this call created it */
export function createDeclared(admin: BrokerAdmin, declared: DeclaredTopic): Promise<boolean> {
  const { topic, partitions, replication } = declared;
  const configs = Object.fromEntries(
    Object.entries(declared.configs).map(([name, value]) => [name, String(value)]),
  );
  return admin.createTopic(topic, { partitions, replication, configs });
}
