import { setImmediate as nextTurn } from 'node:timers/promises';

import { isFailure, type FailureContext } from '../../../domain/failure.ts';
import type { Batch, Consumer, RunOptions } from '../../../ports/broker.ts';
import type { Position, TopicPartition } from '../../../ports/store.ts';
import { PartitionMap } from '../partition-map.ts';
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
import { Sources } from './sources.ts';
import { BadBatchError } from '../protocol/record-batch.ts';
import { Watch } from './watch.ts';

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
  readonly #sources: Sources;
  /** Aborts to end the reading: asked from outside, or failed. */
  readonly #halt = new AbortController();
  /** Aborts when all is over, the heartbeats too. */
  readonly #ended = new AbortController();
  /** What the handler returned, for partitions that have no stored position yet. */
  readonly #read = new PartitionMap<number>();
  #failure: { error: unknown } | undefined;
  /** A join that was not reported yet: that waits until every position was compared. */
  #joinedTo: readonly TopicPartition[] | undefined;

  constructor(kafka: KafkaOptions, options: RunOptions, onBatch: (batch: Batch) => Promise<number>) {
    const { topics, group, storeId, process = null, metadata, onEvent } = options;
    this.#options = options;
    this.#onBatch = onBatch;
    this.#client = new KafkaClient(kafka);
    const onFailed = (error: unknown): void => {
      this.#fail(error);
    };
    this.#membership = new Membership({
      client: this.#client,
      topics,
      group,
      storeId,
      process,
      signal: this.#ended.signal,
      onJoined: (partitions) => {
        this.#joined(partitions);
      },
      onLost: onFailed,
    });
    this.#commits = new CommitQueue({
      group,
      metadata,
      membership: this.#membership,
      onEvent,
    });
    const reading = { client: this.#client, signal: this.#halt.signal, onFailed };
    this.#leaders = new Leaders({
      ...reading,
      topics,
      isTroubled: () => this.#fetcher.slots.isTroubled,
      onRead: (partitions, clusterId) => {
        this.#sources.saw(partitions, clusterId);
        this.#fetcher.slots.sawLeaders();
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
    this.#sources = new Sources({
      topics,
      addresses: this.#client.addresses,
      positions: () => this.#positions(),
      onGrown: () => {
        this.#membership.rejoin();
      },
      onFailed,
    });
    this.#watch = new Watch({
      addressOf: (nodeId) => this.#client.addressOf(nodeId),
      addresses: this.#client.addresses,
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
    const { topics, signal } = this.#options;
    const found = await this.#client.retry({ ...this.#doing(), signal }, () => this.#client.topics(topics));
    const missing = topics.find((name) => !found.topics.some(({ topic }) => topic === name));
    if (missing !== undefined) throw topicMissing(missing, this.#client.addresses);
    await interruptible(this.#membership.start(), signal);
  }

  async #loop(): Promise<void> {
    while (!this.#halt.signal.aborted) {
      const ready = this.#fetcher.peek();
      if (ready === undefined) {
        await this.#fetcher.arrival();
        continue;
      }
      const portion = this.#take(ready.of, ready.data);
      if (ready.data.isExhausted) this.#fetcher.finish(ready.of, ready.data.next);
      if (portion !== undefined) await this.#deliver(ready.of, ready.data.highWatermark, portion);
    }
  }

  #take({ topic, partition }: TopicPartition, data: FetchedPartition): Portion | undefined {
    try {
      return data.take();
    } catch (error) {
      if (error instanceof BadBatchError) throw badBatch(topic, partition, error);
      throw error;
    }
  }

  async #deliver(of: TopicPartition, highWatermark: number, { records, next }: Portion): Promise<void> {
    this.#fetcher.hold(of);
    const working = this.#onBatch({
      ...of,
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
    this.#read.set(of, wanted);
    if (wanted !== next) this.#fetcher.seek(of, wanted);
    this.#fetcher.hold(undefined);
    this.#commits.add(of, wanted);
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

  #positions(): PartitionMap<Position> {
    const positions = new PartitionMap<Position>();
    // Read in this run, but not stored: a handler need not store what brought nothing.
    for (const [of, next] of this.#read) positions.set(of, { ...of, next, last: null, clusterId: null });
    for (const position of this.#options.positions()) positions.set(position, position);
    return positions;
  }

  #reportJoin(): void {
    const partitions = this.#joinedTo;
    if (partitions === undefined || !this.#fetcher.slots.isSure) return;
    this.#joinedTo = undefined;
    this.#options.onEvent({ kind: 'joined', partitions });
  }

  #joined(partitions: readonly TopicPartition[]): void {
    this.#sources.joined(partitions);
    this.#joinedTo = partitions;
    this.#fetcher.add(partitions);
    this.#commits.kick();
  }

  /** What an error is about. */
  #doing(): { doing: string; context: FailureContext } {
    const { topics } = this.#options;
    const [topic = '', ...others] = topics;
    if (others.length === 0) return { doing: `read topic ${topic}`, context: { topic } };
    return { doing: `read topics ${topics.join(', ')}`, context: {} };
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
    const { addresses } = this.#client;
    const failure = toFailure(error, { addresses, ...this.#doing() });
    throw isFailure(failure, 'not_found')
      ? topicMissing(this.#options.topics.join(', '), addresses, error)
      : failure;
  }
}
