import type { LoggedEdit } from '../../domain/edit.ts';
import type { Source, StoreReader } from '../../ports/store.ts';

/** Records that were skipped by a move of the position, and were not read before or since. */
export interface Skip extends Source {
  /** Inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly cause: PositionEdit['cause'];
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whether the skip was in an earlier topic of that name, which was deleted since. */
  readonly isGone: boolean;
}

type PositionEdit = Extract<LoggedEdit, { kind: 'position' }>;

interface Interval {
  readonly from: number;
  readonly to: number;
}

/** The history of one partition, from move to move. */
interface Course extends Source {
  /** The target of the last move, from which reading continued. */
  from: number;
  /** In ascending order, with gaps in between. */
  read: Interval[];
  moves: Skip[];
  /** Skips in earlier topics of that name, and the greatest offset that was reached in them. */
  readonly gone: Skip[];
  reached: number;
}

/** Everything that was skipped and never read, in the order in which it was skipped. */
export async function readSkips(reader: Pick<StoreReader, 'edits' | 'positions'>): Promise<Skip[]> {
  return (await readCourses(reader)).skips();
}

/** The history of every partition until now. */
export async function readCourses(reader: Pick<StoreReader, 'edits' | 'positions'>): Promise<Courses> {
  const courses = new Courses();
  for await (const edits of reader.edits()) for (const edit of edits) courses.take(edit);
  for (const position of await reader.positions()) courses.readTo(position, position.next);
  return courses;
}

/** Follows the moves of positions through the log of edits. */
export class Courses {
  readonly #byPartition = new Map<string, Course>();

  take(edit: LoggedEdit): void {
    if (edit.kind !== 'position') return;
    const { processor, topic, partition, after, cause, at, recreated } = edit;
    const course = this.readTo(edit, edit.before ?? 0);
    if (recreated === true) startAgain(course);
    const before = course.from;
    const of = { processor, topic, partition };
    if (after > before) course.moves.push({ ...of, from: before, to: after, cause, at, isGone: false });
    course.from = after;
  }

  /** Records are read up to this offset. */
  readTo(of: Source, next: number): Course {
    const key = keyOf(of);
    let course = this.#byPartition.get(key);
    if (course === undefined) {
      const { processor, topic, partition } = of;
      course = { processor, topic, partition, from: 0, read: [], moves: [], gone: [], reached: 0 };
      this.#byPartition.set(key, course);
    }
    if (next > course.from) course.read = add(course.read, { from: course.from, to: next });
    course.from = next;
    return course;
  }

  skips(): Skip[] {
    const skips = [...this.#byPartition.values()].flatMap((course) => [...course.gone, ...skipsOf(course)]);
    return skips.sort((a, b) => a.at - b.at || a.partition - b.partition || a.from - b.from);
  }

  /** How many offsets from `from` to before `to` were never read. */
  unread(of: Source, { from, to }: Interval): number {
    const read = this.#byPartition.get(keyOf(of))?.read ?? [];
    return subtract({ from, to }, read).reduce((sum, left) => sum + left.to - left.from, 0);
  }

  /** The greatest offset that reading has ever reached; undefined for a partition without a position. */
  furthest(of: Source): number | undefined {
    const course = this.#byPartition.get(keyOf(of));
    return course === undefined ? undefined : reachedIn(course);
  }
}

function keyOf({ processor, topic, partition }: Source): string {
  return `${processor} ${topic}/${partition}`;
}

/** Starts a new history: nothing was read or skipped in the recreated topic. */
function startAgain(course: Course): void {
  course.reached = reachedIn(course);
  course.gone.push(...skipsOf(course).map((skip) => ({ ...skip, isGone: true })));
  course.read = [];
  course.moves = [];
  course.from = 0;
}

function reachedIn({ from, read, reached }: Course): number {
  return Math.max(from, read.at(-1)?.to ?? 0, reached);
}

function skipsOf({ read, moves }: Course): Skip[] {
  // Records that two moves skipped are reported with the first one.
  let known = read;
  return moves.flatMap((move) => {
    const left = subtract(move, known);
    known = add(known, move);
    return left.map((interval) => ({ ...move, ...interval }));
  });
}

/** The move that skipped a record of the present topic; undefined when none did. */
export function skipOf(
  skips: readonly Skip[],
  { processor, topic, partition, offset }: RecordPlace,
): Skip | undefined {
  return skips.find(
    (skip) =>
      !skip.isGone &&
      skip.processor === processor &&
      skip.topic === topic &&
      skip.partition === partition &&
      skip.from <= offset &&
      offset < skip.to,
  );
}

export function isSkipped(skips: readonly Skip[], place: RecordPlace): boolean {
  return skipOf(skips, place) !== undefined;
}

interface RecordPlace extends Source {
  readonly offset: number;
}

function add(intervals: readonly Interval[], { from, to }: Interval): Interval[] {
  const apart = intervals.filter((other) => other.to < from || other.from > to);
  const touching = intervals.filter((other) => other.to >= from && other.from <= to);
  const joined = {
    from: Math.min(from, ...touching.map((other) => other.from)),
    to: Math.max(to, ...touching.map((other) => other.to)),
  };
  return [...apart, joined].sort((a, b) => a.from - b.from);
}

function subtract({ from, to }: Interval, intervals: readonly Interval[]): Interval[] {
  const left: Interval[] = [];
  let at = from;
  for (const other of intervals) {
    if (other.to <= at || other.from >= to) continue;
    if (other.from > at) left.push({ from: at, to: other.from });
    at = Math.max(at, other.to);
  }
  if (at < to) left.push({ from: at, to });
  return left;
}
