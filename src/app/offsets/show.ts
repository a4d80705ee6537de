import type { Broker, CommittedOffset, PartitionRange } from '../../ports/broker.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { rangesOfRead, storedPositions, type ProcessorTopics } from './group-positions.ts';
import { currentOffset, groupAhead, markOf, type GroupAhead } from './plan.ts';

export interface OffsetsPorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
}

export interface OffsetsView extends ProcessorTopics {
  /** The state as Kafka names it: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance. */
  readonly groupState: string;
  /** For all topics, in their order. */
  readonly partitions: readonly PartitionOffsets[];
  /** By topic; only topics in which the group is ahead somewhere. */
  readonly ahead: ReadonlyMap<string, readonly GroupAhead[]>;
}

export interface PartitionOffsets {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  /** null: the group has committed no offset. */
  readonly committed: number | null;
  /** null: the folder has no position yet. */
  readonly stored: number | null;
  readonly end: number;
  /**
   * From the stored position to the end, including deleted records, as every Kafka tool counts; without a position,
   * from where reading would start.
   */
  readonly lag: number;
  /** The offset from which reading would continue. */
  readonly current: number;
}

/**
 * Returns the positions of a processor in the folder, and those of its group. May run while a consumer does.
 *
 * @throws Failure topic_missing, topic_changed (the folder has read a topic that no longer exists), and as the ports
 */
export async function showOffsets(
  { access, broker }: OffsetsPorts,
  { processor, group, topics }: ProcessorTopics,
): Promise<OffsetsView> {
  await using admin = await broker.admin();
  const asked = Promise.all([
    Promise.all(topics.map((topic) => admin.committed(group, topic))),
    admin.group(group),
  ]);
  // `ranges` reports a missing topic.
  await Promise.allSettled([asked]);
  // Read after the group, so that a running consumer is not behind its own commits, and before the ranges, so that it
  // is not past the end.
  await using reader = await access.read();
  const mark = markOf(reader.storeId ?? '');
  const partitions: PartitionOffsets[] = [];
  const ahead = new Map<string, readonly GroupAhead[]>();
  for (const [at, topic] of topics.entries()) {
    const stored = await storedPositions(reader, { processor, topic });
    const ranges = await rangesOfRead(admin, reader, { processor, topic });
    const entries = (await asked)[0][at] ?? [];
    const committed = new Map(entries.map((entry) => [entry.partition, entry] as const));
    for (const range of ranges) {
      const { partition } = range;
      const position = stored.get(partition)?.next ?? null;
      partitions.push({ topic, ...offsetsOf(range, position, committed.get(partition), mark) });
    }
    const found = groupAhead({ ranges, stored, committed: entries, mark });
    if (found.length > 0) ahead.set(topic, found);
  }
  const [, { state }] = await asked;
  return { processor, group, topics, groupState: state, partitions, ahead };
}

function offsetsOf(
  { partition, start, end }: PartitionRange,
  stored: number | null,
  committed: CommittedOffset | undefined,
  mark: string,
): Omit<PartitionOffsets, 'topic'> {
  const current = currentOffset(stored, committed, mark) ?? start;
  return {
    partition,
    start,
    committed: committed?.offset ?? null,
    stored,
    end,
    lag: Math.max(0, end - (stored ?? current)),
    current,
  };
}
