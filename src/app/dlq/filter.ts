import type { DeadLetter, DeadLetterState } from './dead-letters.ts';

export interface DeadLetterFilter {
  /** Error code. */
  readonly reason: string | null;
  /** The earliest time of failure, inclusive, in milliseconds since the epoch. */
  readonly sinceMs: number | null;
  /** The end of the time range, exclusive. */
  readonly untilMs: number | null;
  readonly originalTopic: string | null;
  /** The group that read the original record. */
  readonly originalGroup: string | null;
  readonly state: DeadLetterState | null;
}

/** The name for a missing error code or group in counts and filters. */
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
