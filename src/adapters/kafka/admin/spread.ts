import type { KafkaClient } from '../protocol/client.ts';
import { isConnectionError } from '../protocol/errors.ts';
import { fetchMetadata, type TopicMetadata } from '../protocol/requests/metadata.ts';

/**
 * Which of the nodes that answer know a topic with at least this many partitions, all of which have a leader. A node
 * that has died or was cut off stays among the brokers for a while: it is waited for no longer than a connection to
 * it may take.
 */
export async function spreadOf(
  client: KafkaClient,
  topic: string,
  partitions: number,
): Promise<'everywhere' | 'somewhere' | 'nowhere'> {
  const { brokers } = await client.metadata([]);
  const answers = await Promise.all(brokers.map(({ nodeId }) => topicAt(client, nodeId, topic)));
  const answered = answers.filter((answer) => answer !== 'no answer');
  const isKnown = (known: TopicMetadata | undefined): boolean =>
    known !== undefined &&
    known.partitions.length >= partitions &&
    known.partitions.every(({ leader }) => leader >= 0);
  if (!answered.some(isKnown)) return 'nowhere';
  return answered.every(isKnown) ? 'everywhere' : 'somewhere';
}

async function topicAt(
  client: KafkaClient,
  nodeId: number,
  topic: string,
): Promise<TopicMetadata | 'no answer' | undefined> {
  try {
    const { topics } = await fetchMetadata(await client.node(nodeId), [topic]);
    return topics[0];
  } catch (error) {
    if (isConnectionError(error)) return 'no answer';
    throw error;
  }
}
