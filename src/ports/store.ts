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

/** A partition as one processor reads it: several may read the same one, each at its own pace. */
export interface Source extends TopicPartition {
  readonly processor: ProcessorName;
}

/** How far a partition has been read. */
export interface Position extends TopicPartition {
  /** The offset to read next. */
  readonly next: number;
  /** The last record that was read before `next`; null when none was (a fresh or a moved position). */
  readonly last: RecordFingerprint | null;
  /** The cluster it was read from; null when it was not read yet. */
  readonly clusterId: string | null;
}

/** How far a processor has read a partition: committed together with its decisions, and authoritative. */
export interface StoredPosition extends Position, Source {}

/** What is to be sent: committed with what caused it and sent afterwards, at least once. */
export type Outgoing = OutgoingRecord | OutgoingMessage;

/** A dead letter: another program's record, byte for byte. */
export interface OutgoingRecord {
  readonly kind: 'record';
  /** The record that it is about, `orders/3@17`: the same when it is sent twice. */
  readonly id: string;
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

/**
 * Where something is sent: the topic of a record, the type of a message, with `.dlq` behind it for one that is a dead
 * letter. One that refuses something holds up no other.
 */
export type Destination = string;

export function destinationOf(outgoing: Outgoing): Destination {
  if (outgoing.kind === 'record') return outgoing.topic;
  return outgoing.deadLetter === undefined ? outgoing.type : `${outgoing.type}.dlq`;
}

/** What the broker refused for good. */
export interface Undelivered extends OutgoingRecord {
  /** Its name: its id; with `~` and eight hexadecimal digits behind it when another of that id came first. */
  readonly name: string;
}

/** A movement as it is logged. */
export interface LoggedMovement extends Movement {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** After it. */
  readonly onHand: number;
}

/** A line of the logs, with the transaction that it is of. */
export type HistoryLine = {
  /** Of its transaction: lines of one have one number. null: it is older than these numbers, and placed by its time. */
  readonly seq: number | null;
  /** Milliseconds since the epoch; null of a fact, which may name a time of its own. */
  readonly at: number | null;
} & (
  | { readonly kind: 'edit'; readonly edit: LoggedEdit }
  | { readonly kind: 'decision'; readonly decided: Decided }
  | { readonly kind: 'movement'; readonly movement: LoggedMovement }
  | { readonly kind: 'fact'; readonly log: FactLog<never>; readonly fact: Fact }
);

/** A line of history, or decisions added up in the place of theirs. */
export type SalesLine =
  | HistoryLine
  | {
      readonly kind: 'decisions';
      readonly seq: number;
      readonly at: number | null;
      readonly sums: DecisionSums;
    };

/** What a transaction will read or change. The store may lock exactly this; reading any other key is a bug. */
export interface Keys extends StateKeys {
  readonly positions?: Iterable<Source>;
}

/** The state that a transaction reads, with the positions that are committed together with it. */
export interface Snapshot extends State {
  position(of: Source): StoredPosition | undefined;
}

export interface Changes extends Omit<StateChanges, 'outgoing'> {
  readonly positions?: readonly StoredPosition[];
  readonly outgoing?: readonly Outgoing[];
}

export interface StoreReader extends AsyncDisposable {
  /** As in Store; null when the store was never owned. */
  readonly storeId: string | null;
  /** Rows in the order of the file, hand edits that were not taken in yet included. */
  users(): Promise<Iterable<User>>;
  items(): Promise<Iterable<Item>>;
  decided(orderId: string): Promise<Decided | undefined>;
  /** Every decision of that kind in the order of the log, streamed in chunks. */
  decisions(outcome: 'accepted' | 'rejected'): AsyncIterable<readonly Decided[]>;
  edits(): AsyncIterable<readonly LoggedEdit[]>;
  movements(): AsyncIterable<readonly LoggedMovement[]>;
  /** Of one key, in the order in which they were appended. */
  facts<T extends Fact>(log: FactLog<T>, key: string): Promise<readonly T[]>;
  /** The whole log, in order, streamed in chunks. */
  allFacts<T extends Fact>(log: FactLog<T>): AsyncIterable<readonly T[]>;
  /**
   * All that happened to users, items and orders, and these facts, in the order in which it took effect, streamed in
   * chunks: of one transaction first its edits, then its decisions, movements and facts.
   */
  history(facts: readonly FactLog<never>[]): AsyncIterable<readonly HistoryLine[]>;
  /**
   * As `history`, for what is added up. A store that adds decisions up faster than it gives them out does that: it has few
   * lines of kind `decisions` for them, the first one before the first commit that is not before `stockAt`, and with
   * that commit one of its time.
   *
   * @param stockAt the moment of which stock is wanted, milliseconds since the epoch; left out: it is not
   */
  salesHistory(
    facts: readonly FactLog<never>[],
    windows: PlacedWindows,
    stockAt?: number,
  ): AsyncIterable<readonly SalesLine[]>;
  small<T>(table: SmallTable<T>): Promise<ReadonlyMap<string, T>>;
  /** Those that are owed, including parked ones: all, or of these ids. */
  effects(ids?: readonly string[]): Promise<readonly Effect[]>;
  /** What `drain` could not send for good, read one by one, in order of their names. @throws Failure corrupt_file */
  undelivered(): AsyncIterable<Undelivered>;
  positions(): Promise<readonly StoredPosition[]>;
}

/** Where a line of a log is, in numbers that mean something to its store alone: clients keep them to read on from there. */
export type LogPlace = readonly number[];

export interface LineAt<T> {
  readonly value: T;
  readonly place: LogPlace;
}

/** The logs with what changes stock: edits of items, orders of the direct flow, and all else. */
export const STOCK_LOGS = ['edits', 'accepted', 'movements'] as const;
export type StockLog = (typeof STOCK_LOGS)[number];

/** Lines of a log that lie together. */
export interface StockPiece {
  /** Those about the item, the latest first, each with the place behind it. */
  readonly lines: readonly { readonly line: HistoryLine; readonly behind: LogPlace }[];
  /** The earliest that was looked at, about whatever. */
  readonly first: Pick<HistoryLine, 'seq' | 'at'>;
  /** Where it is: what is not read yet lies before it. */
  readonly begin: LogPlace;
}

/** A store as it is at one moment, read by any process. */
export interface StoreView extends StoreReader {
  /** One row of `users`, and of `items`. */
  userNamed(user: string): Promise<User | undefined>;
  itemNamed(item: string): Promise<Item | undefined>;
  /**
   * As `decisions`, from the last one back, or from the one at a place, itself included; read only as far as asked for.
   *
   * @throws Failure invalid_value: no line begins at that place
   */
  decisionsFromEnd(
    outcome: 'accepted' | 'rejected',
    from?: LogPlace,
  ): AsyncIterable<readonly LineAt<Decided>[]>;
  /**
   * As `allFacts`, likewise.
   *
   * @param only those whose field has one of these values: others cost next to nothing
   */
  factsFromEnd<T extends Fact>(
    log: FactLog<T>,
    only: FieldValues<T>,
    from?: LogPlace,
  ): AsyncIterable<readonly LineAt<T>[]>;
  /**
   * A log from its end, or from before a place, back, piece by piece, with what it says of one item; read only as far as
   * asked for, and a piece costs little where it says nothing of it.
   *
   * @throws Failure invalid_value: no line ends at that place
   */
  stockFromEnd(log: StockLog, item: string, before?: LogPlace): AsyncIterable<StockPiece>;
  /**
   * As `history`, what is added after that moment, a few hundred lines at a time, until `signal` aborts; continues after
   * disposal, and when another process comes to own the store. Holds up no owner.
   *
   * @throws Failure changed_since: another store, or an earlier copy, is in its place; corrupt_state
   */
  follow(facts: readonly FactLog<never>[], signal: AbortSignal): AsyncIterable<readonly HistoryLine[]>;
}

/** Values of a field of text. */
export interface FieldValues<T extends Fact> {
  readonly field: keyof T & string;
  readonly values: readonly string[];
}

/** What is asked of a store to know orders. */
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

/** To know users and items. */
export type RowReader = Pick<StoreView, 'users' | 'items' | 'userNamed' | 'itemNamed'>;

export interface Store extends StoreReader {
  /** Made with the store: the mark by which a consumer group is recognised as its own. */
  readonly storeId: string;
  /**
   * Other processes may own it at the same time. What they change is known a second later, but for what a transaction
   * reads; what was read before is to be compared there.
   */
  readonly isShared: boolean;
  /**
   * The one way to change state. `decide` is synchronous and pure; a store may run it again. When this resolves
   * all of `changes` is durable; when it rejects, none of it happened or the process must leave.
   * Hand edits and edits by other processes are taken in before `decide` runs.
   *
   * @throws Failure write_failed: an operating-system write failed; leave, never retry
   */
  transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R>;
  /**
   * Gives what is to be sent to one destination to `send`, that of one key in order, at most a few thousand at a time, and
   * marks it sent when that resolves; a crash between sends again. However much waits, it is not in memory. `send` resolves with what the broker refuses for good (too large),
   * as records: those are kept in `.orderctl/undelivered/`. When it rejects, all stay unsent, and the next one is given
   * the same objects. One at a time for each destination.
   *
   * @returns how many were sent
   */
  drain(
    destination: Destination,
    send: (unsent: readonly Outgoing[]) => Promise<readonly OutgoingRecord[]>,
  ): Promise<number>;
  /** How many wait for `drain` by this process, by destination; those for which nothing waits are left out. */
  unsent(): ReadonlyMap<Destination, number>;
  /** How many wait for other processes that share the store; 0 of one that has a single owner. */
  unsentElsewhere(): Promise<number>;
  /**
   * Hands out effects that are due, by `dueAt`, and commits before it resolves that they are being tried: a crash leaves
   * them `trying`, and the next owner knows that they may have happened. Nobody else is given them until `leaseMs`
   * have passed, or their answer is committed. An owner that starts takes over what the one before it was trying.
   *
   * @returns as they are after that: `trying`, `attempts` raised by one
   */
  takeEffects(options: {
    readonly kinds: readonly EffectKind[];
    readonly limit: number;
    readonly leaseMs: number;
  }): Promise<readonly Effect[]>;
  /**
   * In how many milliseconds the next of these kinds is due, by the clock that `takeEffects` goes by, which may be
   * another than that of this process; 0: it is due. null: none is owed that is not parked.
   */
  dueInMs(kinds: readonly EffectKind[]): number | null;
  /**
   * Keeps a file beside the state, for people and other tools. It replaces one of that name and is durable when this
   * resolves.
   *
   * @returns its path
   * @throws Failure write_failed
   */
  keepFile(name: string, text: string): Promise<string>;
}
