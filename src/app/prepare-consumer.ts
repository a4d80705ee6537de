import type { Broker, PartitionRange } from '../ports/broker.ts';
import type { Position, Store } from '../ports/store.ts';
import type { ConsumeOptions } from './consume-events.ts';
import {
  clearGroup,
  commitPositions,
  movedPosition,
  offsetsAtTime,
  storedPositions,
  storeMoves,
} from './group-positions.ts';
import { markOf, planMoves } from './plan-positions.ts';
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
  await clearGroup(admin, store, options, on);
  const ranges = await admin.ranges(topic);
  const clusterId = await admin.clusterId();
  const positions = await storedPositions(store, topic);
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
    offsetsAtTime: await offsetsAtTime(admin, topic, options.reset?.to),
  });
  await storeMoves(store, topic, clusterId, moves);
  for (const move of moves) {
    positions.set(move.partition, movedPosition(topic, clusterId, move));
    on({ kind: 'moved', topic, move });
  }
  await commitPositions(admin, options, { positions, ranges, committed, mark });
  return { ranges, positions, skipped: moves.reduce((sum, move) => sum + move.skipped, 0) };
}
