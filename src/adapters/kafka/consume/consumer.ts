import { setImmediate as nextTurn } from 'node:timers/promises';

import { isFailure } from '../../../domain/failure.ts';
import type { Batch, Consumer, RunOptions } from '../../../ports/broker.ts';
import type { Position } from '../../../ports/store.ts';
import { interruptible, KafkaClient } from '../protocol/client.ts';
import { CommitQueue } from './commit-queue.ts';
import { badBatch, toFailure, topicMissing } from '../protocol/errors.ts';
import type { FetchedPartition, Portion } from '../protocol/fetched-partition.ts';
import { Fetcher } from './fetcher.ts';
import { fingerprintOf } from '../protocol/fingerprint.ts';
import type { KafkaOptions } from '../kafka-broker.ts';
import { Leaders } from './leaders.ts';
import { Membership } from './membership.ts';
import { PositionChecks } from './position-checks.ts';
import { checkTopic } from './positions.ts';
import { BadBatchError } from '../protocol/record-batch.ts';
import { Watch } from './watch.ts';

/** A topic that is gone that long was deleted, not moved. */
const TOPIC_MISSING_MS = 10_000;

/** Connects to nothing before `run`. */
export function createConsumer(options: KafkaOptions): Consumer {
  return new KafkaConsumer(options);
}

/**
 * The consumer loop over kafkajs's connections. Kafka says what there is to read and shows others how far we are;
 * where to read, the stored positions alone say. Whatever could make one mean something else (a join, another
 * leader, a lost connection, an offset out of range) has it compared with the topic again before the next record of
 * that partition is delivered.
 */
class KafkaConsumer implements Consumer {
  readonly #options: KafkaOptions;
  #run: Run | undefined;

  constructor(options: KafkaOptions) {
    this.#options = options;
  }

  async run(options: RunOptions, onBatch: (batch: Batch) => Promise<number>): Promise<void> {
    const run = new Run({ ...this.#options, clientId: options.clientId }, options, onBatch);
    this.#run = run;
    await run.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run?.close();
  }
}

class Run {
  readonly #options: RunOptions;
  readonly #onBatch: (batch: Batch) => Promise<number>;
  readonly #client: KafkaClient;
  readonly #membership: Membership;
  readonly #commits: CommitQueue;
  readonly #leaders: Leaders;
  readonly #fetcher: Fetcher;
  readonly #checks: PositionChecks;
  readonly #watch: Watch;
  /** Aborts to end the reading: asked from outside, or failed. */
  readonly #halt = new AbortController();
  /** Aborts when all is over, the heartbeats too. */
  readonly #ended = new AbortController();
  /** What the handler returned, for partitions that have no stored position yet. */
  readonly #read = new Map<number, number>();
  #failure: { error: unknown } | undefined;
  #partitionCount = 0;
  /** A join that was not reported yet: that waits until every position was compared. */
  #joinedTo: readonly number[] | undefined;
  #missingSince: number | undefined;

  constructor(kafka: KafkaOptions, options: RunOptions, onBatch: (batch: Batch) => Promise<number>) {
    const { topic, group, process = null, metadata, onEvent } = options;
    this.#options = options;
    this.#onBatch = onBatch;
    this.#client = new KafkaClient(kafka);
    this.#membership = new Membership({
      client: this.#client,
      topic,
      group,
      process,
      signal: this.#ended.signal,
      onJoined: (partitions) => {
        this.#joined(partitions);
      },
      onLost: (error) => {
        this.#fail(error);
      },
    });
    this.#commits = new CommitQueue({
      topic,
      group,
      metadata,
      membership: this.#membership,
      onEvent,
    });
    const onFailed = (error: unknown): void => {
      this.#fail(error);
    };
    const reading = { client: this.#client, topic, signal: this.#halt.signal, onFailed };
    this.#leaders = new Leaders({
      ...reading,
      isTroubled: () => this.#fetcher.slots.isTroubled,
      onRead: (partitions, clusterId) => {
        this.#sawLeaders(partitions, clusterId);
      },
    });
    this.#fetcher = new Fetcher({
      ...reading,
      leaders: this.#leaders,
      onDoubt: () => {
        this.#checks.begin();
      },
    });
    this.#checks = new PositionChecks({
      ...reading,
      leaders: this.#leaders,
      fetcher: this.#fetcher,
      positions: () => this.#positions(),
      onChecked: () => {
        this.#reportJoin();
      },
    });
    this.#watch = new Watch({
      addressOf: (nodeId) => this.#client.addressOf(nodeId),
      addresses: this.#client.addresses,
      topic,
      stallTimeoutMs: options.stallTimeoutMs,
      owed: () => this.#fetcher.slots.owed(),
      onEvent,
      onStalled: onFailed,
    });
  }

  async start(): Promise<void> {
    const { signal } = this.#options;
    const onAbort = () => {
      this.#halt.abort(signal.reason);
      this.#fetcher.wake();
    };
    if (signal.aborted) return;
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#connect();
      this.#watch.start();
      void this.#leaders.run();
      await this.#loop();
    } catch (error) {
      if (error !== signal.reason) this.#fail(error);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#halt.abort(new Error('the run is over'));
      this.#watch.stop();
      await this.#leave();
    }
    this.#throwFailure();
  }

  close(): void {
    this.#fail(new Error('the consumer was disposed of'));
    this.#ended.abort();
    this.#client.close();
  }

  async #connect(): Promise<void> {
    const { topic, signal } = this.#options;
    const found = await this.#client.retry({ doing: `read topic ${topic}`, signal, context: { topic } }, () =>
      this.#client.topic(topic),
    );
    if (found.topic === undefined) throw topicMissing(topic, this.#client.addresses);
    await interruptible(this.#membership.start(), signal);
  }

  async #loop(): Promise<void> {
    while (!this.#halt.signal.aborted) {
      const ready = this.#fetcher.peek();
      if (ready === undefined) {
        await this.#fetcher.arrival();
        continue;
      }
      const portion = this.#take(ready.partition, ready.data);
      if (ready.data.isExhausted) this.#fetcher.finish(ready.partition, ready.data.next);
      if (portion !== undefined) await this.#deliver(ready.partition, ready.data.highWatermark, portion);
    }
  }

  #take(partition: number, data: FetchedPartition): Portion | undefined {
    try {
      return data.take();
    } catch (error) {
      if (error instanceof BadBatchError) throw badBatch(this.#options.topic, partition, error);
      throw error;
    }
  }

  async #deliver(partition: number, highWatermark: number, { records, next }: Portion): Promise<void> {
    const { topic } = this.#options;
    this.#fetcher.hold(partition);
    const working = this.#onBatch({
      topic,
      partition,
      records,
      next,
      highWatermark,
      clusterId: this.#leaders.clusterId,
      fingerprint: (index) => {
        const record = records[index];
        if (record === undefined) throw new RangeError(`the batch has no record ${index}`);
        return fingerprintOf(record);
      },
    });
    await this.#lookAhead(working);
    const wanted = await working;
    this.#read.set(partition, wanted);
    if (wanted !== next) this.#fetcher.seek(partition, wanted);
    this.#fetcher.hold(undefined);
    this.#commits.add(partition, wanted);
  }

  /** Reads the records that come next as soon as `working` waits for something: mostly for the disk. */
  async #lookAhead(working: Promise<number>): Promise<void> {
    // It is awaited later, and may have failed by then.
    working.catch(() => undefined);
    await nextTurn();
    const next = this.#fetcher.peek();
    if (next === undefined || this.#halt.signal.aborted) return;
    const records = next.data.lookAhead();
    if (records.length > 0) this.#options.onNext?.(records);
  }

  #positions(): Map<number, Position> {
    const { topic } = this.#options;
    const positions = new Map<number, Position>();
    // Read in this run, but not stored: a handler need not store what brought nothing.
    for (const [partition, next] of this.#read) {
      positions.set(partition, { topic, partition, next, last: null, clusterId: null });
    }
    for (const [partition, position] of this.#options.positions()) positions.set(partition, position);
    return positions;
  }

  #reportJoin(): void {
    const partitions = this.#joinedTo;
    if (partitions === undefined || !this.#fetcher.slots.isSure) return;
    this.#joinedTo = undefined;
    this.#options.onEvent({ kind: 'joined', partitions });
  }

  #joined(partitions: readonly number[]): void {
    this.#partitionCount = partitions.length;
    this.#joinedTo = partitions;
    this.#fetcher.add(partitions);
    this.#commits.kick();
  }

  #missing(): void {
    this.#missingSince ??= Date.now();
    if (Date.now() - this.#missingSince < TOPIC_MISSING_MS) return;
    this.#fail(topicMissing(this.#options.topic, this.#client.addresses));
  }

  #sawLeaders(partitions: readonly number[], clusterId: string): void {
    if (partitions.length === 0) this.#missing();
    else {
      this.#missingSince = undefined;
      checkTopic(this.#positions().values(), { clusterId, partitions });
      if (partitions.length !== this.#partitionCount) this.#membership.rejoin();
    }
    this.#fetcher.slots.sawLeaders();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#halt.abort(new Error('the run failed'));
    this.#fetcher.wake();
  }

  async #leave(): Promise<void> {
    await this.#commits.flush();
    await this.#membership.leave();
    this.#ended.abort();
    this.#client.close();
  }

  #throwFailure(): void {
    if (this.#failure === undefined) return;
    const { error } = this.#failure;
    const { topic } = this.#options;
    const { addresses } = this.#client;
    const failure = toFailure(error, { addresses, doing: `read topic ${topic}`, context: { topic } });
    throw isFailure(failure, 'not_found') ? topicMissing(topic, addresses, error) : failure;
  }
}
