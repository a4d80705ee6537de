import type { Decision } from '../../../domain/orders/decided.ts';
import type { Reason } from '../../../domain/orders/reasons.ts';
import type { Outcome } from '../../../processors/processor.ts';
import type { ConsumeSummary, DeadLettered, RecordResult, Tally, Totals } from '../events.ts';

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

/** Counts the results of processing orders. */
export class OrderTally implements Tally<Decision> {
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

  totals(): Totals {
    const { read, deadLettered, commits, accepted, rejected, duplicates, conflicts } = this.#counts;
    return { read, deadLettered, commits, outcomes: { accepted, rejected, duplicates, conflicts } };
  }

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

/** Counts the results of any processor, by kind. */
export class KindTally implements Tally<Outcome> {
  readonly #outcomes: Record<string, number> = {};
  #read = 0;
  #deadLettered = 0;
  #commits = 0;

  add(results: readonly (Outcome | DeadLettered)[]): void {
    this.#commits += 1;
    this.#read += results.length;
    for (const { kind } of results) {
      if (kind === 'dead_letter') this.#deadLettered += 1;
      else this.#outcomes[kind] = (this.#outcomes[kind] ?? 0) + 1;
    }
  }

  totals(): Totals {
    const outcomes = { ...this.#outcomes };
    return { read: this.#read, deadLettered: this.#deadLettered, commits: this.#commits, outcomes };
  }
}
