import { Failure, isFailure } from '../../domain/failure.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { BrokerAdmin, CommittedOffset, PartitionRange } from '../../ports/broker.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { Changes, Position, Store, StoredPosition, StoreReader } from '../../ports/store.ts';
import { withReader } from './of-reader.ts';
import { isMove, type PositionMove, type ResetTo } from './plan.ts';

/* Stored positions and the consumer group that follows them, as both consuming and resetting need them. */

export interface GroupOf {
  readonly topic: string;
  readonly group: string;
}

/** What a processor reads, and in which consumer group. */
export interface ProcessorTopics {
  readonly processor: ProcessorName;
  readonly group: string;
  /** At least one. */
  readonly topics: readonly string[];
}

/** What is read, and by which processor. */
export interface SourceTopic {
  readonly processor: ProcessorName;
  readonly topic: string;
}

/** Has the stored positions: a store, or its inspection. */
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

/** Whether it is more than where reading starts. */
function wasRead({ next, clusterId }: Position): boolean {
  return next > 0 && clusterId !== null;
}

/** The other topics of which a processor has read something, where it has read nothing of `topic`. */
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
 * A topic that this store has read and that does not exist was deleted, or this is another cluster.
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
    `topic ${topic} is gone: this folder has read ${topic}/${read.partition} up to ${read.next}; it was deleted, or this is another cluster`,
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

/** The same for a topic that may have been read. @throws Failure topic_changed: it was, and is gone; topic_missing */
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
 * Stores where partitions without a position start. Without it, records that are deleted before the first of a
 * partition was read would be missing without a word.
 *
 * @returns the positions in force, which another process may have stored meanwhile
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

/** Stores all moves in one commit, with an edit for each that changes the position. */
export async function storeMoves(
  store: Store,
  clusterId: string,
  moved: readonly SourceMoves[],
): Promise<void> {
  const all = moved.flatMap(({ source, moves }) => moves.map((move) => ({ source, move })));
  if (all.length === 0) return;
  const positions = all.map(({ source, move: { partition } }) => ({ ...source, partition }));
  await store.transact({ positions }, (state) => {
    // Another process may have gone on from there meanwhile.
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

/** Brings the group's committed offsets up to the stored positions, with our mark: every Kafka tool shows the right lag. */
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
  // Reading refuses a partition that the topic no longer has, and says what to do.
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
