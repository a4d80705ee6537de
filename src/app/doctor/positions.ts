import { isFailure } from '../../domain/failure.ts';
import { MESSAGES } from '../../domain/messages/index.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import { topicOf, type TopicNames } from '../../domain/messages/topic-names.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { refuseVanished, storedPositions, type PositionsReader } from '../offsets/group-positions.ts';
import { ofReader } from '../offsets/of-reader.ts';
import type { Check } from './finding.ts';
import { isDenied } from './topics.ts';

/**
 * For every processor except `orders`: the first topic that does not match its stored positions, so that a run would
 * fail.
 */
export async function checkOtherPositions(
  access: StoreAccess,
  admin: BrokerAdmin,
  names: TopicNames,
): Promise<readonly Check[]> {
  await using reader = await access.read();
  const found = new Map<ProcessorName, Check>();
  for (const message of MESSAGES) {
    for (const processor of message.readers) {
      if (processor === 'orders' || found.has(processor)) continue;
      try {
        await refuseChanged(admin, reader, { processor, topic: topicOf(message, names) });
      } catch (error) {
        const failure = ofReader(error, processor);
        if (!isFailure(failure)) throw error;
        // This user may not have access to the topics of all processors.
        if (isDenied(failure)) continue;
        const { message: text, fix } = failure;
        const name = `positions_of_${processor}`;
        found.set(processor, { name, state: 'error', message: text, fix, failure });
      }
    }
  }
  return [...found.values()];
}

/** @throws Failure topic_changed, offsets_gone, and as the port */
async function refuseChanged(
  admin: BrokerAdmin,
  reader: PositionsReader,
  source: { readonly processor: ProcessorName; readonly topic: string },
): Promise<void> {
  const stored = await storedPositions(reader, source);
  if (stored.size === 0) return;
  await refuseVanished(admin, reader, source);
  if ((await admin.partitionCount(source.topic)) === undefined) return;
  for (const { failure } of (await admin.refusedPositions(source.topic, stored)).values()) throw failure;
}
