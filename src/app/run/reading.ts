import type { RecordId } from '../../domain/orders/order.ts';
import { byTopic } from '../../domain/topics/by-topic.ts';
import type { BrokerAdmin, Consumer, ConsumerEvent, RunOptions } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';
import type { ProcessorStatus } from '../../ports/owner.ts';
import type { Store } from '../../ports/store.ts';
import { storedPositions, storeStarts } from '../offsets/group-positions.ts';
import { ofReader } from '../offsets/of-reader.ts';
import { markOf } from '../offsets/plan.ts';
import { BatchRunner, type BatchRunnerParts } from './batches/batch.ts';
import type { CodecOf, RunEvent, Service, ServiceSummary } from './events.ts';
import type { PreparedTopic } from './prepare.ts';
import { Progress } from './batches/progress.ts';

export interface ReadingParts extends Pick<
  BatchRunnerParts<unknown, { kind: string }>,
  'outbox' | 'effects' | 'waits' | 'quota' | 'tracer'
> {
  readonly store: Store;
  readonly service: Service;
  readonly topics: readonly PreparedTopic[];
  readonly codecOf: CodecOf;
  /** As Processes.self. */
  readonly process: string | null;
  readonly clock: Clock;
  /** The run ends by itself: what other processes read for the group counts too. */
  readonly untilEnd: boolean;
  readonly on: (event: RunEvent) => void;
  /** Called when records were read or the group was joined. */
  readonly onProgress: () => void;
  /** Aborts when no more records are to be read. */
  readonly end: AbortSignal;
}

/**
 * The most records in a commit to a database. Each commit locks the rows of users and items and writes items again,
 * however many orders it holds: one commit of 10,000 takes 70% of the CPU time of five commits of 2,000. A fetch from a
 * broker, at most 2 MiB for a partition, holds no more than this.
 */
const SHARED_BATCH_RECORDS = 12_000;
/** How often to check how far other processes have read. */
const LOOK_MS = 500;

interface Topic {
  readonly prepared: PreparedTopic;
  /** The partitions assigned to this process, when several processes share them; null: all partitions. */
  readonly owned: Set<number> | null;
  readonly progress: Progress;
  readonly batches: BatchRunner<unknown, { kind: string }>;
}

/** Runs one processor: a consumer of its group, whose batches go into the store, topic by topic. */
export class Reading {
  readonly #parts: ReadingParts;
  readonly #topics = new Map<string, Topic>();
  #hasJoined = false;

  static async of(parts: ReadingParts): Promise<Reading> {
    const reading = new Reading(parts);
    for (const prepared of parts.topics)
      reading.#topics.set(prepared.topic, reading.#topicOf(prepared, await parts.codecOf(prepared.source)));
    return reading;
  }

  private constructor(parts: ReadingParts) {
    this.#parts = parts;
  }

  #topicOf(prepared: PreparedTopic, codec: Codec<unknown>): Topic {
    const { service, on } = this.#parts;
    const { source, dlqTopic, positions, ranges } = prepared;
    const { name: processor } = service.processor;
    const batches = new BatchRunner({
      ...this.#parts,
      source,
      dlqTopic,
      positions,
      codec,
      onCommitted: (committed) => on({ kind: 'committed', processor, ...committed }),
    });
    const owned = this.#parts.store.isShared ? new Set<number>() : null;
    return { prepared, owned, batches, progress: new Progress(ranges, positions) };
  }

  get service(): Service {
    return this.#parts.service;
  }

  get topics(): readonly string[] {
    return [...this.#topics.keys()];
  }

  /**
   * Whether everything that was to be read is read. False before the group is joined, since the join compares the
   * positions with the topics.
   */
  get atEnd(): boolean {
    return this.#hasJoined && this.#all(({ progress }) => progress.atEnd());
  }

  get remaining(): number {
    return this.#sum(({ progress }) => progress.remaining());
  }

  get lag(): number {
    return this.#sum(({ progress, owned }) => progress.lag((partition) => owned?.has(partition) ?? true));
  }

  get partitions(): ProcessorStatus['partitions'] {
    return [...this.#topics].flatMap(([topic, { owned, progress }]) =>
      progress
        .partitions()
        .filter(({ partition }) => owned?.has(partition) ?? true)
        .map(({ partition, next, lag }) => ({ topic, partition, next, lag })),
    );
  }

  /** Extends what is to be read to the present ends of these topics. */
  async raise(admin: BrokerAdmin, topics: ReadonlySet<string>): Promise<void> {
    for (const [name, { progress }] of this.#topics)
      if (topics.has(name)) progress.raise(await admin.ranges(name));
  }

  /** Runs until `end` aborts. @throws Failure as Consumer.run and the store */
  async run(consumer: Consumer, stallTimeoutMs: number | null): Promise<void> {
    const { service, store, untilEnd } = this.#parts;
    if (store.isShared && untilEnd) void this.#watchOthers();
    try {
      await this.#consume(consumer, stallTimeoutMs);
    } catch (error) {
      throw ofReader(error, service.processor.name);
    }
  }

  #consume(consumer: Consumer, stallTimeoutMs: number | null): Promise<void> {
    const { service, store, process, end, onProgress } = this.#parts;
    return consumer.run(
      {
        topics: this.topics,
        group: service.group,
        mode: store.isShared ? 'shared' : 'exclusive',
        storeId: store.storeId,
        clientId: markOf(store.storeId),
        process,
        metadata: markOf(store.storeId),
        positions: () =>
          [...this.#topics.values()].flatMap(({ prepared }) => [...prepared.positions.values()]),
        onStart: (starts) => this.#storeStarts(starts),
        ...(store.isShared ? { ...this.#sharing(), maxBatchRecords: SHARED_BATCH_RECORDS } : {}),
        onEvent: (event) => this.#take(event),
        onNext: (records, { topic }) => this.#topics.get(topic)?.batches.expect(records),
        stallTimeoutMs,
        signal: end,
      },
      async (batch) => {
        const topic = this.#topics.get(batch.topic);
        if (topic === undefined)
          throw new Error(`received a batch of ${batch.topic}, which was not subscribed`);
        const next = await topic.batches.process(batch);
        topic.progress.advance(batch.partition, next, batch.highWatermark);
        onProgress();
        return next;
      },
    );
  }

  async #storeStarts(starts: readonly RecordId[]): Promise<void> {
    for (const [topic, of] of byTopic(starts)) {
      const { name: processor } = this.service.processor;
      const inForce = await storeStarts(this.#parts.store, { processor, topic }, of);
      const { prepared, progress } = this.#topics.get(topic) ?? {};
      for (const position of inForce) prepared?.positions.set(position.partition, position);
      progress?.raise(of.map(({ partition, offset }) => ({ partition, start: offset, end: offset })));
    }
  }

  /** A newly assigned partition continues from its stored position: other processes may have read it meanwhile. */
  #sharing(): Pick<RunOptions, 'onAssigned' | 'onRevoked'> {
    return {
      onAssigned: async (partitions) => {
        for (const [topic, { prepared, owned, progress }] of this.#topics) {
          const stored = await this.#stored(topic);
          for (const { partition } of partitions.filter((one) => one.topic === topic)) {
            const position = stored.get(partition);
            if (position === undefined) prepared.positions.delete(partition);
            else prepared.positions.set(partition, position);
            progress.passed(partition, position?.next ?? 0);
            owned?.add(partition);
          }
        }
      },
      onRevoked: async (partitions) => {
        for (const { topic, partition } of partitions) this.#topics.get(topic)?.owned?.delete(partition);
      },
    };
  }

  #stored(topic: string): ReturnType<typeof storedPositions> {
    const { store, service } = this.#parts;
    return storedPositions(store, { processor: service.processor.name, topic });
  }

  /**
   * Runs until `end` aborts, so that records read by other processes count. Failures of the store end the run
   * elsewhere.
   */
  async #watchOthers(): Promise<void> {
    const { clock, end, onProgress } = this.#parts;
    while (!end.aborted) {
      await clock.sleep(LOOK_MS, end);
      if (!this.#hasJoined) continue;
      for (const [name, { owned, progress }] of this.#topics) {
        const stored = await this.#stored(name).catch(() => new Map<number, never>());
        for (const [partition, { next }] of stored)
          if (owned?.has(partition) !== true) progress.passed(partition, next);
      }
      onProgress();
    }
  }

  summary(): ServiceSummary {
    const { processor, group, tally } = this.service;
    return {
      processor: processor.name,
      group,
      totals: tally.totals(),
      skipped: this.#sum(({ prepared }) => prepared.skipped),
      topics: [...this.#topics].map(([topic, { progress }]) => ({
        topic,
        partitions: progress.partitions(),
      })),
    };
  }

  #take(event: ConsumerEvent): void {
    const { on, waits, onProgress, service } = this.#parts;
    const { name: processor } = service.processor;
    switch (event.kind) {
      case 'joined':
        this.#hasJoined = true;
        onProgress();
        break;
      case 'waiting':
        waits.begin('broker', this, event.forMs, event.message);
        break;
      case 'resumed':
        waits.end('broker', this);
        break;
      case 'silent':
      case 'answered':
        on({ kind: event.kind, processor });
        break;
      case 'held_back':
        on({ ...event, processor });
        break;
      case 'commit_failed':
        on({ kind: 'commit_failed', processor, message: event.message });
        break;
    }
  }

  #all(test: (topic: Topic) => boolean): boolean {
    return [...this.#topics.values()].every(test);
  }

  #sum(count: (topic: Topic) => number): number {
    return [...this.#topics.values()].reduce((sum, topic) => sum + count(topic), 0);
  }
}
