import type { RecordId } from '../domain/orders/order.ts';
import type { AccessRule } from '../domain/access/rights.ts';
import type { Headers, HeaderValue, RecordFingerprint, RefusedPosition } from './record.ts';
import type { Position, TopicPartition } from './store.ts';

/** The bytes of another array from `from` up to `to`. */
export interface Slice {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

export interface BrokerRecord {
  readonly offset: number;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: Headers;
  /** Where `value` is, for bulk readers: making a view of a few bytes costs more than reading them. */
  readonly valueSlice?: Slice | null;
  /** As `lastHeader(headers, name)`, for bulk readers: parsing all headers costs more than reading the value. */
  lastHeader?(name: string): HeaderValue | undefined;
}

/**
 * Records of one partition as they were fetched: offsets ascend, gaps are control records or compaction. Keys and
 * values are views on the fetched bytes, several MiB: copy what outlives the batch.
 */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  /** May be empty: control records only. */
  readonly records: readonly BrokerRecord[];
  /** The offset after the batch, control records included. */
  readonly next: number;
  /** The partition's high watermark when it was fetched: for lag, not for finding the end. */
  readonly highWatermark: number;
  /** The cluster that it was fetched from. */
  readonly clusterId: string;
  /** What `records[index]` looked like, to store beside a position. @throws RangeError no such record */
  fingerprint(index: number): RecordFingerprint;
}

export interface PartitionRange {
  readonly partition: number;
  /** Earliest offset that can be read. */
  readonly start: number;
  /** The last stable offset: the position of a consumer that has read everything. */
  readonly end: number;
}

export interface CommittedOffset {
  readonly partition: number;
  /** null: the group has committed none. */
  readonly offset: number | null;
  /** The metadata of the commit; empty when there was none. */
  readonly metadata: string;
}

export interface GroupMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly host: string;
  /** Its RunOptions.process; null where it is not ours, or the group is between generations. */
  readonly process: string | null;
  /** How long the group keeps it without a heartbeat; null where it did not say. */
  readonly sessionTimeoutMs: number | null;
}

export interface GroupDescription {
  /** Kafka's name for it: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance; Assigning, Reconciling. */
  readonly state: string;
  readonly members: readonly GroupMember[];
}

export interface TopicDescription {
  readonly partitions: number;
  /** Copies that the partition with the fewest has. */
  readonly replication: number;
  /** Every configuration that the broker returns, by Kafka's names, defaults included. */
  readonly configs: ReadonlyMap<string, string>;
}

/** Offsets of one partition. */
export interface RecordRange {
  readonly partition: number;
  /** Inclusive. */
  readonly from: number;
  /** Exclusive; one past the end stands for the end as it is when reading begins. */
  readonly to: number;
}

/** Records of one partition, at most a few MiB of them. As with a batch: copy what outlives the chunk. */
export interface RecordChunk {
  readonly partition: number;
  /** May be empty: control records, aborted transactions, or what compaction removed. */
  readonly records: readonly BrokerRecord[];
  /** The offset after the chunk, control records and compaction included. */
  readonly next: number;
  /** As of a batch. @throws RangeError no such record */
  fingerprint(index: number): RecordFingerprint;
}

/**
 * Every method @throws Failure broker_unreachable after the connection time-out, broker_refused when it answers no
 * (authentication, authorization), and what is named.
 */
export interface BrokerAdmin extends AsyncDisposable {
  clusterId(): Promise<string>;
  /** Requests that are needed and that these brokers do not offer, by their names in the protocol. */
  missingRequests(): Promise<readonly string[]>;
  /** All topics but Kafka's own, sorted. */
  topicNames(): Promise<readonly string[]>;
  /** All consumer groups, sorted. */
  groupNames(): Promise<readonly string[]>;
  /** Number of partitions, or undefined when there is no such topic. Never creates it. */
  partitionCount(topic: string): Promise<number | undefined>;
  /** Nodes of the cluster that are up. */
  brokerCount(): Promise<number>;
  /** What the cluster says of a topic, or undefined when there is no such topic. Never creates it. */
  describeTopic(topic: string): Promise<TopicDescription | undefined>;
  /**
   * Without effect when the topic exists.
   *
   * @param options.replication copies, fewer where there are fewer brokers; 1 by default
   * @param options.configs topic configuration by Kafka's names
   * @returns whether this call created it
   */
  createTopic(
    topic: string,
    options: { partitions: number; replication?: number; configs?: Readonly<Record<string, string>> },
  ): Promise<boolean>;
  /** Adds partitions until there are `total`. @throws Failure broker_refused when there are as many already */
  addPartitions(topic: string, total: number): Promise<void>;
  /** Sets these and leaves every other configuration as it is. @throws Failure broker_refused for a value it does not take */
  alterTopicConfig(topic: string, configs: Readonly<Record<string, string>>): Promise<void>;
  /** One configuration value of a topic, or undefined where the broker does not say. */
  topicConfig(topic: string, name: string): Promise<string | undefined>;
  /** Of all partitions: waits for those that have no leader. */
  ranges(topic: string): Promise<readonly PartitionRange[]>;
  /** As `ranges`, but only of the partitions that have a leader which answers. */
  ledRanges(topic: string): Promise<readonly PartitionRange[]>;
  /** First offset whose timestamp is at or after `timestampMs`; the end where there is none. */
  offsetsAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, number>>;
  /**
   * Compares positions with the topic as it is now, as a consumer does at each join. Of a partition without a leader
   * only the cluster is compared.
   *
   * @returns by partition, the positions at which reading cannot go on
   */
  refusedPositions(
    topic: string,
    positions: ReadonlyMap<number, Position>,
  ): Promise<ReadonlyMap<number, RefusedPosition>>;
  /**
   * Every committed record of the ranges: one range after the other, in order of offsets, fetched as they are asked
   * for. Belongs to no group and commits nothing. A partition may stand in several ranges.
   *
   * @throws Failure topic_missing, not_found (no such partition), offsets_gone (what was asked for is deleted, at the
   * start or while it is read), invalid_input (a record batch that is broken in Kafka itself), broker_unreachable
   * (no answer or nothing new for the connection time-out), broker_refused; the signal's reason when that aborts
   */
  records(topic: string, ranges: readonly RecordRange[], signal?: AbortSignal): AsyncIterable<RecordChunk>;
  committed(group: string, topic: string): Promise<readonly CommittedOffset[]>;
  /** Sets the committed offsets of a group without members. @throws Failure group_in_use */
  commit(
    group: string,
    topic: string,
    offsets: readonly { partition: number; offset: number; metadata: string }[],
  ): Promise<void>;
  group(group: string): Promise<GroupDescription>;
  /** Makes a member leave, as it would itself. Without effect when it is gone. */
  removeMember(group: string, memberId: string): Promise<void>;
  /** Who may do what. null: the brokers have no such rules, and allow everything to everybody. */
  accessRules(): Promise<readonly AccessRule[] | null>;
  /** Adds those that are missing. They are in force on all brokers a moment later. */
  allow(rules: readonly AccessRule[]): Promise<void>;
  /** Those that are there. */
  removeRules(rules: readonly AccessRule[]): Promise<void>;
}

export interface SendRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | null;
  readonly headers?: Headers;
}

export interface SentRecord {
  readonly partition: number;
  readonly offset: number;
}

/**
 * The outcome of a record: where it is stored; that the topic does not allow its size, or refuses it otherwise; that no
 * answer says whether it is stored, now or later; or that it is not.
 */
export type SendOutcome = SentRecord | 'too_large' | 'refused' | 'unknown' | 'not_sent';

export interface SendResult {
  /** In order of the records. */
  readonly outcomes: readonly SendOutcome[];
  /** Why some are unknown or not sent; null when none is. Of broker_unreachable, broker_refused, not_found. */
  readonly failure: Error | null;
}

export interface SendOptions {
  /** When it aborts, what is under way has a few seconds left. */
  readonly signal?: AbortSignal;
}

/** Idempotent, acks=all. One `send` at a time; records with one key keep their order. */
export interface Producer extends AsyncDisposable {
  /** Sends what can be sent: a partition or a node that does not answer holds up no other. */
  send(topic: string, records: readonly SendRecord[], options?: SendOptions): Promise<SendResult>;
}

export type ConsumerEvent =
  | { readonly kind: 'joined'; readonly partitions: readonly TopicPartition[] }
  /** No answer from the brokers for `forMs`; repeated every 30 s. */
  | { readonly kind: 'waiting'; readonly forMs: number; readonly message: string }
  | { readonly kind: 'resumed' }
  /** An answer is late, long before that is reported; until `answered`. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'answered' }
  /** Not read for 10 s, or left by a run that ends by itself, since transactions are open; repeated every 30 s. */
  | { readonly kind: 'held_back'; readonly ranges: readonly (RecordRange & TopicPartition)[] }
  /** The group's offset could not be committed; the stored position stands and it is tried with the next batch. */
  | { readonly kind: 'commit_failed'; readonly message: string };

export interface RunOptions {
  /** All topics of this run. */
  readonly topics: readonly string[];
  readonly group: string;
  /** Names the protocol of the group, so that a member that works on another store is refused. */
  readonly storeId: string;
  /**
   * exclusive: one member has all partitions, and a second one is refused. shared: the members of the group divide
   * them. A member that has lost one without knowing may still deliver records of it, until its next sign of life:
   * positions are to be compared where they are stored.
   */
  readonly mode: 'exclusive' | 'shared';
  /** These are this member's from now on. Once it has resolved, `positions` has theirs, and they are read. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** These are not: no batch of them is in hand or comes any more. Others have them once it has resolved, or already. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** The id of the store, by which a ghost is recognised after a kill. */
  readonly clientId: string;
  /** As Processes.self: others read it in the description of the group. */
  readonly process?: string | null;
  /** Committed beside each offset: the mark of the store. */
  readonly metadata: string;
  /** The most records in one batch; left out: as many as suit a commit to files. */
  readonly maxBatchRecords?: number;
  /** The positions in force now; a partition without one starts at the earliest offset. */
  readonly positions: () => Iterable<Position>;
  /**
   * Partitions without a position start at these offsets, the earliest ones. Nothing of them is read before it has
   * resolved; if `positions` has theirs then, that is where they start.
   */
  readonly onStart?: (starts: readonly RecordId[]) => Promise<void>;
  readonly onEvent: (event: ConsumerEvent) => void;
  /**
   * Called with the records of the next batch while the one before is processed: what needs no position can be done
   * meanwhile. The next batch has the same array, unless a move, a join or a failure comes between.
   */
  readonly onNext?: (records: readonly BrokerRecord[], of: TopicPartition) => void;
  /** Give up after this long without an answer; null waits for ever. */
  readonly stallTimeoutMs: number | null;
  readonly signal: AbortSignal;
}

export interface Consumer extends AsyncDisposable {
  /**
   * Delivers one batch at a time, each partition from its position on, until `signal` aborts; then finishes the
   * batch in hand, commits, leaves the group and resolves. At each join, before the first batch, every position is
   * compared with the topic: it lies within its range, and the record before it is the one that was read.
   *
   * `onBatch` resolves with the offset to read next: `batch.next` goes on, any other seeks. Only then is it
   * committed to Kafka, in the background. While `onBatch` works, heartbeats go on. If it rejects, so does `run`.
   *
   * @throws Failure offsets_gone (the position was deleted or lies past the end), topic_changed (the record before
   * it is another), group_in_use (another member has it, where one may have all; or it has foreign members),
   * topic_missing, broker_unreachable (no answer for stallTimeoutMs), broker_refused
   */
  run(options: RunOptions, onBatch: (batch: Batch) => Promise<number>): Promise<void>;
}

/** The cluster, by its settings. Opening connects to nothing. */
export interface Broker {
  readonly addresses: string;
  admin(): Promise<BrokerAdmin>;
  producer(): Promise<Producer>;
  consumer(): Promise<Consumer>;
}
