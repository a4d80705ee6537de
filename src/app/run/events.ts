import type { EffectKind } from '../../domain/effects.ts';
import type { Failure } from '../../domain/failure.ts';
import type { Decision } from '../../domain/orders/decided.ts';
import type { DeclaredMessage, ProcessorName } from '../../domain/messages/message.ts';
import type { SetAsideFor } from '../../domain/messages/outgoing.ts';
import type { TopicNames } from '../../domain/messages/topic-names.ts';
import type { Order, RecordId } from '../../domain/orders/order.ts';
import type { IgnoredPrices } from '../../domain/orders/parse-order.ts';
import type { Reason } from '../../domain/orders/reasons.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Broker, ConsumerEvent } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec, DeadLetterCode, Decoded } from '../../ports/codec.ts';
import type { EffectPerformers } from '../../ports/effects.ts';
import type { Meter } from '../../ports/outside/meter.ts';
import type { Tracer } from '../../ports/outside/tracer.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { Awaited, ConsumerStatus, OwnOptions } from '../../ports/owner.ts';
import type { Destination, Store } from '../../ports/store.ts';
import type { ShopOptions } from '../../processors/options.ts';
import type { Handled } from '../../processors/draft.ts';
import type { Outcome, Processor, Refused } from '../../processors/processor.ts';
import type { CopySuspected, GhostRemoved } from '../offsets/clear-group.ts';
import type { GroupAhead, PositionMove, ResetRequest } from '../offsets/plan.ts';
import type { TopicCreated } from '../topics/ensure.ts';

/** A processor with its consumer group. `M` is a message that it reads, `R` the result of processing one. */
export interface Service<M = unknown, R extends Outcome = Outcome> {
  readonly processor: Processor<M, R>;
  readonly group: string;
  readonly tally: Tally<R>;
  /** Called after each commit. */
  onBatch?(event: BatchEvent<M, R>): void;
}

/** Counts of the results of the records that a processor has read. */
export interface Tally<R> {
  /** Adds the results of one commit. */
  add(results: readonly (R | DeadLettered)[]): void;
  totals(): Totals;
}

export interface Totals {
  readonly read: number;
  readonly deadLettered: number;
  readonly commits: number;
  /** Counts by result, such as `accepted`. */
  readonly outcomes: Readonly<Record<string, number>>;
}

/** Returns the codec for a message of the catalogue; each codec is created once. */
export type CodecOf = (message: DeclaredMessage) => Promise<Codec<unknown>>;

export interface RunPorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly codecOf: CodecOf;
  readonly clock: Clock;
  /** Absent: nothing is measured. */
  readonly meter?: Meter | undefined;
  /** Absent: no spans for processing or for effects. `broker` records the spans for sending. */
  readonly tracer?: Tracer | undefined;
  /** Creates what performs effects; absent: no effects are performed. */
  readonly performers?: (store: Store) => EffectPerformers;
}

/** The options of a run of processors. */
export interface RunOptions {
  /** As in OwnOptions. */
  readonly purpose: string;
  /** The names of the topics that are read and written. */
  readonly names: TopicNames;
  /** The group of the processor `orders`; the other processors append their names to it. */
  readonly group: string;
  /** Stop after the end offsets at the start, and after the messages that processors of this run send each other. */
  readonly untilEnd: boolean;
  /** Stop after this many records. */
  readonly maxMessages: number | null;
  readonly reset: ResetRequest | null;
  /** Take over groups that another store has committed to. */
  readonly adopt: boolean;
  /** The store is a copy: give it a new id first. */
  readonly newId?: boolean;
  /** Create missing topics. */
  readonly create: boolean;
  readonly signal: AbortSignal;
  /** As in OwnOptions. */
  readonly onEdits?: OwnOptions['onEdits'];
  /** Commits messages about stock changes that no run has announced. Called once the store is owned. */
  readonly announceMissed?: (store: Store) => Promise<void>;
  /** Called once the store is owned, before any group is joined; a failure ends the run. */
  readonly onOwned?: (store: Store) => Promise<void>;
  readonly on: (event: RunEvent) => void;
}

/** A record that cannot be read or applied. */
export interface DeadLettered {
  readonly kind: 'dead_letter';
  readonly record: RecordId;
  readonly code: DeadLetterCode | Refused['code'];
  readonly message: string;
}

/** The store has read the topics `others`, but never this one: its name may be a mistake. */
export interface TopicIsNew {
  readonly kind: 'topic_is_new';
  readonly topic: string;
  readonly others: readonly string[];
}

/** Events while a run is prepared. */
export type PrepareEvent =
  | TopicCreated
  | TopicIsNew
  | GhostRemoved
  | CopySuspected
  /** The store is older than its group: those records are read again, and processed where their results were lost. */
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
      readonly for: Awaited;
      readonly forMs: number;
      readonly message: string;
    }
  | { readonly kind: 'resumed'; readonly for: Awaited };

/** The state of effects that have had failed tries. */
export type EffectsEvent =
  /** Tries fail. Reported at the first failure, then every 30 s while an effect that failed waits for its next try. */
  | (Of & {
      readonly kind: 'effects_failing';
      readonly effect: EffectKind;
      /** What the first waiting effect is about: an order, an alert. */
      readonly about: string;
      /** Why the last try failed. */
      readonly message: string;
      /** The number of pending effects of this kind, tried or not, without parked ones. */
      readonly waiting: number;
      readonly forMs: number;
      /** Until one of them is tried again; null: they are being tried now. */
      readonly nextInMs: number | null;
    })
  /** A try has succeeded since. */
  | (Of & { readonly kind: 'effects_resumed'; readonly effect: EffectKind });

/** A batch of one partition was committed. */
export interface BatchEvent<M, R> {
  readonly source: DeclaredMessage;
  readonly partition: number;
  /** The contents of the records, in order. */
  readonly decoded: readonly Decoded<M>[];
  /** Their results, in the same order. */
  readonly results: readonly (R | DeadLettered)[];
  readonly next: number;
}

/** The events of a run. */
export type RunEvent =
  | PrepareEvent
  | WaitEvent
  | EffectsEvent
  | { readonly kind: 'notice'; readonly notice: StoreNotice }
  /** Reading starts; `remaining` is the number of records before the end at the start. */
  | (Of & {
      readonly kind: 'started';
      readonly group: string;
      readonly topics: readonly string[];
      readonly remaining: number;
      /** Returns the current counts. */
      readonly totals: () => Totals;
    })
  | (Of & { readonly kind: 'committed' } & Committed)
  /** `topic` permanently refuses the message, or no schema can hold it: it is kept next to the store. */
  | { readonly kind: 'undelivered'; readonly id: string; readonly topic: string }
  /** Messages wait because their topic was deleted and cannot be recreated, or has no schema; the rest continues. */
  | { readonly kind: 'topic_gone'; readonly failure: Failure }
  /** The answer to an effect was committed. */
  | (Of & { readonly kind: 'effect_settled'; readonly id: string; readonly outcome: 'done' | 'failed' })
  /** The last try of an effect failed, or was permanently refused: its message is now a dead letter. */
  | (Of & {
      readonly kind: 'effect_parked';
      /** The key of its message: an order id, an item. */
      readonly about: string;
      readonly why: SetAsideFor;
    })
  /** The run stops before these messages were sent and effects performed: the next run does that. */
  | {
      readonly kind: 'unsent';
      readonly waiting: ReadonlyMap<Destination, number>;
      readonly effects: number;
    }
  /** As ConsumerEvent; only used for the status. */
  | (Of & { readonly kind: 'silent' })
  | (Of & { readonly kind: 'answered' })
  | (Of & { readonly kind: 'commit_failed'; readonly message: string })
  | (Of & Extract<ConsumerEvent, { kind: 'held_back' }>)
  /** Another process asks this run to stop: the caller must abort its signal. */
  | { readonly kind: 'stop_asked' }
  /** The last event, even before a failure. */
  | { readonly kind: 'ended'; readonly run: RunSummary };

interface Of {
  readonly processor: ProcessorName;
}

/** A batch, after its commit. */
export interface Committed {
  readonly records: number;
  /** From the start of its transaction until it is durable. */
  readonly commitSeconds: number;
  /** From the timestamp of the first record to the commit; null if the record has none. */
  readonly latencySeconds: number | null;
}

export interface RunSummary {
  readonly stoppedBy: 'end' | 'signal' | 'max_messages' | 'error';
  readonly seconds: number;
  readonly services: readonly ServiceSummary[];
}

export interface ServiceSummary extends Of {
  readonly group: string;
  readonly totals: Totals;
  /** Records skipped by moves of the position. */
  readonly skipped: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly PartitionProgress[] }[];
}

export interface PartitionProgress {
  readonly partition: number;
  /** The offset where reading started. */
  readonly first: number;
  readonly next: number;
  readonly end: number;
  readonly lag: number;
}

/* Consuming orders: running the processor `orders` alone. */

export interface ConsumeOptions extends Omit<
  RunOptions,
  'on' | 'onEdits' | 'announceMissed' | 'onOwned' | 'purpose'
> {
  readonly shop: Pick<ShopOptions, 'events' | 'users'>;
  /** Continue without users or items; every order is then rejected. */
  readonly allowEmpty?: boolean;
  readonly on: (event: ConsumeOrdersEvent) => void;
}

/** The result of one record. */
export type RecordResult = Decision | DeadLettered;

/** Events that only the processor `orders` has. */
export type OrdersEvent =
  | ({ readonly kind: 'batch' } & BatchEvent<Order, Decision>)
  /** There are no users or no items: every order will be rejected, permanently. */
  | { readonly kind: 'empty_table'; readonly table: 'users' | 'items'; readonly store: string }
  /** Prices in an order that are not amounts: those lines have no price. */
  | {
      readonly kind: 'prices_ignored';
      readonly record: RecordId;
      readonly orderId: string;
      readonly ignored: IgnoredPrices;
    };

/** The results of one commit of any processor except `orders`. */
export interface HandledEvent extends Of {
  readonly kind: 'handled';
  readonly results: readonly (Handled | DeadLettered)[];
}

export type ConsumeOrdersEvent =
  | Exclude<RunEvent, { kind: 'ended' | 'committed' }>
  | OrdersEvent
  | { readonly kind: 'summary'; readonly summary: ConsumeSummary };

type Counted = ConsumerStatus['counts'];

export interface ConsumeSummary extends Pick<RunSummary, 'stoppedBy' | 'seconds'>, Counted {
  readonly skipped: number;
  readonly partitions: readonly PartitionProgress[];
  readonly rejectedByReason: Readonly<Partial<Record<Reason, number>>>;
  /** Lines whose price is not an amount; they are stored without a price. */
  readonly ignoredPrices: number;
  readonly commits: number;
}
