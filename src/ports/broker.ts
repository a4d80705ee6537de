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
  /** The location of `value`, for bulk readers: creating a view of a few bytes costs more than reading them. */
  readonly valueSlice?: Slice | null;
  /** Like `lastHeader(headers, name)`, for bulk readers: parsing all headers costs more than reading the value. */
  lastHeader?(name: string): HeaderValue | undefined;
}

/**
 * Records of one partition as they were fetched. Offsets ascend; gaps are control records or compacted records. Keys
 * and values are views of the fetched bytes, several MiB: copy what must outlive the batch.
 */
export interface Batch {
  readonly topic: string;
  readonly partition: number;
  /** Empty if the batch has only control records. */
  readonly records: readonly BrokerRecord[];
  /** The offset after the batch, including control records. */
  readonly next: number;
  /** The partition's high watermark when the batch was fetched: use it for lag, not to find the end. */
  readonly highWatermark: number;
  /** The cluster from which the batch was fetched. */
  readonly clusterId: string;
  /** The fingerprint of `records[index]`, to be stored with a position. @throws RangeError no such record */
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
  /** null: the group has not committed an offset. */
  readonly offset: number | null;
  /** The metadata of the commit; may be empty. */
  readonly metadata: string;
}

export interface GroupMember {
  readonly memberId: string;
  readonly clientId: string;
  readonly host: string;
  /** Its RunOptions.process; null if it is a foreign client, or while the group is rebalancing. */
  readonly process: string | null;
  /** How long the group keeps it without a heartbeat; null if not known. */
  readonly sessionTimeoutMs: number | null;
}

export interface GroupDescription {
  /** Kafka's name for it: Stable, Empty, Dead, PreparingRebalance, CompletingRebalance; Assigning, Reconciling. */
  readonly state: string;
  readonly members: readonly GroupMember[];
}

export interface TopicDescription {
  readonly partitions: number;
  /** The smallest number of replicas of any partition. */
  readonly replication: number;
  /** All configuration values that the broker returns, by Kafka's names, including defaults. */
  readonly configs: ReadonlyMap<string, string>;
}

/** Offsets of one partition. */
export interface RecordRange {
  readonly partition: number;
  /** Inclusive. */
  readonly from: number;
  /** Exclusive; an offset past the end means the end at the start of reading. */
  readonly to: number;
}

/** Records of one partition, at most a few MiB. As for a batch: copy what must outlive the chunk. */
export interface RecordChunk {
  readonly partition: number;
  /** May be empty, because of control records, aborted transactions or compaction. */
  readonly records: readonly BrokerRecord[];
  /** The offset after the chunk, including control records and compacted records. */
  readonly next: number;
  /** As for a batch. @throws RangeError no such record */
  fingerprint(index: number): RecordFingerprint;
}

/**
 * Every method @throws Failure broker_unreachable (after the connection timeout), broker_refused (authentication or
 * authorization failed), and the failures given with it.
 */
export interface BrokerAdmin extends AsyncDisposable {
  clusterId(): Promise<string>;
  /** Required requests that these brokers do not support, by their names in the protocol. */
  missingRequests(): Promise<readonly string[]>;
  /** All topics except internal ones, sorted. */
  topicNames(): Promise<readonly string[]>;
  /** All consumer groups, sorted. */
  groupNames(): Promise<readonly string[]>;
  /** Number of partitions, or undefined if the topic does not exist. Never creates the topic. */
  partitionCount(topic: string): Promise<number | undefined>;
  /** Number of running nodes in the cluster. */
  brokerCount(): Promise<number>;
  /** Describes a topic; undefined if it does not exist. Never creates the topic. */
  describeTopic(topic: string): Promise<TopicDescription | undefined>;
  /**
   * Creates a topic unless it exists.
   *
   * @param options.replication replicas, fewer if the cluster has fewer brokers; default 1
   * @param options.configs topic configuration by Kafka's names
   * @returns whether this call created it
   */
  createTopic(
    topic: string,
    options: { partitions: number; replication?: number; configs?: Readonly<Record<string, string>> },
  ): Promise<boolean>;
  /** Increases the number of partitions to `total`. @throws Failure broker_refused if there already are that many */
  addPartitions(topic: string, total: number): Promise<void>;
  /** Sets the given values and leaves all others unchanged. @throws Failure broker_refused if a value is invalid */
  alterTopicConfig(topic: string, configs: Readonly<Record<string, string>>): Promise<void>;
  /** One configuration value of a topic, or undefined if the broker does not return it. */
  topicConfig(topic: string, name: string): Promise<string | undefined>;
  /** The ranges of all partitions. Waits for partitions that have no leader. */
  ranges(topic: string): Promise<readonly PartitionRange[]>;
  /** The ranges of the partitions whose leader answers. */
  ledRanges(topic: string): Promise<readonly PartitionRange[]>;
  /** By partition, the first offset whose timestamp is at or after `timestampMs`; the end if there is none. */
  offsetsAt(topic: string, timestampMs: number): Promise<ReadonlyMap<number, number>>;
  /**
   * Compares positions with the current topic, as a consumer does at each join. For a partition without a leader, only
   * the cluster is compared.
   *
   * @returns by partition, the positions from which reading cannot continue
   */
  refusedPositions(
    topic: string,
    positions: ReadonlyMap<number, Position>,
  ): Promise<ReadonlyMap<number, RefusedPosition>>;
  /**
   * All committed records of the ranges, one range after the other, in order of offsets, fetched on demand. Belongs to
   * no group and commits nothing. A partition may be in several ranges.
   *
   * @throws Failure topic_missing, not_found (no such partition), offsets_gone (requested records were deleted, before
   * or during reading), invalid_input (a record batch is damaged in Kafka itself), broker_unreachable (no answer or no
   * progress within the connection timeout), broker_refused; the signal's reason if it aborts
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
  /** Removes a member from the group. Without effect if it has already left. */
  removeMember(group: string, memberId: string): Promise<void>;
  /** The ACLs of the cluster; null: the brokers have no authorizer and allow everything. */
  accessRules(): Promise<readonly AccessRule[] | null>;
  /** Adds rules that do not exist yet. They take effect on all brokers shortly afterwards. */
  allow(rules: readonly AccessRule[]): Promise<void>;
  /** Removes rules. Without effect for rules that do not exist. */
  removeRules(rules: readonly AccessRule[]): Promise<void>;
}

export interface SendRecord {
  readonly key: Uint8Array | string | null;
  readonly value: Uint8Array | null;
  readonly headers?: Headers;
  /** The `traceparent` of an earlier trace, to which the span of this record links. */
  readonly link?: string;
}

export interface SentRecord {
  readonly partition: number;
  readonly offset: number;
}

/** Its position if stored; `refused`: not for its size; `unknown`: no answer, so it may be stored now or later. */
export type SendOutcome = SentRecord | 'too_large' | 'refused' | 'unknown' | 'not_sent';

export interface SendResult {
  /** In the order of the records. */
  readonly outcomes: readonly SendOutcome[];
  /** Why records are `unknown` or `not_sent`: broker_unreachable, broker_refused or not_found; null: none is. */
  readonly failure: Error | null;
}

export interface SendOptions {
  /** The records were committed with their headers: a resend must have the same, so no span may replace one. */
  readonly isCommitted?: boolean;
  /** After it aborts, requests under way have a few seconds to finish. */
  readonly signal?: AbortSignal;
}

/** An idempotent producer with acks=all. Call `send` one at a time; records with the same key keep their order. */
export interface Producer extends AsyncDisposable {
  /** Sends the records. A partition or node that does not answer does not delay the others. */
  send(topic: string, records: readonly SendRecord[], options?: SendOptions): Promise<SendResult>;
}

export type ConsumerEvent =
  | { readonly kind: 'joined'; readonly partitions: readonly TopicPartition[] }
  /** The brokers have not answered for `forMs`; repeated every 30 s. */
  | { readonly kind: 'waiting'; readonly forMs: number; readonly message: string }
  | { readonly kind: 'resumed' }
  /** An answer is late. Sent long before `waiting`, and ended by `answered`. */
  | { readonly kind: 'silent' }
  | { readonly kind: 'answered' }
  /** Records not read for 10 s, or left unread by a bounded run, because of open transactions; every 30 s. */
  | { readonly kind: 'held_back'; readonly ranges: readonly (RecordRange & TopicPartition)[] }
  /** The group's offset could not be committed. The stored position is unaffected; the next batch tries again. */
  | { readonly kind: 'commit_failed'; readonly message: string };

export interface RunOptions {
  /** All topics of this run. */
  readonly topics: readonly string[];
  readonly group: string;
  /** Part of the group's protocol name, so that the group refuses a member that uses another store. */
  readonly storeId: string;
  /**
   * `exclusive`: one member has all partitions, and a second one is refused. `shared`: the members of the group divide
   * the partitions. A member that lost a partition without noticing may deliver records of it until its next
   * heartbeat, so positions must be compared where they are stored.
   */
  readonly mode: 'exclusive' | 'shared';
  /** This member got these partitions. It reads them once this has resolved; `positions` must then have theirs. */
  readonly onAssigned?: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** This member lost these partitions: no batch of them is in progress or will arrive. Others get them afterwards. */
  readonly onRevoked?: (partitions: readonly TopicPartition[]) => Promise<void>;
  /** The id of the store, by which the stale member of a killed process is recognised. */
  readonly clientId: string;
  /** Processes.self of this process, which others read in the description of the group. */
  readonly process?: string | null;
  /** Committed with each offset: the mark of the store. */
  readonly metadata: string;
  /** The maximum number of records in a batch; default: a number that suits a commit to files. */
  readonly maxBatchRecords?: number;
  /** The current positions. A partition without one starts at the earliest offset. */
  readonly positions: () => Iterable<Position>;
  /**
   * Receives the earliest offsets, at which partitions without a position start. They are not read before this has
   * resolved; if `positions` has a position for them by then, they start there instead.
   */
  readonly onStart?: (starts: readonly RecordId[]) => Promise<void>;
  readonly onEvent: (event: ConsumerEvent) => void;
  /**
   * Called with the records of the next batch while the previous one is processed, for work that needs no position. The
   * next batch has the same array, unless a seek, a join or a failure occurs in between.
   */
  readonly onNext?: (records: readonly BrokerRecord[], of: TopicPartition) => void;
  /** Give up after this time without an answer; null: wait forever. */
  readonly stallTimeoutMs: number | null;
  readonly signal: AbortSignal;
}

export interface Consumer extends AsyncDisposable {
  /**
   * Delivers one batch at a time, each partition from its position on, until `signal` aborts; then finishes the
   * current batch, commits, leaves the group and resolves. At each join, before the first batch, every position is
   * compared with the topic: it must be within the range of offsets, and the record before it must be the one that was
   * read.
   *
   * `onBatch` resolves with the next offset to read: `batch.next` to continue, any other to seek. Only then is the
   * offset committed to Kafka, in the background. Heartbeats continue while `onBatch` works. If it rejects, so does
   * `run`.
   *
   * @throws Failure offsets_gone (the record at the position was deleted, or the position is past the end),
   * topic_changed (the record before the position is a different one), group_in_use (in exclusive mode, the group has
   * another member; or it has foreign members), topic_missing, broker_unreachable (no answer for stallTimeoutMs),
   * broker_refused
   */
  run(options: RunOptions, onBatch: (batch: Batch) => Promise<number>): Promise<void>;
}

/** The cluster of the settings. Creating a Broker opens no connection. */
export interface Broker {
  readonly addresses: string;
  admin(): Promise<BrokerAdmin>;
  producer(): Promise<Producer>;
  consumer(): Promise<Consumer>;
}
