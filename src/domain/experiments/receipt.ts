import type { ExperimentKind } from './kinds.ts';

/** A count, with the value it should have. */
export interface ExperimentCheck {
  readonly what: string;
  readonly expected: number;
  /** null: could not be counted. */
  readonly seen: number | null;
}

/** The report of an experiment: what was done, what was expected and what was observed. */
export interface Receipt {
  readonly id: string;
  readonly kind: ExperimentKind;
  readonly seed: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The actions taken, with process ids: `kill -9 4711`. */
  readonly did: readonly string[];
  /** The longest time until a stopped process worked again; null: none was stopped. */
  readonly backMs: number | null;
  /** Orders placed but not yet processed at the time of the fault; null: no orders were being placed. */
  readonly inFlight: number | null;
  /** Records recognised as duplicates since then; null: not counted. */
  readonly duplicates: number | null;
  readonly checks: readonly ExperimentCheck[];
  /** Differences found by an audit; null: it could not run. */
  readonly differences: number | null;
  /** Why the experiment could not be carried out; null: it was. */
  readonly problem: string | null;
}

/** Whether every expectation was met. */
export function isAsExpected({ checks, differences, problem }: Receipt): boolean {
  return problem === null && differences === 0 && checks.every(({ expected, seen }) => seen === expected);
}
