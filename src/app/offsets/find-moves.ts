import type { ProcessorName } from '../../domain/messages/message.ts';
import type { BrokerAdmin } from '../../ports/broker.ts';
import type { RefusedPosition } from '../../ports/record.ts';
import type { StoreReader } from '../../ports/store.ts';
import { offsetsAtTime } from './group-positions.ts';
import { planMoves, type PlanInput, type PositionMove } from './plan.ts';
import { readCourses } from './skips.ts';

/** Reasons that mean a recreated topic or an unclean election. A broken batch means neither. */
const RECREATED: ReadonlySet<RefusedPosition['reason']> = new Set(['cluster', 'past_end', 'other_record']);

type Found = Omit<PlanInput, 'recreated' | 'offsetsAtTime'> & { readonly processor: ProcessorName };

/**
 * As planMoves, but counts as skipped only records that were never read from the present topic.
 *
 * @param found stored positions must be read before the ranges, so that a running consumer is not found beyond an end
 * @throws Failure as planMoves and the ports
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
  // The log of edits is read only when it is needed.
  if (!moves.some((move) => move.skipped + move.deleted > 0 && !move.recreated)) return moves;
  const courses = await readCourses(reader);
  return moves.map((move) => {
    const { partition, before, after, skipped, deleted } = move;
    if (move.recreated || skipped + deleted === 0) return move;
    const unread = (from: number, records: number): number =>
      courses.unread({ processor, topic, partition }, { from, to: from + records });
    return {
      ...move,
      skipped: unread(after - skipped, skipped),
      deleted: unread(before ?? 0, deleted),
    };
  });
}

/** The partitions whose stored position belongs to an earlier topic of that name. */
async function findRecreated(
  admin: BrokerAdmin,
  { topic, stored }: Pick<PlanInput, 'topic' | 'stored'>,
): Promise<ReadonlySet<number>> {
  const refused = await admin.refusedPositions(topic, stored);
  return new Set(
    [...refused].flatMap(([partition, { reason }]) => (RECREATED.has(reason) ? [partition] : [])),
  );
}
