import type { RecordId } from '../../src/domain/orders/order.ts';
import { idOfRule, type AccessRule } from '../../src/domain/access/rights.ts';
import { Failure, type FailureCode } from '../../src/domain/failure.ts';
import type {
  Batch,
  Broker,
  BrokerAdmin,
  BrokerRecord,
  CommittedOffset,
  Consumer,
  GroupMember,
  Producer,
  RecordChunk,
  RecordRange,
  RunOptions,
  SendRecord,
  SendResult,
} from '../../src/ports/broker.ts';
import type { RefusedPosition } from '../../src/ports/record.ts';

interface Read {
  readonly topic: string;
  readonly partition: number;
  readonly log: readonly BrokerRecord[];
  next: number;
}

function commitKey(group: string, topic: string, partition: number): string {
  return topic === 'orders' ? String(partition) : `${group} ${topic}/${partition}`;
}

function fingerprintIn(records: readonly BrokerRecord[]): Batch['fingerprint'] {
  return (index) => {
    const record = records[index];
    if (record === undefined) throw new RangeError(`no record ${index}`);
    return { offset: record.offset, timestamp: record.timestamp, crc: record.offset * 7 };
  };
}

/** A cluster in memory whose consumer delivers records in batches of a size that the test sets. */
export class ScriptedBroker implements Broker {
  readonly addresses = 'scripted';
  readonly clusterId = 'cluster-1';
  readonly topics = new Map<string, BrokerRecord[][]>();
  /** Those of the records that were sent. */
  readonly links: (string | undefined)[] = [];
  /** By partition for the orders topic; by group, topic and partition for others. */
  readonly committedBy = new Map<string, CommittedOffset>();
  members: GroupMember[] = [];
  removed: string[] = [];
  batchRecords = 3;
  /** Also delivers this many records from before the position, as a fetch that was under way before a seek does. */
  staleRecords = 0;
  /** The next batch is not the one that `onNext` announced, as after a seek. */
  misleads = false;
  /** Offsets of control records: they occupy an offset in the log, and consumers do not see them. */
  readonly control = new Set<number>();
  /** Refuses positions whose last record now has another time, as a cluster does by its fingerprint. */
  comparesRecords = false;
  /** Values longer than this are refused. */
  maxValueBytes = 1000;
  sendFailures: Failure[] = [];
  /** At the end of the script the consumer waits for more records instead of failing. */
  idles = false;
  /** Called before each `send` of a producer. */
  beforeSend: () => Promise<void> = async () => undefined;
  /** The outcome of a failing send for the record at this index; `lost_answer` means stored, but not known to be. */
  onSendFailure: (index: number) => 'sent' | 'lost_answer' | 'unknown' | 'not_sent' = () => 'not_sent';
  /** Called before each batch; may throw, abort, or edit the world. */
  beforeBatch: (batch: Batch) => void = () => undefined;
  /** Called after a batch was handled. */
  afterBatch: (batch: Batch) => void = () => undefined;
  brokers = 1;
  /** null: everyone may do everything. */
  rules: AccessRule[] | null = null;
  /** By topic; a setting that is absent has the broker's default. */
  readonly configs = new Map<string, Map<string, string>>();
  readonly replication = new Map<string, number>();
  /** Partitions that have no leader. */
  readonly leaderless = new Set<number>();

  createTopic(topic: string, partitions = 1): BrokerRecord[][] {
    const made = Array.from({ length: partitions }, (): BrokerRecord[] => []);
    this.topics.set(topic, made);
    return made;
  }

  append(topic: string, partition: number, record: Partial<BrokerRecord>): number {
    const log = this.topics.get(topic)?.[partition];
    if (log === undefined) throw new Error(`no partition ${topic}/${partition}`);
    const offset = (log.at(-1)?.offset ?? -1) + 1;
    log.push({ offset, timestamp: 1_000 + offset, key: null, value: null, headers: [], ...record });
    return offset;
  }

  async admin(): Promise<BrokerAdmin> {
    const range = (log: BrokerRecord[], partition: number) => ({
      partition,
      start: log[0]?.offset ?? 0,
      end: (log.at(-1)?.offset ?? -1) + 1,
    });
    return {
      clusterId: async () => this.clusterId,
      missingRequests: async () => [],
      topicNames: async () => [],
      groupNames: async () => [],
      accessRules: async () => this.rules,
      allow: async (rules) => void this.rules?.push(...rules),
      removeRules: async (rules) => {
        const gone = new Set(rules.map(idOfRule));
        this.rules = this.rules?.filter((rule) => !gone.has(idOfRule(rule))) ?? null;
      },
      partitionCount: async (topic) => this.topics.get(topic)?.length,
      createTopic: async (topic, { partitions, replication = 1, configs = {} }) => {
        if (this.topics.has(topic)) return false;
        this.createTopic(topic, partitions);
        this.replication.set(topic, Math.min(replication, this.brokers));
        this.#setConfigs(topic, configs);
        return true;
      },
      brokerCount: async () => this.brokers,
      describeTopic: async (topic) => {
        const partitions = this.topics.get(topic)?.length;
        if (partitions === undefined) return undefined;
        return { partitions, replication: this.replication.get(topic) ?? 1, configs: this.#configsOf(topic) };
      },
      addPartitions: async (topic, total) => {
        const logs = this.topics.get(topic) ?? [];
        while (logs.length < total) logs.push([]);
      },
      alterTopicConfig: async (topic, configs) => this.#setConfigs(topic, configs),
      topicConfig: async (topic, name) => {
        if (!this.topics.has(topic)) throw new Failure('not_found', `there is no topic ${topic}`);
        return this.#configsOf(topic).get(name);
      },
      ranges: async (topic) => {
        if (this.leaderless.size > 0) throw new Failure('broker_unreachable', 'LEADER_NOT_AVAILABLE');
        const logs = this.topics.get(topic);
        if (logs === undefined) throw new Failure('not_found', `there is no topic ${topic}`);
        return logs.map(range);
      },
      ledRanges: async (topic) =>
        (this.topics.get(topic) ?? []).map(range).filter(({ partition }) => !this.leaderless.has(partition)),
      offsetsAt: async (topic, timestampMs) =>
        new Map(
          (this.topics.get(topic) ?? []).map((log, partition) => [
            partition,
            log.find((record) => record.timestamp >= timestampMs)?.offset ?? range(log, partition).end,
          ]),
        ),
      refusedPositions: async (topic, positions) => {
        const refused = new Map<number, RefusedPosition>();
        const logs = this.topics.get(topic) ?? [];
        for (const { partition, start, end } of logs.map(range)) {
          const position = positions.get(partition);
          const { next, last, clusterId } = position ?? { next: start, last: null, clusterId: null };
          const now = logs[partition]?.find(({ offset }) => offset === last?.offset);
          const refuse = (reason: RefusedPosition['reason'], code: FailureCode): void => {
            refused.set(partition, {
              reason,
              failure: new Failure(code, `${topic}/${partition}: ${reason}`),
            });
          };
          if (clusterId !== null && clusterId !== this.clusterId) refuse('cluster', 'topic_changed');
          else if (next < start) refuse('before_start', 'offsets_gone');
          else if (next > end) refuse('past_end', 'offsets_gone');
          else if (this.comparesRecords && now !== undefined && now.timestamp !== last?.timestamp)
            refuse('other_record', 'topic_changed');
        }
        return refused;
      },
      records: (topic, ranges, signal) => this.#records(topic, ranges, signal),
      committed: async (group, topic) =>
        [...this.committedBy].flatMap(([key, entry]) =>
          key === commitKey(group, topic, entry.partition) ? [entry] : [],
        ),
      commit: async (group, topic, offsets) => {
        for (const entry of offsets) this.committedBy.set(commitKey(group, topic, entry.partition), entry);
      },
      group: async () => ({ state: this.members.length === 0 ? 'Empty' : 'Stable', members: this.members }),
      removeMember: async (_group, memberId) => {
        this.removed.push(memberId);
        this.members = this.members.filter((member) => member.memberId !== memberId);
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  #configsOf(topic: string): Map<string, string> {
    const defaults = [
      ['max.message.bytes', '2000'],
      ['retention.ms', '604800000'],
    ] as const;
    return new Map([...defaults, ...(this.configs.get(topic) ?? [])]);
  }

  #setConfigs(topic: string, configs: Readonly<Record<string, string>>): void {
    this.configs.set(topic, new Map([...(this.configs.get(topic) ?? []), ...Object.entries(configs)]));
  }

  async *#records(
    topic: string,
    ranges: readonly RecordRange[],
    signal?: AbortSignal,
  ): AsyncGenerator<RecordChunk> {
    const logs = this.topics.get(topic);
    if (logs === undefined) throw new Failure('topic_missing', `there is no topic ${topic}`);
    for (const { partition, from, to } of ranges) {
      const log = logs[partition];
      if (log === undefined) throw new Failure('not_found', `no partition ${topic}/${partition}`);
      if (from < (log[0]?.offset ?? 0)) throw new Failure('offsets_gone', `${topic}/${partition}@${from}`);
      const wanted = log.filter(({ offset }) => offset >= from && offset < to);
      while (wanted.length > 0) {
        signal?.throwIfAborted();
        const records = wanted.splice(0, this.batchRecords);
        const next = (records.at(-1)?.offset ?? 0) + 1;
        yield { partition, records, next, fingerprint: fingerprintIn(records) };
      }
    }
  }

  async producer(): Promise<Producer> {
    return {
      send: async (topic, records) => {
        await this.beforeSend();
        return this.#send(topic, records);
      },
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  #send(topic: string, records: readonly SendRecord[]): SendResult {
    const gone = this.topics.has(topic) ? null : new Failure('not_found', `there is no topic ${topic}`);
    if (gone !== null) return { outcomes: records.map(() => 'not_sent' as const), failure: gone };
    const failure = this.sendFailures.shift() ?? null;
    const outcomes = records.map((record, index) => {
      const fate = failure === null ? 'sent' : this.onSendFailure(index);
      if (fate === 'unknown' || fate === 'not_sent') return fate;
      if ((record.value?.length ?? 0) > this.maxValueBytes) return 'too_large';
      const key = typeof record.key === 'string' ? new TextEncoder().encode(record.key) : record.key;
      this.links.push(record.link);
      const offset = this.append(topic, 0, { key, value: record.value, headers: record.headers ?? [] });
      return fate === 'lost_answer' ? 'unknown' : { partition: 0, offset };
    });
    return { outcomes, failure };
  }

  async consumer(): Promise<Consumer> {
    return {
      run: (options, onBatch) => this.#run(options, onBatch),
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  async #run(options: RunOptions, onBatch: (batch: Batch) => Promise<number>): Promise<void> {
    const stored = new Map(
      [...options.positions()].map(({ topic, partition, next }) => [`${topic}/${partition}`, next]),
    );
    const starts: RecordId[] = [];
    const reads: Read[] = options.topics.flatMap((topic) =>
      (this.topics.get(topic) ?? []).map((log, partition) => {
        const start = { topic, partition, offset: log[0]?.offset ?? 0 };
        const next = stored.get(`${topic}/${partition}`);
        if (next === undefined && !this.leaderless.has(partition)) starts.push(start);
        return { topic, partition, log, next: next ?? start.offset };
      }),
    );
    if (starts.length > 0) await options.onStart?.(starts);
    options.onEvent({ kind: 'joined', partitions: reads });
    const recordsFrom = ({ log }: Read, from: number): BrokerRecord[] =>
      log.filter(({ offset }) => offset >= from).slice(0, this.batchRecords);
    let ahead: { of: Read; from: number; records: BrokerRecord[] } | undefined;
    while (!options.signal.aborted) {
      const of = reads.find(
        ({ partition, log, next }) => !this.leaderless.has(partition) && next <= (log.at(-1)?.offset ?? -1),
      );
      if (of === undefined) {
        if (!this.idles) throw new Error('the script ran out: nothing would ever end this run');
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const { topic, partition } = of;
      const from = of.next - this.staleRecords;
      const isAhead = ahead?.of === of && ahead.from === from;
      const records = (isAhead ? ahead?.records : undefined) ?? recordsFrom(of, from);
      const batch = this.#batch(topic, partition, records);
      this.beforeBatch(batch);
      const working = onBatch(batch);
      const announced = recordsFrom(of, batch.next + (this.misleads ? 1 : 0));
      ahead =
        this.misleads || announced.length === 0 ? undefined : { of, from: batch.next, records: announced };
      if (announced.length > 0) options.onNext?.(announced, { topic, partition });
      const answer = await working;
      this.afterBatch(batch);
      of.next = answer;
      const commit = { partition, offset: answer, metadata: options.metadata };
      this.committedBy.set(commitKey(options.group, topic, partition), commit);
    }
  }

  #batch(topic: string, partition: number, fetched: BrokerRecord[]): Batch {
    const end = (this.topics.get(topic)?.[partition]?.at(-1)?.offset ?? -1) + 1;
    const hasControl = fetched.some(({ offset }) => this.control.has(offset));
    const records = hasControl ? fetched.filter(({ offset }) => !this.control.has(offset)) : fetched;
    return {
      topic,
      partition,
      records,
      next: (fetched.at(-1)?.offset ?? end - 1) + 1,
      highWatermark: end,
      clusterId: this.clusterId,
      fingerprint: fingerprintIn(records),
    };
  }
}
