import type { Decision } from '../../domain/orders/decided.ts';
import type { Order, RecordId } from '../../domain/orders/order.ts';
import type { IgnoredPrices } from '../../domain/orders/parse-order.ts';
import type { Reason } from '../../domain/orders/reasons.ts';
import type { DeadLetterCode, Decoded } from '../../ports/codec.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { ConsumerStatus } from '../../ports/owner.ts';
import type { Store } from '../../ports/store.ts';
import type { CopySuspected, GhostRemoved } from '../offsets/clear-group.ts';
import type { GroupAhead, PositionMove, ResetRequest } from '../offsets/plan.ts';
import type { TopicCreated } from '../topics/ensure.ts';

/** What a run of a processor is asked to do. */
export interface RunProcessorOptions<M, R> {
  /** As in OwnOptions. */
  readonly purpose: string;
  readonly topic: string;
  readonly dlqTopic: string;
  readonly group: string;
  /** Stop once past the end offsets seen at start. */
  readonly untilEnd: boolean;
  /** Stop after so many records. */
  readonly maxMessages: number | null;
  readonly reset: ResetRequest | null;
  /** Take over a group that another store has committed to. */
  readonly adopt: boolean;
  /** The store is a copy: give it an id of its own first. */
  readonly newId?: boolean;
  /** Create missing topics. */
  readonly create: boolean;
  readonly signal: AbortSignal;
  /** Called once the store is owned, before the group is joined; a failure ends the run. */
  readonly onOwned?: (store: Store) => Promise<void>;
  /** For the status that other processes ask for. */
  readonly counts: () => ConsumerStatus['counts'];
  readonly on: (event: RunEvent<M, R>) => void;
}

/** A record that cannot be read. */
export interface DeadLettered {
  readonly kind: 'dead_letter';
  readonly record: RecordId;
  readonly code: DeadLetterCode;
  readonly message: string;
}

/** The store has read `others` so far, and nothing of this one: its name may be a mistake. */
export interface TopicIsNew {
  readonly kind: 'topic_is_new';
  readonly topic: string;
  readonly others: readonly string[];
}

/** What came of preparing a run. */
export type PrepareEvent =
  | TopicCreated
  | TopicIsNew
  | GhostRemoved
  | CopySuspected
  /** The store is older than its group: those records are read again, and decided where their decisions were lost. */
  | {
      readonly kind: 'group_ahead';
      readonly topic: string;
      readonly group: string;
      readonly ahead: readonly GroupAhead[];
    }
  | { readonly kind: 'moved'; readonly topic: string; readonly move: PositionMove };

export type WaitEvent =
  | {
      readonly kind: 'waiting';
      readonly for: 'broker' | 'registry';
      readonly forMs: number;
      readonly message: string;
    }
  | { readonly kind: 'resumed'; readonly for: 'broker' | 'registry' };

/** A batch was committed. */
export interface BatchEvent<M, R> {
  readonly kind: 'batch';
  readonly partition: number;
  /** What the records say, in their order. */
  readonly decoded: readonly Decoded<M>[];
  /** What became of them, in the same order. */
  readonly results: readonly (R | DeadLettered)[];
  readonly next: number;
}

/** What a run reports. */
export type RunEvent<M, R> =
  | PrepareEvent
  | WaitEvent
  | BatchEvent<M, R>
  | { readonly kind: 'notice'; readonly notice: StoreNotice }
  /** Reading begins; `remaining` records lie before the end seen at start. */
  | { readonly kind: 'started'; readonly topic: string; readonly group: string; readonly remaining: number }
  | { readonly kind: 'undelivered'; readonly id: string; readonly topic: string }
  /** It stops before these were sent: the next run sends them. */
  | { readonly kind: 'unsent'; readonly deadLetters: number }
  /** As ConsumerEvent: for the status alone. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'answered' }
  | { readonly kind: 'commit_failed'; readonly message: string }
  /** Another process asks it to stop: the caller is to abort its signal. */
  | { readonly kind: 'stop_asked' }
  /** The last one, before a failure too. */
  | { readonly kind: 'ended'; readonly run: RunSummary };

export interface RunSummary {
  /** Records passed over by moves of the position. */
  readonly skipped: number;
  readonly stoppedBy: 'end' | 'signal' | 'max_messages' | 'error';
  readonly seconds: number;
  readonly partitions: readonly PartitionProgress[];
}

export interface PartitionProgress {
  readonly partition: number;
  /** Where reading began. */
  readonly first: number;
  readonly next: number;
  readonly end: number;
  readonly lag: number;
}

/* Consuming orders, which is running the processor `orders`. */

export interface ConsumeOptions extends Omit<
  RunProcessorOptions<Order, Decision>,
  'on' | 'onOwned' | 'counts' | 'purpose'
> {
  /** Go on without users or items, of which every order is rejected. */
  readonly allowEmpty?: boolean;
  readonly on: (event: ConsumeOrdersEvent) => void;
}

/** What became of one record. */
export type RecordResult = Decision | DeadLettered;

export type ConsumeOrdersEvent =
  | Exclude<RunEvent<Order, Decision>, { kind: 'ended' }>
  /** There are no users or no items: every order will be rejected, for good. */
  | { readonly kind: 'empty_table'; readonly table: 'users' | 'items'; readonly store: string }
  /** Prices of an order that are no amounts: those lines have no price. */
  | {
      readonly kind: 'prices_ignored';
      readonly record: RecordId;
      readonly orderId: string;
      readonly ignored: IgnoredPrices;
    }
  | { readonly kind: 'summary'; readonly summary: ConsumeSummary };

export interface ConsumeSummary extends RunSummary {
  readonly read: number;
  readonly accepted: number;
  readonly rejected: number;
  readonly duplicates: number;
  readonly conflicts: number;
  readonly deadLettered: number;
  readonly rejectedByReason: Readonly<Partial<Record<Reason, number>>>;
  /** Lines whose price is no amount, and which therefore have none. */
  readonly ignoredPrices: number;
  readonly commits: number;
}
