import type { Reason } from '../../domain/orders/reasons.ts';
import type { ConsumeSummary, RecordResult } from './events.ts';

export type Counts = Pick<
  ConsumeSummary,
  | 'read'
  | 'accepted'
  | 'rejected'
  | 'duplicates'
  | 'conflicts'
  | 'deadLettered'
  | 'rejectedByReason'
  | 'ignoredPrices'
  | 'commits'
>;

/** What became of the orders of a run, in numbers. */
export class Tally {
  readonly #counts = {
    read: 0,
    accepted: 0,
    rejected: 0,
    duplicates: 0,
    conflicts: 0,
    deadLettered: 0,
    ignoredPrices: 0,
    commits: 0,
  };
  readonly #rejectedByReason: Partial<Record<Reason, number>> = {};

  counts(): Counts {
    return { ...this.#counts, rejectedByReason: this.#rejectedByReason };
  }

  /** What became of the records of one commit. */
  add(results: readonly RecordResult[]): void {
    const counts = this.#counts;
    counts.commits += 1;
    counts.read += results.length;
    for (const result of results) {
      if (result.kind === 'dead_letter') counts.deadLettered += 1;
      else if (result.kind === 'duplicate') counts[result.sameContent ? 'duplicates' : 'conflicts'] += 1;
      else if (result.decided.outcome.kind === 'accepted') counts.accepted += 1;
      else {
        const { reason } = result.decided.outcome;
        counts.rejected += 1;
        this.#rejectedByReason[reason] = (this.#rejectedByReason[reason] ?? 0) + 1;
      }
    }
  }

  addIgnoredPrices(lines: number): void {
    this.#counts.ignoredPrices += lines;
  }
}
