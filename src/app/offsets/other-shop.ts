import type { BrokerAdmin } from '../../ports/broker.ts';
import { findMembers } from './clear-group.ts';
import type { ProcessorTopics } from './group-positions.ts';
import { markOf, refuseForeignMark } from './plan.ts';

/**
 * Checks whether another store works or has worked with these groups, as a run does before it reads. Changes nothing,
 * and leaves everything about this store's own members to the run.
 *
 * @param storeId null: the store has no id yet
 * @throws Failure group_in_use, group_marked, and as the brokers
 */
export async function refuseOtherShop(
  admin: Pick<BrokerAdmin, 'group' | 'partitionCount' | 'committed'>,
  storeId: string | null,
  processors: readonly ProcessorTopics[],
): Promise<void> {
  const id = storeId ?? '';
  for (const { group, topics } of processors) {
    await findMembers(admin, id, { topic: topics[0] ?? '', group });
    for (const topic of topics) {
      if ((await admin.partitionCount(topic)) === undefined) continue;
      const committed = await admin.committed(group, topic);
      refuseForeignMark({ topic, group, mark: markOf(id), committed });
    }
  }
}
