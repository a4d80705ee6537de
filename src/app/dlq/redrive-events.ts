import type { Advice } from '../../domain/advice.ts';
import type { EditVia } from '../../domain/edit.ts';
import type { Failure } from '../../domain/failure.ts';
import type { DeadLetterId } from '../../domain/topics/dead-letter-id.ts';
import type { SentRecord } from '../../ports/broker.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { ProcessorTopics } from '../offsets/group-positions.ts';
import type { DeadLetterScope } from './dead-letters.ts';
import type { DeadLetterFilter } from './filter.ts';
import type { ReadAgain } from './read-again.ts';

export interface RedriveOptions {
  readonly scope: DeadLetterScope;
  /** The topics that the processors of this shop read, to determine whether a dead letter is for a single group. */
  readonly readings: readonly ProcessorTopics[];
  /** The dead letters with these ids, or all open ones that match. */
  readonly select: { readonly ids: readonly DeadLetterId[] } | { readonly filter: DeadLetterFilter };
  /** The maximum number to send; null: no limit. */
  readonly max: number | null;
  /** Send to this topic instead of the original ones. */
  readonly toTopic: string | null;
  /** The corrected value of the one dead letter that is selected; null: values are unchanged. */
  readonly value: Uint8Array | null;
  /** Dead letters that were sent again this often are skipped. */
  readonly maxRedrives: number;
  readonly execute: boolean;
  /** The origin of the marks in the log of edits. */
  readonly via: EditVia;
  readonly signal: AbortSignal;
  /** Called again only when its promise has resolved: the listener sets the pace. */
  readonly on: (event: RedriveEvent) => Promise<void>;
  readonly onNotice: (notice: StoreNotice) => void;
}

export type SkipReason =
  | 'redriven'
  | 'discarded'
  | 'no_original_topic'
  | 'topic_missing'
  | 'topic_unread'
  | 'quarantined'
  | 'too_large'
  | 'refused';

export interface RedriveStep {
  readonly id: string;
  readonly errorCode: string | null;
  readonly topic: string;
  /** null in a dry run. */
  readonly place: SentRecord | null;
  /** In a dry run: the result if it were consumed now; null: unknown. */
  readonly now: ReadAgain | null;
}

export type RedriveEvent =
  | { readonly kind: 'would_send' | 'sent'; readonly steps: readonly RedriveStep[] }
  | {
      readonly kind: 'skipped';
      readonly id: string;
      readonly reason: SkipReason;
      readonly message: string;
      readonly fix: Advice | null;
    }
  /** It is unknown whether these were sent: they stay open. */
  | { readonly kind: 'unknown'; readonly ids: readonly string[]; readonly topic: string }
  | { readonly kind: 'summary'; readonly summary: RedriveSummary };

export interface RedriveSummary {
  readonly scope: DeadLetterScope;
  readonly replayId: string;
  readonly dryRun: boolean;
  /** The number of dead letters that were selected and checked. */
  readonly selected: number;
  /** The number of selected ones that were sent, or would be. */
  readonly sent: number;
  readonly byTopic: ReadonlyMap<string, number>;
  readonly skipped: ReadonlyMap<SkipReason, number>;
  /** The number of dead letters that were not sent. */
  readonly failed: number;
  /** The number that was handed to the brokers, which did not answer. */
  readonly unknown: number;
  /** In a dry run: the number that would be sent but is known to fail again. */
  readonly failsAgain: number;
  /** Why `failsAgain` does not include all of them. */
  readonly unread: Failure | null;
  readonly interrupted: boolean;
  readonly seconds: number;
}
