import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  currentOffset,
  markOf,
  planMoves,
  rangesWithoutLeader,
  type PlanInput,
  type ResetTo,
} from '../../src/app/offsets/plan.ts';
import type { CommittedOffset } from '../../src/ports/broker.ts';
import type { Position } from '../../src/ports/store.ts';

const MARK = markOf('folder-1');

function committed(partition: number, offset: number | null, metadata = MARK): CommittedOffset {
  return { partition, offset, metadata: offset === null ? '' : metadata };
}

function stored(next: number, partition = 0): [number, Position] {
  return [partition, { topic: 't', partition, next, last: null, clusterId: 'c' }];
}

function input(change: Partial<PlanInput> = {}): PlanInput {
  return {
    topic: 't',
    group: 'g',
    mark: MARK,
    ranges: [{ partition: 0, start: 10, end: 30 }],
    stored: new Map([stored(20)]),
    committed: [committed(0, 20)],
    adopt: false,
    reset: null,
    offsetsAtTime: new Map([[0, 25]]),
    recreated: new Set(),
    ...change,
  };
}

const reset = (to: ResetTo, change: Partial<PlanInput> = {}) =>
  planMoves(input({ reset: { to, partitions: null }, ...change }))[0];

describe('a reset', () => {
  it.each<[ResetTo, number, number, number]>([
    // to, after, read again, skipped
    ['earliest', 10, 10, 0],
    ['latest', 30, 0, 10],
    ['current', 20, 0, 0],
    [{ offset: 12 }, 12, 8, 0],
    [{ timestampMs: 1 }, 25, 0, 5],
    [{ by: 3 }, 23, 0, 3],
    [{ by: -3 }, 17, 3, 0],
    [{ offsets: new Map([[0, 11]]) }, 11, 9, 0],
    [{ offsets: new Map([[0, 'earliest' as const]]) }, 10, 10, 0],
  ])('to %j', (to, after, readAgain, skipped) => {
    expect(reset(to)).toEqual({
      partition: 0,
      before: 20,
      after,
      cause: 'reset',
      readAgain,
      skipped,
      clampedFrom: null,
      deleted: 0,
      recreated: false,
    });
  });

  it.each<[ResetTo, number, number]>([
    [{ offset: 9 }, 10, 9],
    [{ offset: 31 }, 30, 31],
    [{ by: -11 }, 10, 9],
    [{ by: 11 }, 30, 31],
    [{ offsets: new Map([[0, 99]]) }, 30, 99],
  ])('to %j is brought into range', (to, after, clampedFrom) => {
    expect(reset(to)).toMatchObject({ after, clampedFrom });
  });

  it('counts from where another tool has put the group, and takes that over as current', () => {
    const moved = { committed: [committed(0, 15, '')] };
    expect(reset('current', moved)).toMatchObject({ before: 20, after: 15, readAgain: 5 });
    expect(reset({ by: 1 }, moved)).toMatchObject({ before: 20, after: 16 });
    const fresh = { stored: new Map<number, Position>(), committed: [committed(0, 15, 'any')] };
    expect(reset('current', fresh)).toMatchObject({ before: null, after: 15 });
    const nothing = { stored: new Map<number, Position>(), committed: [committed(0, null)] };
    expect(reset({ by: 2 }, nothing)).toMatchObject({ before: null, after: 12, skipped: 2 });
  });

  it('of some partitions leaves the others, but for what another tool moved there', () => {
    const ranges = [0, 1, 2].map((partition) => ({ partition, start: 0, end: 30 }));
    const all = {
      ranges,
      stored: new Map([stored(20), stored(20, 1), stored(20, 2)]),
      committed: [committed(0, 20), committed(1, 20), committed(2, 5, '')],
    };
    const moves = planMoves(input({ ...all, reset: { to: 'latest', partitions: [1] } }));
    expect(moves.map(({ partition, cause, after }) => [partition, cause, after])).toEqual([
      [1, 'reset', 30],
      [2, 'group_moved', 5],
    ]);
    const byFile = planMoves(
      input({ ...all, committed: [], reset: { to: { offsets: new Map([[2, 3]]) }, partitions: null } }),
    );
    expect(byFile.map(({ partition, after }) => [partition, after])).toEqual([[2, 3]]);
  });

  it('refuses a partition that is not there, and a group of another folder', () => {
    const of = (change: Partial<PlanInput>) => () => planMoves(input(change));
    expect(of({ reset: { to: 'earliest', partitions: [0, 7] } })).toThrow(
      expect.objectContaining({ code: 'invalid_value', message: 'topic t has no partition 7' }) as Error,
    );
    const foreign = { committed: [committed(0, 20, markOf('folder-2'))] };
    expect(of({ ...foreign, reset: { to: 'earliest', partitions: null } })).toThrow(
      expect.objectContaining({ code: 'group_marked' }) as Error,
    );
  });

  it('of all goes back to nothing where a topic that was created again has fewer partitions, unless it is a relative one', () => {
    const gone = { stored: new Map([stored(20), stored(8, 1)]) };
    const cleared = { partition: 1, before: 8, after: 0, cause: 'reset', skipped: 0 };
    expect(planMoves(input({ ...gone, reset: { to: 'earliest', partitions: null } }))[1]).toMatchObject(
      cleared,
    );
    for (const to of ['current', { by: 1 }, { offsets: new Map([[0, 12]]) }] as const) {
      expect(planMoves(input({ ...gone, reset: { to, partitions: null } }))).toHaveLength(1);
    }
  });

  it('never leaves the topic, and never both reads again and skips', () => {
    const range = fc.tuple(fc.nat(50), fc.nat(50)).map(([start, length]) => ({ start, end: start + length }));
    const place = fc.oneof(
      fc.constantFrom<ResetTo>('earliest', 'latest', 'current'),
      fc.integer({ min: 0, max: 200 }).map((offset): ResetTo => ({ offset })),
      fc.integer({ min: -200, max: 200 }).map((by): ResetTo => ({ by })),
    );
    const at = fc.option(fc.nat(150), { nil: null });
    fc.assert(
      fc.property(range, place, at, at, ({ start, end }, to, before, group) => {
        const move = reset(to, {
          ranges: [{ partition: 0, start, end }],
          stored: before === null ? new Map() : new Map([stored(before)]),
          committed: [committed(0, group, '')],
        });
        if (move === undefined) throw new Error('no move');
        expect(move.after).toBeGreaterThanOrEqual(start);
        expect(move.after).toBeLessThanOrEqual(end);
        expect(move.readAgain === 0 || move.skipped === 0).toBe(true);
        const from = Math.min(Math.max(before ?? start, start), end);
        expect(move.readAgain).toBe(Math.max(0, from - move.after));
      }),
    );
  });
});

describe('where reading goes on', () => {
  it.each<[string, number | null, CommittedOffset | undefined, number | null]>([
    ['at the stored position', 5, committed(0, 3), 5],
    ['where another tool has put the group', 5, committed(0, 3, ''), 3],
    ['at the stored position when the offsets have expired', 5, committed(0, null), 5],
    ['where the group stands when nothing is stored', null, committed(0, 3, ''), 3],
    ['nowhere in particular', null, undefined, null],
  ])('%s', (_, position, group, expected) => {
    expect(currentOffset(position, group, MARK)).toBe(expected);
  });
});

describe('a partition without a leader', () => {
  const without = (change: Partial<PlanInput>) => {
    const all = input({ ranges: [], ...change });
    return { ...all, ranges: rangesWithoutLeader(all) };
  };

  it('skips all that lies before the offset that the group gives where nothing is stored', () => {
    const from = { stored: new Map<number, Position>(), committed: [committed(0, 100, 'moved by hand')] };
    expect(planMoves(without(from))).toMatchObject([
      { before: null, after: 100, readAgain: 0, skipped: 100 },
    ]);
  });

  it('skips what another tool passed over', () => {
    const from = { committed: [committed(0, 26, '')] };
    expect(planMoves(without(from))).toMatchObject([{ before: 20, after: 26, readAgain: 0, skipped: 6 }]);
  });
});
