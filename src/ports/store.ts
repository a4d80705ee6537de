import type { LoggedEdit } from '../domain/edit.ts';
import type { Decided } from '../domain/orders/decided.ts';
import type { State, StateChanges, StateKeys } from '../domain/state.ts';
import type { Item, User } from '../domain/tables.ts';
import type { Headers, RecordFingerprint } from './record.ts';

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** How far a partition has been read: committed together with the decisions, and what counts. */
export interface Position extends TopicPartition {
  /** The offset to read next. */
  readonly next: number;
  /** The last record that was read before `next`; null when none was (a fresh or a moved position). */
  readonly last: RecordFingerprint | null;
  /** The cluster it was read from; null when it was not read yet. */
  readonly clusterId: string | null;
}

/** A record to be sent, committed with the decisions that caused it and sent afterwards, at least once. */
export interface Outgoing {
  /** What it is about, `orders/3@17`: the same when it is sent twice. */
  readonly id: string;
  readonly topic: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
}

/** A record that the broker refused for good. */
export interface Undelivered extends Outgoing {
  /** Its name: its id; with `~` and eight hexadecimal digits behind it when another of that id came first. */
  readonly name: string;
}

/** What a transaction will look at or change. The store may lock exactly this; to read any other key is a bug. */
export interface Keys extends StateKeys {
  readonly partitions?: Iterable<TopicPartition>;
}

/** The state as a transaction sees it, with the positions that are committed together with it. */
export interface Snapshot extends State {
  position(of: TopicPartition): Position | undefined;
}

export interface Changes extends StateChanges {
  readonly positions?: readonly Position[];
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
  /** What `drain` could not send for good, read one by one, in order of their names. @throws Failure corrupt_file */
  undelivered(): AsyncIterable<Undelivered>;
  positions(): Promise<readonly Position[]>;
}

/** A store as it is at one moment, read by any process. */
export interface StoreView extends StoreReader {
  /** As `decisions`, from the last one back: what is not asked for is not read. */
  decisionsFromEnd(outcome: 'accepted' | 'rejected'): AsyncIterable<readonly Decided[]>;
  /** What is decided after that moment, each kind in its order, until `signal` aborts; goes on after disposal. */
  newDecisions(signal: AbortSignal): AsyncIterable<NewDecisions>;
}

export type NewDecisions = Readonly<Record<'accepted' | 'rejected', readonly Decided[]>>;

export interface Store extends StoreReader {
  /** Made with the store: the mark by which a consumer group is recognised as its own. */
  readonly storeId: string;
  /**
   * The one way to change state. `decide` is synchronous and pure; a store may run it again. When this resolves
   * all of `changes` is durable; when it rejects, none of it happened or the process must leave.
   * Hand edits and edits by other processes are taken in before `decide` runs.
   *
   * @throws Failure write_failed: an operating-system write failed; leave, never retry
   */
  transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R>;
  /**
   * Gives every unsent record to `send`, in order, and marks them sent when it resolves; a crash between sends
   * again. `send` resolves with the records that the broker refuses for good (too large): those are kept in
   * `.orderctl/undelivered/`. When `send` rejects, all stay unsent, and the next one is given the same objects.
   *
   * @returns how many were sent
   */
  drain(send: (records: readonly Outgoing[]) => Promise<readonly Outgoing[]>): Promise<number>;
  /** Unsent records, waiting for `drain`. */
  unsent(): number;
  /**
   * Keeps a file beside the state, for people and other tools. It replaces one of that name and is durable when this
   * resolves.
   *
   * @returns its path
   * @throws Failure write_failed
   */
  keepFile(name: string, text: string): Promise<string>;
}
