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
  /** What the processors of this shop read: by it, one that a single group handles goes to that group. */
  readonly readings: readonly ProcessorTopics[];
  /** These, or all that are open and match. */
  readonly select: { readonly ids: readonly DeadLetterId[] } | { readonly filter: DeadLetterFilter };
  /** Send at most so many; null: no limit. */
  readonly max: number | null;
  /** Instead of the topic that each came from. */
  readonly toTopic: string | null;
  /** Sent in place of the value of the one dead letter that is selected; null: values are unchanged. */
  readonly value: Uint8Array | null;
  /** A dead letter that was sent again so often is left alone. */
  readonly maxRedrives: number;
  readonly execute: boolean;
  /** How the marks are logged. */
  readonly via: EditVia;
  readonly signal: AbortSignal;
  /** Called again when it has resolved: the listener sets the pace. */
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
  /** In a dry run: what consuming it would make of it now; null: not known. */
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
  /** Whether these went is not known: they stay open. */
  | { readonly kind: 'unknown'; readonly ids: readonly string[]; readonly topic: string }
  | { readonly kind: 'summary'; readonly summary: RedriveSummary };

export interface RedriveSummary {
  readonly scope: DeadLetterScope;
  readonly replayId: string;
  readonly dryRun: boolean;
  /** Dead letters that were asked for and looked at. */
  readonly selected: number;
  /** How many of these were sent, or would be. */
  readonly sent: number;
  readonly byTopic: ReadonlyMap<string, number>;
  readonly skipped: ReadonlyMap<SkipReason, number>;
  /** Not sent. */
  readonly failed: number;
  /** Given to the brokers, which did not answer. */
  readonly unknown: number;
  /** In a dry run: how many of those that would be sent are known to fail again. */
  readonly failsAgain: number;
  /** Why that is not known for all of them. */
  readonly unread: Failure | null;
  readonly interrupted: boolean;
  readonly seconds: number;
}
