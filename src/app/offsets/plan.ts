import type { Edit } from '../../domain/edit.ts';
import { Failure } from '../../domain/failure.ts';
import type { CommittedOffset, PartitionRange } from '../../ports/broker.ts';
import type { Position } from '../../ports/store.ts';

/** The target of a reset. */
export type ResetTo =
  | 'earliest'
  | 'latest'
  /** Where reading would continue now: adopts what another tool has set for the group. */
  | 'current'
  | { readonly offset: number }
  | { readonly timestampMs: number }
  /** This many records forward from `current`, or back. */
  | { readonly by: number }
  /** By partition; partitions that are not in it stay as they are. */
  | { readonly offsets: ReadonlyMap<number, number | 'earliest'> };

export interface ResetRequest {
  readonly to: ResetTo;
  /** null: all partitions. */
  readonly partitions: readonly number[] | null;
}

/** A change of a stored position without reading records. */
export interface PositionMove {
  readonly partition: number;
  readonly before: number | null;
  readonly after: number;
  readonly cause: Extract<Edit, { kind: 'position' }>['cause'];
  /** Records that will be read again; this has no effect, since their ids are decided. */
  readonly readAgain: number;
  /** Records that will not be read and, as far as is known, were not read before. */
  readonly skipped: number;
  /** Records that were deleted from the topic before they were read: they are lost in any case. */
  readonly deleted: number;
  /** The requested offset, if it is outside the topic. */
  readonly clampedFrom: number | null;
  /** `before` belongs to another cluster or to a deleted topic: nothing was read from the present topic. */
  readonly recreated: boolean;
}

export interface PlanInput {
  readonly topic: string;
  readonly group: string;
  readonly mark: string;
  readonly ranges: readonly PartitionRange[];
  readonly stored: ReadonlyMap<number, Position>;
  readonly committed: readonly CommittedOffset[];
  readonly adopt: boolean;
  readonly reset: ResetRequest | null;
  /** Offsets by partition for a reset to a time. */
  readonly offsetsAtTime: ReadonlyMap<number, number>;
  /** Partitions whose stored position does not belong to the present topic. */
  readonly recreated: ReadonlySet<number>;
}

const MARK_PREFIX = 'orderctl:';

/** The metadata of commits by this store, by which it recognizes its own. */
export function markOf(storeId: string): string {
  return `${MARK_PREFIX}${storeId}`;
}

/**
 * Plans which stored positions change before reading starts. The stored position counts; a committed offset without the
 * mark of this store means that another tool has moved the group, and is honored.
 *
 * @throws Failure group_marked (another folder's group), invalid_value (no such partition)
 */
export function planMoves(input: PlanInput): PositionMove[] {
  checkPartitions(input);
  const committedBy = new Map(input.committed.map((entry) => [entry.partition, entry]));
  const moves: PositionMove[] = [];
  for (const range of input.ranges) {
    const before = input.stored.get(range.partition)?.next ?? null;
    const committed = committedBy.get(range.partition);
    const foreign = isForeignMark(committed, input.mark);
    if (foreign && !input.adopt) throw foreignGroup(input, range.partition);
    const current = currentOffset(before, committed, input.mark);
    const recreated = input.recreated.has(range.partition);
    const wanted = isToBeReset(range.partition, input.reset)
      ? resolveReset(input.reset.to, range, current, input.offsetsAtTime)
      : undefined;
    if (wanted !== undefined) {
      const after = Math.min(Math.max(wanted, range.start), range.end);
      moves.push(
        moveOf({ range, before, after, cause: 'reset', recreated }, after === wanted ? null : wanted),
      );
    } else if (current !== before && current !== null) {
      moves.push(
        moveOf({ range, before, after: current, cause: foreign ? 'adopt' : 'group_moved', recreated }),
      );
    }
  }
  moves.push(...movesOfGone(input));
  return moves;
}

function isToBeReset(partition: number, reset: ResetRequest | null): reset is ResetRequest {
  return reset !== null && (reset.partitions?.includes(partition) ?? true);
}

/**
 * The offset from which reading would continue: the stored position, unless another tool moved the group.
 *
 * @param stored the stored position; null when there is none
 * @param mark the mark of this store
 * @returns null when there is neither: reading starts at the earliest offset
 */
export function currentOffset(
  stored: number | null,
  committed: CommittedOffset | undefined,
  mark: string,
): number | null {
  if (committed === undefined || committed.offset === null || committed.metadata === mark) return stored;
  return committed.offset;
}

/** A partition in which the group is ahead of the store. */
export interface GroupAhead {
  readonly partition: number;
  readonly committed: number;
  readonly stored: number;
}

/**
 * The partitions in which the group is ahead of the store through commits by this store. Commits follow the stored
 * position, so the store was restored from a backup, or is a copy of a store that has read on.
 */
export function groupAhead(
  input: Pick<PlanInput, 'ranges' | 'stored' | 'committed' | 'mark'>,
): readonly GroupAhead[] {
  const committedBy = new Map(input.committed.map((entry) => [entry.partition, entry]));
  return input.ranges.flatMap(({ partition, start }) => {
    const entry = committedBy.get(partition);
    const stored = input.stored.get(partition)?.next ?? start;
    if (entry?.metadata !== input.mark || entry.offset === null || entry.offset <= stored) return [];
    return [{ partition, committed: entry.offset, stored }];
  });
}

/**
 * Assumed ranges for partitions without a leader: only what the folder and its group have seen of them. Without a
 * stored position they start at 0, and a move skips as much as `audit` lists for it. Reading detects a move that leads
 * outside the topic.
 */
export function rangesWithoutLeader(
  input: Pick<PlanInput, 'ranges' | 'stored' | 'committed'>,
): readonly PartitionRange[] {
  const led = new Set(input.ranges.map(({ partition }) => partition));
  return input.committed.flatMap(({ partition, offset }) => {
    if (led.has(partition)) return [];
    const start = input.stored.get(partition)?.next ?? 0;
    return [{ partition, start, end: Math.max(start, offset ?? 0) }];
  });
}

/** A recreated topic may have fewer partitions: resetting all partitions removes the positions of the missing ones. */
function movesOfGone({ ranges, stored, reset }: PlanInput): PositionMove[] {
  if (reset?.partitions !== null || isRelative(reset.to)) return [];
  const known = new Set(ranges.map((range) => range.partition));
  return [...stored.values()].flatMap(({ partition, next }) =>
    known.has(partition) || next === 0
      ? []
      : [
          moveOf({
            range: { partition, start: 0, end: 0 },
            before: next,
            after: 0,
            cause: 'reset',
            recreated: true,
          }),
        ],
  );
}

/** Whether the target is relative to the position of each partition. */
function isRelative(to: ResetTo): boolean {
  return to === 'current' || (typeof to === 'object' && ('by' in to || 'offsets' in to));
}

function checkPartitions(input: PlanInput): void {
  const known = new Set(input.ranges.map((range) => range.partition));
  for (const partition of input.reset?.partitions ?? []) {
    if (known.has(partition)) continue;
    throw new Failure('invalid_value', `topic ${input.topic} has no partition ${partition}`, {
      fix: `its partitions are 0 to ${input.ranges.length - 1}`,
      context: { topic: input.topic, partition },
    });
  }
}

/** Checks a group on one topic. @throws Failure group_marked: another folder has committed to it */
export function refuseForeignMark(input: Pick<PlanInput, 'topic' | 'group' | 'mark' | 'committed'>): void {
  const foreign = input.committed.find((entry) => isForeignMark(entry, input.mark));
  if (foreign !== undefined) throw foreignGroup(input, foreign.partition);
}

function isForeignMark(committed: CommittedOffset | undefined, mark: string): boolean {
  if (committed === undefined || committed.offset === null) return false;
  return committed.metadata.startsWith(MARK_PREFIX) && committed.metadata !== mark;
}

function foreignGroup(input: Pick<PlanInput, 'topic' | 'group'>, partition: number): Failure {
  return new Failure(
    'group_marked',
    `consumer group ${input.group} belongs to another storage folder: its committed offset on ${input.topic}/${partition} has that folder's mark`,
    {
      fix: { kind: 'own_group_or_adopt' },
      context: { topic: input.topic, partition },
    },
  );
}

/** @returns undefined when the reset does not apply to the partition */
function resolveReset(
  to: ResetTo,
  range: PartitionRange,
  current: number | null,
  atTime: ReadonlyMap<number, number>,
): number | undefined {
  if (to === 'earliest') return range.start;
  if (to === 'latest') return range.end;
  if (to === 'current') return current ?? range.start;
  if ('offset' in to) return to.offset;
  if ('by' in to) return (current ?? range.start) + to.by;
  if ('offsets' in to) {
    const wanted = to.offsets.get(range.partition);
    return wanted === 'earliest' ? range.start : wanted;
  }
  return atTime.get(range.partition) ?? range.end;
}

function moveOf(
  move: Pick<PositionMove, 'before' | 'after' | 'cause' | 'recreated'> & { readonly range: PartitionRange },
  clampedFrom: number | null = null,
): PositionMove {
  const { range, before, after, cause, recreated } = move;
  const { partition, start, end } = range;
  const from = Math.max(recreated ? start : (before ?? start), start);
  return {
    partition,
    before,
    after,
    cause,
    readAgain: Math.max(0, Math.min(from, end) - after),
    skipped: Math.max(0, after - from),
    deleted: recreated || before === null ? 0 : Math.max(0, start - before),
    clampedFrom,
    recreated,
  };
}

/**
 * Whether it changes what will be read: with the same offset, it still skips the records before it in a recreated
 * topic.
 */
export function isMove({ before, after, recreated }: PositionMove): boolean {
  return before !== after || recreated;
}
