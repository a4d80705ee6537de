import type { DeadLetter, DeadLetterState } from './dead-letters.ts';

export interface DeadLetterFilter {
  /** Error code. */
  readonly reason: string | null;
  /** Inclusive; the time of failure, milliseconds since the epoch. */
  readonly sinceMs: number | null;
  /** Exclusive. */
  readonly untilMs: number | null;
  readonly originalTopic: string | null;
  /** That which read the record. */
  readonly originalGroup: string | null;
  readonly state: DeadLetterState | null;
}

/** Stands for a missing error code or group in counts and filters. */
export const UNKNOWN = 'unknown';

export function matchesDeadLetter(deadLetter: DeadLetter, filter: DeadLetterFilter): boolean {
  const { origin, failedAt, state } = deadLetter;
  if (filter.reason !== null && (origin.errorCode ?? UNKNOWN) !== filter.reason) return false;
  if (filter.originalTopic !== null && origin.topic !== filter.originalTopic) return false;
  if (filter.originalGroup !== null && (origin.group ?? UNKNOWN) !== filter.originalGroup) return false;
  if (filter.state !== null && state !== filter.state) return false;
  if (filter.sinceMs !== null && (failedAt === null || failedAt < filter.sinceMs)) return false;
  return filter.untilMs === null || (failedAt !== null && failedAt < filter.untilMs);
}
