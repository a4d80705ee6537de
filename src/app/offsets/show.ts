import type { Broker, CommittedOffset, PartitionRange } from '../../ports/broker.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { rangesOfRead, storedPositions, type GroupOf } from './group-positions.ts';
import { currentOffset, groupAhead, markOf, type GroupAhead } from './plan.ts';

export interface OffsetsPorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
}

export interface OffsetsView extends GroupOf {
  /** Kafka's name for it: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance. */
  readonly groupState: string;
  readonly partitions: readonly PartitionOffsets[];
  readonly ahead: readonly GroupAhead[];
}

export interface PartitionOffsets {
  readonly partition: number;
  readonly start: number;
  /** null: the group has committed none. */
  readonly committed: number | null;
  /** null: the folder has read none yet. */
  readonly stored: number | null;
  readonly end: number;
  /**
   * From the stored position to the end, deleted records included, as every Kafka tool counts; without one, from where
   * reading would begin.
   */
  readonly lag: number;
  /** Where reading would go on. */
  readonly current: number;
}

/**
 * The positions of the folder and of its group. Works beside a running consumer.
 *
 * @throws Failure topic_missing, topic_changed (the folder has read it, and it is gone), and those of the ports
 */
export async function showOffsets(
  { access, broker }: OffsetsPorts,
  { topic, group }: GroupOf,
): Promise<OffsetsView> {
  await using admin = await broker.admin();
  const asked = Promise.all([admin.committed(group, topic), admin.group(group)]);
  // That there is no such topic is for the ranges to say.
  await Promise.allSettled([asked]);
  // After the group, which follows what is stored: a consumer at work is never behind its own commits. Before the
  // ranges: nor is it past the end.
  await using reader = await access.read();
  const stored = await storedPositions(reader, { processor: 'orders', topic });
  const ranges = await rangesOfRead(admin, reader, topic);
  const [entries, { state }] = await asked;
  const mark = markOf(reader.storeId ?? '');
  const committed = new Map(entries.map((entry) => [entry.partition, entry] as const));
  const partitions = ranges.map((range) =>
    offsetsOf(range, stored.get(range.partition)?.next ?? null, committed.get(range.partition), mark),
  );
  const ahead = groupAhead({ ranges, stored, committed: entries, mark });
  return { topic, group, groupState: state, partitions, ahead };
}

function offsetsOf(
  { partition, start, end }: PartitionRange,
  stored: number | null,
  committed: CommittedOffset | undefined,
  mark: string,
): PartitionOffsets {
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
