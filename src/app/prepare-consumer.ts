import { Failure } from '../domain/failure.ts';
import type { Broker, BrokerAdmin, PartitionRange } from '../ports/broker.ts';
import type { Position, Store } from '../ports/store.ts';
import type { ConsumeOptions } from './consume-events.ts';
import { markOf, planMoves, type PositionMove } from './plan-positions.ts';
import { ensureDeadLetterTopic, ensureTopic } from './topics.ts';

export interface Prepared {
  readonly ranges: readonly PartitionRange[];
  /** By partition; one that is absent starts at the earliest offset. */
  readonly positions: Map<number, Position>;
  /** Records that moves of the position pass over. */
  readonly skipped: number;
}

/**
 * All that must be settled before the group is joined: topics are there, nobody else is in the group, and every
 * stored position stands where reading shall begin, with the group's committed offsets brought up to it.
 */
export async function prepareConsumer(
  store: Store,
  broker: Broker,
  options: ConsumeOptions,
): Promise<Prepared> {
  const { topic, group, on } = options;
  await using admin = await broker.admin();
  await ensureTopic(admin, topic, options.create, on);
  await ensureDeadLetterTopic(admin, topic, options.dlqTopic, options.create, on);
  await clearGroup(admin, store, options);
  const ranges = await admin.ranges(topic);
  const clusterId = await admin.clusterId();
  const positions = new Map<number, Position>();
  for (const position of await store.positions()) {
    if (position.topic === topic) positions.set(position.partition, position);
  }
  const mark = markOf(store.folderId);
  const committed = await admin.committed(group, topic);
  const moves = planMoves({
    topic,
    group,
    mark,
    ranges,
    stored: positions,
    committed,
    adopt: options.adopt,
    reset: options.reset,
    offsetsAtTime: await offsetsAtTime(admin, options),
  });
  if (moves.length > 0) await storeMoves(store, topic, clusterId, moves);
  for (const move of moves) {
    positions.set(move.partition, movedPosition(topic, clusterId, move));
    on({ kind: 'moved', topic, move });
  }
  await commitPositions(admin, options, { positions, ranges }, mark, committed);
  return { ranges, positions, skipped: moves.reduce((sum, move) => sum + move.skipped, 0) };
}

/** A member with this folder's client id is our ghost after a kill: the folder is ours alone, so it cannot live. */
async function clearGroup(admin: BrokerAdmin, store: Store, options: ConsumeOptions): Promise<void> {
  const { group, on } = options;
  const { members } = await admin.group(group);
  const foreign = members.filter((member) => member.clientId !== markOf(store.folderId));
  if (foreign.length > 0) {
    const names = foreign
      .map((member) => `${member.clientId || member.memberId} (${member.host})`)
      .join(', ');
    throw new Failure('group_in_use', `consumer group ${group} has other members: ${names}`, {
      fix: 'stop them, or give this folder a group of its own with --group NAME',
      context: { topic: options.topic },
    });
  }
  for (const member of members) {
    await admin.removeMember(group, member.memberId);
    on({ kind: 'ghost_removed', group, memberId: member.memberId });
  }
}

async function offsetsAtTime(
  admin: BrokerAdmin,
  options: ConsumeOptions,
): Promise<ReadonlyMap<number, number>> {
  const to = options.reset?.to;
  if (typeof to !== 'object' || !('timestampMs' in to)) return new Map();
  return admin.offsetsAt(options.topic, to.timestampMs);
}

function movedPosition(topic: string, clusterId: string, move: PositionMove): Position {
  return { topic, partition: move.partition, next: move.after, last: null, clusterId };
}

async function storeMoves(
  store: Store,
  topic: string,
  clusterId: string,
  moves: readonly PositionMove[],
): Promise<void> {
  const partitions = moves.map(({ partition }) => ({ topic, partition }));
  await store.transact({ partitions }, () => ({
    changes: {
      edits: moves.map(({ partition, before, after, cause }) => ({
        kind: 'position',
        topic,
        partition,
        before,
        after,
        cause,
      })),
      positions: moves.map((move) => movedPosition(topic, clusterId, move)),
    },
    result: undefined,
  }));
}

/** After a crash the group lags behind what is stored: every Kafka tool shall show the right lag. */
async function commitPositions(
  admin: BrokerAdmin,
  options: ConsumeOptions,
  { positions, ranges }: Pick<Prepared, 'positions' | 'ranges'>,
  mark: string,
  committed: Awaited<ReturnType<BrokerAdmin['committed']>>,
): Promise<void> {
  const committedBy = new Map(committed.map((entry) => [entry.partition, entry]));
  // A partition that the topic has no more is for the reading to refuse: it says what to do.
  const known = new Set(ranges.map((range) => range.partition));
  const behind = [...positions.values()].filter((position) => {
    if (!known.has(position.partition)) return false;
    const entry = committedBy.get(position.partition);
    return entry?.offset !== position.next || entry.metadata !== mark;
  });
  if (behind.length === 0) return;
  await admin.commit(
    options.group,
    options.topic,
    behind.map(({ partition, next }) => ({ partition, offset: next, metadata: mark })),
  );
}
