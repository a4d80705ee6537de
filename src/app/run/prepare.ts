import { orderTopics } from '../../domain/declared-topics.ts';
import type { Broker, PartitionRange } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Processes } from '../../ports/processes.ts';
import type { Position, Store } from '../../ports/store.ts';
import type { PrepareEvent, RunProcessorOptions } from './events.ts';
import { clearGroup } from '../offsets/clear-group.ts';
import { findMoves } from '../offsets/find-moves.ts';
import {
  commitPositions,
  movedPosition,
  otherTopicsRead,
  refuseVanished,
  storedPositions,
  storeMoves,
} from '../offsets/group-positions.ts';
import { groupAhead, markOf, rangesWithoutLeader } from '../offsets/plan.ts';
import { ensureTopics } from '../topics/ensure.ts';

export interface PrepareOptions extends Omit<
  RunProcessorOptions<never, never>,
  'on' | 'onOwned' | 'counts' | 'purpose'
> {
  readonly on: (event: PrepareEvent) => void;
}

export interface Prepared {
  /** A partition without a leader is absent, unless all were waited for. */
  readonly ranges: readonly PartitionRange[];
  /** By partition; one that is absent starts at the earliest offset. */
  readonly positions: Map<number, Position>;
  /** Records that moves of the position pass over. */
  readonly skipped: number;
}

/**
 * Everything that must be done before the group is joined: topics exist, nobody else is in the group, and every stored
 * position is where reading begins, with the group's committed offsets moved to it.
 */
export async function prepareConsumer(
  ports: { store: Store; broker: Broker; processes: Processes; clock: Clock },
  options: PrepareOptions,
): Promise<Prepared> {
  const { store, broker } = ports;
  const { topic, group, on } = options;
  await using admin = await broker.admin();
  if (options.reset === null) await refuseVanished(admin, store, topic);
  const others = await otherTopicsRead(store, topic);
  if (others.length > 0) on({ kind: 'topic_is_new', topic, others });
  await ensureTopics(admin, orderTopics(options), options.create, on);
  await clearGroup(admin, ports, options, on);
  const isWhole = options.reset !== null || options.untilEnd;
  const ranges = await (isWhole ? admin.ranges(topic) : admin.ledRanges(topic));
  const clusterId = await admin.clusterId();
  const positions = await storedPositions(store, topic);
  const mark = markOf(store.storeId);
  const committed = await admin.committed(group, topic);
  const known = [...ranges, ...rangesWithoutLeader({ ranges, stored: positions, committed })];
  const ahead =
    options.reset === null ? groupAhead({ ranges: known, stored: positions, committed, mark }) : [];
  if (ahead.length > 0) on({ kind: 'group_ahead', topic, group, ahead });
  const { adopt, reset } = options;
  const found = { topic, group, mark, clusterId, ranges: known, stored: positions, committed };
  const moves = await findMoves(admin, store, { ...found, adopt, reset });
  await storeMoves(store, topic, clusterId, moves);
  for (const move of moves) {
    positions.set(move.partition, movedPosition(topic, clusterId, move));
    on({ kind: 'moved', topic, move });
  }
  await commitPositions(admin, options, { positions, ranges: known, committed, mark });
  return { ranges, positions, skipped: moves.reduce((sum, move) => sum + move.skipped, 0) };
}
