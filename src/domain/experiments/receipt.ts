import type { ExperimentKind } from './kinds.ts';

/** Something that was counted, and what it had to be. */
export interface ExperimentCheck {
  readonly what: string;
  readonly expected: number;
  /** null: it could not be counted. */
  readonly seen: number | null;
}

/** What an experiment leaves: what was done, what was expected, and what was seen. */
export interface Receipt {
  readonly id: string;
  readonly kind: ExperimentKind;
  readonly seed: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** In words, with the processes: `kill -9 4711`. */
  readonly did: readonly string[];
  /** Until what was ended worked again, the longest; null: nothing was ended. */
  readonly backMs: number | null;
  /** Orders that were placed and not decided when it happened; null: it did not happen among orders. */
  readonly inFlight: number | null;
  /** Records that were recognised as seen since; null: not counted. */
  readonly duplicates: number | null;
  readonly checks: readonly ExperimentCheck[];
  /** Differences that an audit found; null: it could not look. */
  readonly differences: number | null;
  /** Why it could not be carried out; null: it was. */
  readonly problem: string | null;
}

/** Whether all that was expected was seen. */
export function isAsExpected({ checks, differences, problem }: Receipt): boolean {
  return problem === null && differences === 0 && checks.every(({ expected, seen }) => seen === expected);
}
