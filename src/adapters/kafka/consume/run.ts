import { isFailure, type FailureContext } from '../../../domain/failure.ts';
import type { Batch, RunOptions } from '../../../ports/broker.ts';
import type { Position, TopicPartition } from '../../../ports/store.ts';
import { PartitionMap } from '../partition-map.ts';
import { KafkaClient } from '../protocol/client.ts';
import { CommitQueue } from './commit-queue.ts';
import { Delivery } from './delivery.ts';
import { answerOf, toFailure, topicMissing } from '../protocol/errors.ts';
import { Fetcher } from './fetcher.ts';
import type { FetchBudget } from '../fetch-budget.ts';
import type { KafkaOptions } from '../options.ts';
import { Leaders } from './leaders.ts';
import { Membership } from './membership.ts';
import { Ownership } from './ownership.ts';
import { PositionChecks } from './position-checks.ts';
import { Sources } from './sources.ts';
import { joinWhenThere, Watch } from './watch.ts';

/**
 * The consumer loop, on kafkajs's connections. Kafka provides the records and shows others how far we are, but only
 * the stored positions determine where to read. After anything that could change what a position means (a join,
 * another leader, a lost connection, an offset out of range), it is compared with the topic again before the next
 * record of that partition is delivered.
 */
export class Run {
  readonly #options: RunOptions;
  readonly #client: KafkaClient;
  readonly #membership: Membership;
  readonly #ownership: Ownership;
  readonly #commits: CommitQueue;
  readonly #leaders: Leaders;
  readonly #fetcher: Fetcher;
  readonly #delivery: Delivery;
  readonly #checks: PositionChecks;
  readonly #watch: Watch;
  readonly #sources: Sources;
  /** Aborts to end the reading, on request or after a failure. */
  readonly #halt = new AbortController();
  /** Aborts when everything is over, including the heartbeats. */
  readonly #ended = new AbortController();
  /** The positions that the handler returned, for partitions that have no stored position yet. */
  readonly #read = new PartitionMap<number>();
  #failure: { error: unknown } | undefined;
  /** A join that was not reported yet: it is reported once every position was compared. */
  #joinedTo: readonly TopicPartition[] | undefined;

  constructor(
    kafka: KafkaOptions,
    budget: FetchBudget,
    options: RunOptions,
    onBatch: (batch: Batch) => Promise<number>,
  ) {
    const { topics, group, metadata, onEvent } = options;
    this.#options = options;
    this.#client = new KafkaClient(kafka);
    const onFailed = (error: unknown): void => {
      this.#fail(error);
    };
    this.#membership = this.#newMembership(onFailed);
    this.#ownership = this.#newOwnership(onFailed);
    this.#commits = new CommitQueue({
      group,
      metadata,
      membership: this.#membership,
      isOurs: (partition) => this.#ownership.has(partition),
      onEvent,
    });
    const reading = { client: this.#client, signal: this.#halt.signal, onFailed };
    this.#leaders = new Leaders({
      ...reading,
      topics,
      others: () => this.#sources.others,
      partitionsRead: () => this.#sources.partitionsRead(),
      isTroubled: () => this.#fetcher.slots.isTroubled,
      onRead: (...read) => {
        this.#sources.saw(...read);
        this.#fetcher.slots.sawLeaders();
      },
    });
    this.#fetcher = new Fetcher({
      ...reading,
      leaders: this.#leaders,
      budget,
      portionRecords: options.maxBatchRecords,
      onDoubt: () => {
        this.#checks.begin();
      },
    });
    this.#delivery = this.#newDelivery(onBatch);
    this.#checks = new PositionChecks({
      ...reading,
      leaders: this.#leaders,
      fetcher: this.#fetcher,
      positions: () => this.#positions(),
      onStart: async (starts) => options.onStart?.(starts),
      onChecked: () => {
        this.#reportJoin();
      },
    });
    this.#sources = this.#newSources(onFailed);
    this.#watch = new Watch({
      addressOf: (nodeId) => this.#client.addressOf(nodeId),
      addresses: this.#client.addresses,
      stallTimeoutMs: options.stallTimeoutMs,
      owed: () => this.#fetcher.slots.owed(),
      heldBack: () => this.#fetcher.slots.heldBack(),
      onEvent,
      onStalled: onFailed,
    });
  }

  #newMembership(onFailed: (error: unknown) => void): Membership {
    const { topics, group, storeId, process = null, mode } = this.#options;
    const isShared = mode === 'shared';
    return new Membership({
      client: this.#client,
      topics,
      group,
      storeId,
      process,
      known: () => this.#leaders.partitions,
      claims: isShared ? () => this.#ownership.claims() : undefined,
      signal: this.#ended.signal,
      onJoined: ({ assigned, ...joined }) => {
        this.#sources.joined(joined);
        this.#fetcher.slots.doubtAll();
        this.#ownership.joined(assigned);
        this.#commits.kick();
      },
      onExpired: () => {
        // Where one member has all partitions, no other has got them meanwhile.
        if (isShared) this.#ownership.expired();
      },
      onLost: onFailed,
    });
  }

  #newOwnership(onFailed: (error: unknown) => void): Ownership {
    const { onAssigned, onRevoked } = this.#options;
    return new Ownership({
      signal: this.#halt.signal,
      onStop: (partitions) => {
        this.#fetcher.remove(partitions);
        for (const partition of partitions) this.#read.delete(partition);
      },
      released: (partitions) => this.#delivery.released(partitions),
      committed: (partitions) => this.#commits.settled(partitions, this.#halt.signal),
      onAssigned: async (partitions) => onAssigned?.(partitions),
      onRevoked: async (partitions) => onRevoked?.(partitions),
      onReady: (partitions) => {
        this.#joinedTo = partitions;
        if (!this.#fetcher.add(partitions)) this.#reportJoin();
      },
      onGivenBack: () => {
        this.#membership.rejoin();
      },
      onFailed,
    });
  }

  #newDelivery(onBatch: (batch: Batch) => Promise<number>): Delivery {
    return new Delivery({
      fetcher: this.#fetcher,
      signal: this.#halt.signal,
      clusterId: () => this.#leaders.clusterId,
      onBatch,
      onNext: this.#options.onNext,
      onDone: (of, wanted) => {
        if (!this.#ownership.has(of)) return;
        this.#read.set(of, wanted);
        this.#commits.add(of, wanted);
      },
    });
  }

  #newSources(onFailed: (error: unknown) => void): Sources {
    return new Sources({
      topics: this.#options.topics,
      addresses: this.#client.addresses,
      positions: () => this.#positions(),
      onGrown: () => {
        this.#membership.rejoin();
      },
      onFailed,
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
    await joinWhenThere((timeoutMs) => this.#membership.start(timeoutMs), this.#options);
  }

  async #loop(): Promise<void> {
    while (!this.#halt.signal.aborted) {
      const ready = this.#fetcher.peek();
      if (ready === undefined) {
        await this.#fetcher.arrival();
        continue;
      }
      await this.#delivery.next(ready);
    }
  }

  #positions(): PartitionMap<Position> {
    const positions = new PartitionMap<Position>();
    // Read in this run, but not stored: a handler need not store a position when a batch changed nothing.
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
    this.#fetcher.close();
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
    // A not_found from the handler is about something else.
    throw isFailure(failure, 'not_found') && answerOf(failure.cause) === 'UNKNOWN_TOPIC_OR_PARTITION'
      ? topicMissing(this.#options.topics.join(', '), addresses, error)
      : failure;
  }
}
