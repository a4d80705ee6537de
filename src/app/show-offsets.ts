import type { Broker, CommittedOffset, PartitionRange } from '../ports/broker.ts';
import type { StoreAccess } from '../ports/store.ts';
import { rangesOf, storedPositions, type GroupOf } from './group-positions.ts';
import { currentOffset, markOf } from './plan-positions.ts';

export interface OffsetsPorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
}

export interface OffsetsView extends GroupOf {
  /** Kafka's name for it: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance. */
  readonly groupState: string;
  readonly partitions: readonly PartitionOffsets[];
}

export interface PartitionOffsets {
  readonly partition: number;
  readonly start: number;
  /** null: the group has committed none. */
  readonly committed: number | null;
  /** null: the folder has read none yet. */
  readonly stored: number | null;
  readonly end: number;
  /** Records from the stored position to the end; without one, from where reading would begin. */
  readonly lag: number;
  /** Where reading would go on. */
  readonly current: number;
}

/**
 * Where the folder stands and where its group does. Goes beside a running consumer.
 *
 * @throws Failure topic_missing, and those of the ports
 */
export async function showOffsets(
  { access, broker }: OffsetsPorts,
  { topic, group }: GroupOf,
): Promise<OffsetsView> {
  await using admin = await broker.admin();
  await using reader = await access.read();
  const stored = await storedPositions(reader, topic);
  const mark = markOf(reader.folderId ?? '');
  const ranges = await rangesOf(admin, topic);
  const committed = new Map(
    (await admin.committed(group, topic)).map((entry) => [entry.partition, entry] as const),
  );
  const { state } = await admin.group(group);
  const partitions = ranges.map((range) =>
    offsetsOf(range, stored.get(range.partition)?.next ?? null, committed.get(range.partition), mark),
  );
  return { topic, group, groupState: state, partitions };
}

function offsetsOf(
  { partition, start, end }: PartitionRange,
  stored: number | null,
  committed: CommittedOffset | undefined,
  mark: string,
): PartitionOffsets {
  const current = currentOffset(stored, committed, mark) ?? start;
  const from = Math.max(stored ?? current, start);
  return {
    partition,
    start,
    committed: committed?.offset ?? null,
    stored,
    end,
    lag: Math.max(0, end - from),
    current,
  };
}
