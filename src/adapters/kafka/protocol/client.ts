import { setTimeout as sleep } from 'node:timers/promises';

import type { Failure, FailureContext } from '../../../domain/failure.ts';
import { nameOf, parseAddress, type Address } from './address.ts';
import { connector, destroyConnections, type Sockets } from './connections.ts';
import { brokersSilent, isPassing, isRefused, toFailure, unreachable } from './errors.ts';
import {
  createErrorFromCode,
  UNKNOWN_TOPIC_OR_PARTITION,
  LEADER_NOT_AVAILABLE,
  type BrokerNode,
} from './kafkajs.ts';
import type { KafkaOptions } from '../options.ts';
import { firstSuccess, interruptible } from './race.ts';
import { fetchMetadata, fullest, type ClusterMetadata, type TopicMetadata } from './requests/metadata.ts';

/** A program that finds no broker ends within 10 s of its start: a second is left for starting and ending. */
const CONNECT_TIMEOUT_MS = 9_000;
/** Where every address refuses connections, only a broker that is just starting could still answer. */
const REFUSED_TIMEOUT_MS = 1_200;
/** How long an address may take to answer before the next one is asked too, as in RFC 8305 ("happy eyeballs"). */
const STAGGER_MS = 250;
/** How long other nodes are asked for what one of them lacks. */
const OTHERS_TIMEOUT_MS = 1_000;
const FIRST_PAUSE_MS = 50;
export const LONGEST_PAUSE_MS = 1_000;

export interface RetryOptions {
  /** What is being done, to follow "cannot". */
  readonly doing: string;
  /** From the first attempt until no further one is started. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly context?: FailureContext;
}

/** What is known about requested topics. */
export interface KnownTopics {
  /** Further topics, which are left out if the node answers with an error. */
  readonly others?: readonly string[];
  /** How many partitions a topic had before; absent if unknown. */
  readonly partitions?: ReadonlyMap<string, number>;
}

/** A connection to one address, made or being made. */
interface Link {
  readonly opening: Promise<BrokerNode>;
  /** Set once the connection was made. */
  node: BrokerNode | undefined;
}

/** Connections to the nodes of one cluster, each made when it is first needed. */
export class KafkaClient {
  readonly addresses: string;
  readonly connectTimeoutMs: number;
  readonly clientId: string;
  readonly #given: readonly Address[];
  readonly #sockets: Sockets = { open: new Set(), due: [], unanswered: new Map(), closed: false };
  readonly #connect: (address: Address) => Promise<BrokerNode>;
  readonly #links = new Map<string, Link>();
  #known = new Map<number, Address>();
  /** Number of requests to any node so far: each starts with another node. */
  #turn = 0;
  /** When all waiting ends, in terms of performance.now. */
  readonly #endsAt: number;
  readonly #totalTimeoutMs: number;
  /** Some address has answered, now or before. */
  #hasMet = false;

  constructor(options: KafkaOptions) {
    this.addresses = options.brokers.join(',');
    this.clientId = options.clientId;
    this.connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#totalTimeoutMs = options.totalTimeoutMs ?? Infinity;
    this.#endsAt = performance.now() + this.#totalTimeoutMs;
    this.#given = options.brokers.map(parseAddress);
    this.#connect = connector(options, this.#sockets);
  }

  /**
   * Runs `action` until it succeeds, fails with an error that does not pass, or the time is up. As long as no address
   * has ever answered, an attempt does not outlive that time, and the time is short if all addresses refuse.
   *
   * @throws Failure as from toFailure, or the signal's reason
   */
  async retry<T>(options: RetryOptions, action: () => Promise<T>): Promise<T> {
    const { signal } = options;
    const startedAt = performance.now();
    const deadline = Math.min(startedAt + (options.timeoutMs ?? this.connectTimeoutMs), this.#endsAt);
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      signal?.throwIfAborted();
      try {
        return await interruptible(this.#untilLate(action(), startedAt, deadline, options.doing), signal);
      } catch (error) {
        signal?.throwIfAborted();
        const isRefusal = !this.#hasMet && isRefused(error);
        const end = isRefusal ? Math.min(deadline, startedAt + REFUSED_TIMEOUT_MS) : deadline;
        if (this.#sockets.closed || !isPassing(error) || performance.now() + pauseMs >= end) {
          throw toFailure(error, {
            addresses: this.addresses,
            doing: options.doing,
            ...(options.context === undefined ? {} : { context: options.context }),
          });
        }
        // An aborted pause is noticed at the top.
        await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
      }
    }
  }

  /** Ends an attempt at the deadline if no address has ever answered, and at the end of the total time in any case. */
  async #untilLate<T>(attempt: Promise<T>, startedAt: number, deadline: number, doing: string): Promise<T> {
    const leftMs = Math.max(0, deadline - performance.now());
    const isEnd = deadline === this.#endsAt;
    if ((this.#hasMet && !isEnd) || leftMs > LONGEST_TIMER_MS) return attempt;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (isEnd && this.#hasMet) reject(this.#tooSlow(doing));
        else if (!this.#hasMet)
          reject(
            unreachable(
              this.addresses,
              `no answer within ${Math.round((deadline - startedAt) / 100) / 10} s`,
            ),
          );
      }, leftMs);
    });
    try {
      return await Promise.race([attempt, late]);
    } finally {
      clearTimeout(timer);
      attempt.catch(() => undefined);
    }
  }

  #tooSlow(doing: string): Failure {
    const due = [...new Set(this.#sockets.due)].sort().join(', ');
    return brokersSilent(doing, due, `${this.#totalTimeoutMs / 1000} s`);
  }

  /**
   * The first answer from any node: first the connected nodes, then every known address, each asked when the one
   * before fails or is slow. For requests that every node can answer.
   */
  ask<T>(question: (node: BrokerNode) => Promise<T>): Promise<T> {
    const attempts = this.#candidates().map((address) => async () => question(await this.#node(address)));
    return firstSuccess(attempts, STAGGER_MS);
  }

  /** Any connected node: a known one, or else the first address that answers. */
  anyNode(): Promise<BrokerNode> {
    return this.ask((node) => Promise.resolve(node));
  }

  async node(nodeId: number): Promise<BrokerNode> {
    if (!this.#known.has(nodeId)) await this.metadata([]);
    const address = this.#known.get(nodeId);
    // Not in the metadata: the node has left, and its partitions are about to get another leader.
    if (address === undefined) throw createErrorFromCode(LEADER_NOT_AVAILABLE);
    return this.#node(address);
  }

  /** `host:port` of a node, from the metadata. */
  addressOf(nodeId: number): string | undefined {
    const address = this.#known.get(nodeId);
    return address === undefined ? undefined : nameOf(address);
  }

  async metadata(topics: readonly string[] | null): Promise<ClusterMetadata> {
    const metadata = await this.ask((node) => fetchMetadata(node, topics));
    this.#known = new Map(metadata.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    return metadata;
  }

  /**
   * @param partitions how many it had before
   * @returns undefined when the topic does not exist; rejects with any other error that the node answers
   */
  async topic(
    topic: string,
    partitions = 0,
  ): Promise<{ cluster: ClusterMetadata; topic: TopicMetadata | undefined }> {
    const { cluster, topics } = await this.topics([topic], { partitions: new Map([[topic, partitions]]) });
    return { cluster, topic: topics[0] };
  }

  /**
   * Returns those of the topics that exist. Rejects with any other error that the node answers for one of them. A
   * node that is cut off from the others does not know newer topics and partitions: if it lacks a topic or some
   * partitions, the other nodes are asked, too.
   */
  async topics(
    names: readonly string[],
    { others = [], partitions = new Map() }: KnownTopics = {},
  ): Promise<{ cluster: ClusterMetadata; topics: TopicMetadata[] }> {
    const asked = [...names, ...others];
    let cluster = await this.metadata(asked);
    const isLacking = ({ topic, errorCode, partitions: { length } }: TopicMetadata): boolean =>
      names.includes(topic) &&
      (errorCode === UNKNOWN_TOPIC_OR_PARTITION || length < (partitions.get(topic) ?? 0));
    if (cluster.brokers.length > 1 && cluster.topics.some(isLacking))
      cluster = fullest(cluster, await this.#ofAll(cluster, asked));
    const topics = cluster.topics.filter(({ topic, errorCode }) => {
      // A topic is listed with this code while some partition has no leader yet.
      if (errorCode === 0 || errorCode === LEADER_NOT_AVAILABLE) return true;
      if (errorCode === UNKNOWN_TOPIC_OR_PARTITION || others.includes(topic)) return false;
      throw createErrorFromCode(errorCode);
    });
    return { cluster, topics };
  }

  /** The metadata from each node that answers soon. */
  async #ofAll({ brokers }: ClusterMetadata, topics: readonly string[]): Promise<ClusterMetadata[]> {
    const late = sleep(OTHERS_TIMEOUT_MS, undefined, { ref: false });
    const answers = brokers.map(async (address) => {
      const answer = this.#node(address).then((node) => fetchMetadata(node, topics));
      return Promise.race([answer.catch(() => undefined), late]);
    });
    return (await Promise.all(answers)).filter((answer) => answer !== undefined);
  }

  /** On a connection of its own: a node answers a connection's requests one after another, and a join waits. */
  async coordinator(group: string): Promise<BrokerNode> {
    const { coordinator } = await this.ask((node) =>
      node.findGroupCoordinator({ groupId: group, coordinatorType: 0 }),
    );
    return this.#node({ host: coordinator.host, port: coordinator.port }, 'group');
  }

  /** Drops a node whose connection can no longer be trusted, connected or not. */
  forget(node: BrokerNode): void {
    for (const [key, link] of this.#links) if (link.node === node) this.#links.delete(key);
    destroyConnections(node.connectionPool);
  }

  /** Closes at once: pending requests reject, and nothing of kafkajs keeps the process running. */
  close(): void {
    this.#sockets.closed = true;
    // With an error: only then does kafkajs stop its timers and reject pending requests.
    for (const socket of this.#sockets.open) socket.destroy(new Error('closed by orderctl'));
    this.#sockets.open.clear();
    this.#links.clear();
  }

  /** Connected addresses first, starting with another one each time: a node that hangs or lags is one of several. */
  #candidates(): Address[] {
    const turn = this.#turn++;
    const rotated = <T>(all: T[]): T[] => {
      const from = all.length === 0 ? 0 : turn % all.length;
      return [...all.slice(from), ...all.slice(0, from)];
    };
    const every = new Map([...this.#given, ...this.#known.values()].map((one) => [nameOf(one), one]));
    const isConnected = (address: Address): boolean =>
      this.#links.get(keyOf(address, 'data'))?.node?.isConnected() === true;
    const all = [...every.values()];
    return [...rotated(all.filter(isConnected)), ...rotated(all.filter((one) => !isConnected(one)))];
  }

  /** The connection to an address; a new one if there is none or it was lost. */
  #node(address: Address, purpose: Purpose = 'data'): Promise<BrokerNode> {
    const key = keyOf(address, purpose);
    const known = this.#links.get(key);
    if (known !== undefined && known.node?.isConnected() !== false) return known.opening;
    const link: Link = { opening: this.#connect(address), node: undefined };
    this.#links.set(key, link);
    link.opening.then(
      (node) => {
        link.node = node;
        this.#hasMet = true;
      },
      () => {
        if (this.#links.get(key) === link) this.#links.delete(key);
      },
    );
    return link.opening;
  }
}

/** The longest that setTimeout accepts. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

type Purpose = 'data' | 'group';

function keyOf(address: Address, purpose: Purpose): string {
  return `${purpose} ${nameOf(address)}`;
}
