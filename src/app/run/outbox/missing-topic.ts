import { isFailure } from '../../../domain/failure.ts';
import { MESSAGES } from '../../../domain/messages/index.ts';
import type { TopicNames } from '../../../domain/messages/topic-names.ts';
import type { Broker } from '../../../ports/broker.ts';
import { ensureTopics, type TopicCreated } from '../../topics/ensure.ts';
import { wantedTopics } from '../../topics/wanted.ts';

export interface MissingTopicParts {
  readonly broker: Broker;
  readonly names: TopicNames;
  /** As RunOptions.create. */
  readonly create: boolean;
  readonly on: (event: TopicCreated) => void;
}

/**
 * Recreates a topic that was deleted during the run.
 *
 * @returns whether it exists now; false when the run may not create it, or it is not a topic of the catalogue
 * @throws Failure broker_unreachable
 */
export async function makeAgain(
  topic: string,
  { broker, names, create, on }: MissingTopicParts,
): Promise<boolean> {
  const wanted = wantedTopics(MESSAGES, names).find((one) => one.topic === topic);
  if (!create || wanted === undefined) return false;
  try {
    await using admin = await broker.admin();
    await ensureTopics(admin, [wanted], create, on);
    return true;
  } catch (error) {
    if (isFailure(error, 'broker_refused')) return false;
    throw error;
  }
}
