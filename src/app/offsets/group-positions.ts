import { Failure, isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { BrokerAdmin, CommittedOffset, PartitionRange } from '../../ports/broker.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { Changes, Position, Store, StoredPosition, StoreReader } from '../../ports/store.ts';
import { withReader } from './of-reader.ts';
import { isMove, type PositionMove, type ResetTo } from './plan.ts';

/* Stored positions and the consumer group that follows them, for consuming and for resetting. */

export interface GroupOf {
  readonly topic: string;
  readonly group: string;
}

/** The topics that a processor reads, and its consumer group. */
export interface ProcessorTopics {
  readonly processor: ProcessorName;
  readonly group: string;
  /** At least one topic. */
  readonly topics: readonly string[];
}

/** A topic and the processor that reads it. */
export interface SourceTopic {
  readonly processor: ProcessorName;
  readonly topic: string;
}

/** A source of stored positions: a store, or its inspection. */
export interface PositionsReader {
  positions(): Promise<readonly StoredPosition[]> | readonly StoredPosition[];
}

/** The stored positions of a processor in one topic, by partition. */
export async function storedPositions(
  reader: PositionsReader,
  { processor, topic }: SourceTopic,
): Promise<Map<number, StoredPosition>> {
  const positions = new Map<number, StoredPosition>();
  for (const position of await reader.positions()) {
    if (position.topic === topic && position.processor === processor)
      positions.set(position.partition, position);
  }
  return positions;
}

/** Whether records were read, and not only the start was stored. */
function wasRead({ next, clusterId }: Position): boolean {
  return next > 0 && clusterId !== null;
}

/** The other topics that a processor has read from, if it has never read from `topic`. */
export async function otherTopicsRead(
  reader: StoreReader,
  { processor, topic }: SourceTopic,
): Promise<readonly string[]> {
  const read = (await reader.positions())
    .filter((position) => position.processor === processor && wasRead(position))
    .map((position) => position.topic);
  return read.includes(topic) ? [] : [...new Set(read)].toSorted();
}

/**
 * Refuses a topic that this store has read but that does not exist: it was deleted, or this is another cluster.
 *
 * @throws Failure topic_changed
 */
export async function refuseVanished(
  admin: BrokerAdmin,
  reader: PositionsReader,
  source: SourceTopic,
): Promise<void> {
  const { topic } = source;
  const read = [...(await storedPositions(reader, source)).values()].find(wasRead);
  if (read === undefined || (await admin.partitionCount(topic)) !== undefined) return;
  throw new Failure(
    'topic_changed',
    `topic ${topic} no longer exists: this folder has read ${topic}/${read.partition} up to ${read.next}; the topic was deleted, or this is another cluster`,
    {
      fix: withReader({ kind: 'other_cluster' }, source),
      context: { topic, partition: read.partition, offset: read.next },
    },
  );
}

/** The same for a store that is not open yet. @throws Failure topic_changed */
export async function refuseIfVanished(
  admin: BrokerAdmin,
  access: StoreAccess,
  topic: string,
): Promise<void> {
  await using reader = await access.read();
  await refuseVanished(admin, reader, { processor: 'orders', topic });
}

/** @throws Failure topic_missing */
export async function rangesOf(
  admin: BrokerAdmin,
  { processor, topic }: SourceTopic,
): Promise<readonly PartitionRange[]> {
  try {
    return await admin.ranges(topic);
  } catch (error) {
    if (!isFailure(error, 'not_found')) throw error;
    throw new Failure('topic_missing', `topic ${topic} does not exist`, {
      fix: processor === 'orders' ? { kind: 'other_topic' } : { kind: 'apply_topics_of', processor },
      context: { topic },
      cause: error,
    });
  }
}

/**
 * The same for a topic that may have been read.
 *
 * @throws Failure topic_changed (it was, and no longer exists), topic_missing
 */
export async function rangesOfRead(
  admin: BrokerAdmin,
  reader: PositionsReader,
  source: SourceTopic,
): Promise<readonly PartitionRange[]> {
  try {
    return await rangesOf(admin, source);
  } catch (error) {
    if (isFailure(error, 'topic_missing')) await refuseVanished(admin, reader, source);
    throw error;
  }
}

/** The offsets of a reset to a time, by partition; empty for any other reset. */
export async function offsetsAtTime(
  admin: BrokerAdmin,
  topic: string,
  to: ResetTo | undefined,
): Promise<ReadonlyMap<number, number>> {
  if (typeof to !== 'object' || !('timestampMs' in to)) return new Map();
  return admin.offsetsAt(topic, to.timestampMs);
}

export function movedPosition(
  { processor, topic }: SourceTopic,
  clusterId: string,
  move: PositionMove,
): StoredPosition {
  return { processor, topic, partition: move.partition, next: move.after, last: null, clusterId };
}

/**
 * Stores the start of partitions without a position. Otherwise, records that are deleted before the first record of a
 * partition is read would go missing unnoticed.
 *
 * @returns the positions in force, which another process may have stored since
 */
export async function storeStarts(
  store: Store,
  source: SourceTopic,
  starts: readonly { readonly partition: number; readonly offset: number }[],
): Promise<readonly StoredPosition[]> {
  const begun = starts.map(({ partition, offset: next }): StoredPosition => {
    return { ...source, partition, next, last: null, clusterId: null };
  });
  return store.transact({ positions: begun }, (state) => {
    const positions = begun.filter((one) => state.position(one) === undefined);
    return { changes: { positions }, result: begun.map((one) => state.position(one) ?? one) };
  });
}

/** Moves of the positions of a processor in one topic. */
export interface SourceMoves {
  readonly source: SourceTopic;
  readonly moves: readonly PositionMove[];
}

/** Stores all moves in one commit, with an edit for each one that changes a position. */
export async function storeMoves(
  store: Store,
  clusterId: string,
  moved: readonly SourceMoves[],
): Promise<void> {
  const all = moved.flatMap(({ source, moves }) => moves.map((move) => ({ source, move })));
  if (all.length === 0) return;
  const positions = all.map(({ source, move: { partition } }) => ({ ...source, partition }));
  await store.transact({ positions }, (state) => {
    // Another process may have read on from there since.
    const still = all.filter(({ source, move: { partition, before } }) => {
      return (state.position({ ...source, partition })?.next ?? null) === before;
    });
    return { changes: changesOf(still, clusterId), result: undefined };
  });
}

function changesOf(
  all: readonly { readonly source: SourceTopic; readonly move: PositionMove }[],
  clusterId: string,
): Changes {
  return {
    edits: all
      .filter(({ move }) => isMove(move))
      .map(({ source, move: { partition, before, after, cause, recreated } }) => ({
        kind: 'position',
        ...source,
        partition,
        before,
        after,
        cause,
        ...(recreated ? { recreated } : {}),
      })),
    positions: all.map(({ source, move }) => movedPosition(source, clusterId, move)),
  };
}

/** Commits the stored positions to the group, with the store's mark, so that every Kafka tool shows the right lag. */
export async function commitPositions(
  admin: BrokerAdmin,
  { topic, group }: GroupOf,
  now: {
    readonly positions: ReadonlyMap<number, Position>;
    readonly ranges: readonly PartitionRange[];
    readonly committed: readonly CommittedOffset[];
    readonly mark: string;
  },
): Promise<void> {
  const { positions, ranges, committed, mark } = now;
  const committedBy = new Map(committed.map((entry) => [entry.partition, entry]));
  // Reading refuses a partition that the topic no longer has, and reports what to do.
  const known = new Set(ranges.map((range) => range.partition));
  const behind = [...positions.values()].filter((position) => {
    if (!known.has(position.partition)) return false;
    const entry = committedBy.get(position.partition);
    return entry?.offset !== position.next || entry.metadata !== mark;
  });
  if (behind.length === 0) return;
  await admin.commit(
    group,
    topic,
    behind.map(({ partition, next }) => ({ partition, offset: next, metadata: mark })),
  );
}
