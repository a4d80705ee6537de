import { isFailure } from '../../domain/failure.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';
import { sameFingerprint, type RecordFingerprint } from '../../ports/record.ts';
import type { StoreReader } from '../../ports/store.ts';
import { offsetsAtTime } from './group-positions.ts';
import { planMoves, type PlanInput, type PositionMove } from './plan.ts';
import { readCourses } from './skips.ts';

type Found = Omit<PlanInput, 'recreated' | 'offsetsAtTime'> & {
  /** Of the cluster that answers now. */
  readonly clusterId: string;
  readonly processor: ProcessorName;
};

/**
 * As planMoves, counting as skipped only what was never read from the topic as it is now.
 *
 * @param found the stored positions read before the ranges, so that a consumer at work is not found past an end
 * @throws Failure as planMoves, and those of the ports
 */
export async function findMoves(
  admin: BrokerAdmin,
  reader: Pick<StoreReader, 'edits' | 'positions'>,
  found: Found,
): Promise<readonly PositionMove[]> {
  const { processor, topic, reset } = found;
  const input = { ...found, offsetsAtTime: await offsetsAtTime(admin, topic, reset?.to) };
  let moves = planMoves({ ...input, recreated: new Set() });
  if (moves.length === 0) return moves;
  const recreated = await findRecreated(admin, found);
  if (recreated.size > 0) moves = planMoves({ ...input, recreated });
  // Only now is the log of edits worth reading.
  if (!moves.some((move) => move.skipped > 0 && !move.recreated)) return moves;
  const courses = await readCourses(reader);
  return moves.map((move) => {
    const { partition, after, skipped } = move;
    if (move.recreated || skipped === 0) return move;
    return {
      ...move,
      skipped: courses.unread({ processor, topic, partition }, { from: after - skipped, to: after }),
    };
  });
}

/**
 * The partitions whose stored position is of another topic of that name: of another cluster, past the end, or behind a
 * record that is not the one that was read there. What a consumer stops for.
 */
async function findRecreated(
  admin: BrokerAdmin,
  { topic, clusterId, ranges, stored }: Found,
): Promise<ReadonlySet<number>> {
  const recreated = new Set<number>();
  const last = new Map<number, RecordFingerprint>();
  for (const { partition, start, end } of ranges) {
    const position = stored.get(partition);
    if (position === undefined) continue;
    const isElsewhere = position.clusterId !== null && position.clusterId !== clusterId;
    if (isElsewhere || position.next > end) recreated.add(partition);
    else if (position.last !== null && position.last.offset >= start) last.set(partition, position.last);
  }
  if (last.size === 0) return recreated;
  const offsets = new Map([...last].map(([partition, { offset }]) => [partition, offset]));
  for (const [partition, now] of await fingerprintsOf(admin, topic, offsets)) {
    const then = last.get(partition);
    if (then === undefined || !sameFingerprint(then, now)) recreated.add(partition);
  }
  return recreated;
}

/** A batch that is broken in Kafka is often why positions are moved. */
async function fingerprintsOf(
  admin: BrokerAdmin,
  topic: string,
  offsets: ReadonlyMap<number, number>,
): Promise<ReadonlyMap<number, RecordFingerprint>> {
  try {
    return await admin.fingerprints(topic, offsets);
  } catch (error) {
    if (isFailure(error, 'invalid_input')) return new Map();
    throw error;
  }
}
