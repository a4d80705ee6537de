import type { LoggedEdit } from '../domain/edit.ts';
import type { Effect, EffectKind } from '../domain/effects.ts';
import type { Fact, FactLog, SmallTable } from '../domain/facts.ts';
import type { ProcessorName } from '../domain/messages/message.ts';
import type { OutgoingMessage } from '../domain/messages/outgoing.ts';
import type { Movement } from '../domain/movement.ts';
import type { Decided } from '../domain/orders/decided.ts';
import type { DecisionSums, PlacedWindows } from '../domain/orders/decision-sums.ts';
import type { State, StateChanges, StateKeys } from '../domain/state.ts';
import type { Item, User } from '../domain/tables.ts';
import type { Headers, RecordFingerprint } from './record.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A partition and the processor that reads it. Several processors may read one partition, each at its own pace. */
export interface Source extends TopicPartition {
  readonly processor: ProcessorName;
}

/** The reading position in a partition. */
export interface Position extends TopicPartition {
  /** The offset to read next. */
  readonly next: number;
  /** The last record read before `next`; null if none was (a new or moved position). */
  readonly last: RecordFingerprint | null;
  /** The cluster from which it was read; null if nothing was read yet. */
  readonly clusterId: string | null;
}

/** The position of a processor in a partition. It is committed together with the decisions and is authoritative. */
export interface StoredPosition extends Position, Source {}

/** Something to send. It is committed together with its cause and sent afterwards, at least once. */
export type Outgoing = OutgoingRecord | OutgoingMessage;

/** A dead letter: another program's record, byte for byte. */
export interface OutgoingRecord {
  readonly kind: 'record';
  /** The original record, `orders/3@17`; the same if it is sent twice. */
  readonly id: string;
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

/**
 * A queue of the outbox: the topic of a record, or the type of a message, with `.dlq` appended for a dead letter. A
 * destination that refuses records does not delay the others.
 */
export type Destination = string;

export function destinationOf(outgoing: Outgoing): Destination {
  if (outgoing.kind === 'record') return outgoing.topic;
  return outgoing.deadLetter === undefined ? outgoing.type : `${outgoing.type}.dlq`;
}

/** A record that the broker refused permanently. */
export interface Undelivered extends OutgoingRecord {
  /** Its id; with `~` and eight hexadecimal digits appended if it is not the first with this id. */
  readonly name: string;
}

/** A logged movement. */
export interface LoggedMovement extends Movement {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Stock after the movement. */
  readonly onHand: number;
}

/** A line of the logs, with its transaction. */
export type HistoryLine = {
  /**
   * The number of its transaction, shared by all lines of it; null: from before there were numbers, ordered by time.
   */
  readonly seq: number | null;
  /** Milliseconds since the epoch; null for a fact, which may contain a time. */
  readonly at: number | null;
} & (
  | { readonly kind: 'edit'; readonly edit: LoggedEdit }
  | { readonly kind: 'decision'; readonly decided: Decided }
  | { readonly kind: 'movement'; readonly movement: LoggedMovement }
  | { readonly kind: 'fact'; readonly log: FactLog<never>; readonly fact: Fact }
);

/** A line of history, or totals that replace the lines of decisions. */
export type SalesLine =
  | HistoryLine
  | {
      readonly kind: 'decisions';
      readonly seq: number;
      readonly at: number | null;
      readonly sums: DecisionSums;
    };

/** The keys that a transaction will read or change. The store may lock only these; reading any other key is a bug. */
export interface Keys extends StateKeys {
  readonly positions?: Iterable<Source>;
}

/** The state that a transaction reads, including positions. */
export interface Snapshot extends State {
  position(of: Source): StoredPosition | undefined;
}

export interface Changes extends Omit<StateChanges, 'outgoing'> {
  readonly positions?: readonly StoredPosition[];
  readonly outgoing?: readonly Outgoing[];
}

export interface StoreReader extends AsyncDisposable {
  /** As in Store; null if the store was never owned. */
  readonly storeId: string | null;
  /** Rows in the order of the file, including hand edits that were not merged yet. */
  users(): Promise<Iterable<User>>;
  items(): Promise<Iterable<Item>>;
  decided(orderId: string): Promise<Decided | undefined>;
  /** All decisions with this outcome in the order of the log, streamed in chunks. */
  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<readonly Decided[]>;
  edits(): AsyncIterable<readonly LoggedEdit[]>;
  movements(): AsyncIterable<readonly LoggedMovement[]>;
  /** The facts of one key, in the order in which they were appended. */
  facts<T extends Fact>(log: FactLog<T>, key: string): Promise<readonly T[]>;
  /** The whole log, in order, streamed in chunks. */
  allFacts<T extends Fact>(log: FactLog<T>): AsyncIterable<readonly T[]>;
  /**
   * All changes of users, items and orders, and the given facts, in the order in which they took effect, streamed in
   * chunks. Within a transaction: first edits, then decisions, movements and facts.
   */
  history(facts: readonly FactLog<never>[]): AsyncIterable<readonly HistoryLine[]>;
  /**
   * Like `history`, for totals. A store that sums decisions faster than it returns them may replace them by a few
   * lines of kind `decisions`: the first one precedes the first commit at or after `stockAt`; a second, empty one
   * with the number of that commit marks that moment.
   *
   * @param stockAt the moment whose stock is needed, in milliseconds since the epoch; left out: none
   */
  salesHistory(
    facts: readonly FactLog<never>[],
    windows: PlacedWindows,
    stockAt?: number,
  ): AsyncIterable<readonly SalesLine[]>;
  small<T>(table: SmallTable<T>): Promise<ReadonlyMap<string, T>>;
  /** Pending effects, including parked ones: all, or those with these ids. */
  effects(ids?: readonly string[]): Promise<readonly Effect[]>;
  /** Records that `drain` could not send, read one by one, in order of their names. @throws Failure corrupt_file */
  undelivered(): AsyncIterable<Undelivered>;
  positions(): Promise<readonly StoredPosition[]>;
}

/** The place of a line in a log, in numbers that only its store understands. Clients keep it to continue from there. */
export type LogPlace = readonly number[];

export interface LineAt<T> {
  readonly value: T;
  readonly place: LogPlace;
}

/** The logs of changes of stock: edits of items, accepted direct orders, and all other movements. */
export const STOCK_LOGS = ['edits', 'accepted', 'movements'] as const;
export type StockLog = (typeof STOCK_LOGS)[number];

/** A contiguous piece of a log. */
export interface StockPiece {
  /** The lines about the item, latest first, each with the place after it. */
  readonly lines: readonly { readonly line: HistoryLine; readonly behind: LogPlace }[];
  /** The earliest line of the piece, whatever it is about. */
  readonly first: Pick<HistoryLine, 'seq' | 'at'>;
  /** The place where the piece starts; everything before it is still unread. */
  readonly begin: LogPlace;
}

/** A store at one moment, readable by any process. */
export interface StoreView extends StoreReader {
  /** One row of `users` or `items`. */
  userNamed(user: string): Promise<User | undefined>;
  itemNamed(item: string): Promise<Item | undefined>;
  /**
   * Like `decisions`, but backwards from the last one, or from the one at a place (inclusive); read on demand.
   *
   * @throws Failure invalid_value: no line starts at this place
   */
  decisionsFromEnd(
    outcome: 'accepted' | 'rejected',
    from?: LogPlace,
  ): AsyncIterable<readonly LineAt<Decided>[]>;
  /**
   * Like `allFacts`, but backwards as decisionsFromEnd.
   *
   * @param only selects facts whose field has one of these values; all others cost almost nothing
   */
  factsFromEnd<T extends Fact>(
    log: FactLog<T>,
    only: FieldValues<T>,
    from?: LogPlace,
  ): AsyncIterable<readonly LineAt<T>[]>;
  /**
   * The lines of a log about one item, backwards from its end or from a place, in pieces; read on demand. A piece
   * without such lines costs little.
   *
   * @throws Failure invalid_value: no line ends at this place
   */
  stockFromEnd(log: StockLog, item: string, before?: LogPlace): AsyncIterable<StockPiece>;
  /**
   * Like `history`, but what is added after the moment of this view, a few hundred lines at a time, until `signal`
   * aborts. Continues after disposal of the view, and when the store changes its owner. Never blocks an owner.
   *
   * @throws Failure changed_since (the store was replaced by another one or by an earlier copy), corrupt_state
   */
  follow(facts: readonly FactLog<never>[], signal: AbortSignal): AsyncIterable<readonly HistoryLine[]>;
}

/** Values of a string field. */
export interface FieldValues<T extends Fact> {
  readonly field: keyof T & string;
  readonly values: readonly string[];
}

/** The part of a view that reads orders. */
export type OrderReader = Pick<
  StoreView,
  | 'storeId'
  | 'small'
  | 'decided'
  | 'facts'
  | 'effects'
  | 'positions'
  | 'decisionsFromEnd'
  | 'factsFromEnd'
  | 'stockFromEnd'
>;

/** The part of a view that reads users and items. */
export type RowReader = Pick<StoreView, 'users' | 'items' | 'userNamed' | 'itemNamed'>;

export interface Store extends StoreReader {
  /** Created with the store: the mark by which it recognises its own consumer group. */
  readonly storeId: string;
  /**
   * Whether other processes may own the store at the same time. Their changes are visible after a second; a transaction
   * sees them at once, so it must compare what was read before it.
   */
  readonly isShared: boolean;
  /**
   * The only way to change state. `decide` must be synchronous and pure; a store may run it again. When this resolves,
   * all changes are durable; when it rejects, none was made or the process must give up the store. Hand edits and
   * edits by other processes are applied before `decide` runs.
   *
   * @throws Failure write_failed: the operating system failed to write; give up the store, never retry
   */
  transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R>;
  /**
   * Passes the unsent messages of a destination to `send`, at most a few thousand at a time and in order for each key,
   * and marks them as sent when it resolves; after a crash in between, they are sent again. The backlog is never
   * loaded into memory as a whole. `send` resolves with the records that the broker refuses permanently (too large),
   * which are kept in `.orderctl/undelivered/`. If it rejects, all stay unsent, and the next call gets the same
   * objects. Call this one at a time for each destination.
   *
   * @returns the number of messages sent
   */
  drain(
    destination: Destination,
    send: (unsent: readonly Outgoing[]) => Promise<readonly OutgoingRecord[]>,
  ): Promise<number>;
  /** Number of messages waiting for `drain` by this process, by destination; destinations without any are left out. */
  unsent(): ReadonlyMap<Destination, number>;
  /** Number of messages waiting for other processes that share the store; 0 if the store has a single owner. */
  unsentElsewhere(): Promise<number>;
  /**
   * Hands out effects that are due, in order of `dueAt`. Before it resolves, it commits that they are being tried: a
   * crash leaves them `trying`, and the next owner knows that they may have happened. No other process gets them until
   * `leaseMs` have passed or their answer is committed. A new owner takes over what the previous one was trying.
   *
   * @returns the effects after the commit: `trying`, with `attempts` increased by one
   */
  takeEffects(options: {
    readonly kinds: readonly EffectKind[];
    readonly limit: number;
    readonly leaseMs: number;
  }): Promise<readonly Effect[]>;
  /**
   * Milliseconds until the next effect of these kinds is due, by the clock of `takeEffects`, which may differ from
   * that of this process; 0: one is due now; null: none is pending, or all are parked.
   */
  dueInMs(kinds: readonly EffectKind[]): number | null;
  /**
   * Stores a file alongside the state, for people and other tools. It replaces a file of the same name and is durable
   * when this resolves.
   *
   * @returns its path
   * @throws Failure write_failed
   */
  keepFile(name: string, text: string): Promise<string>;
}
