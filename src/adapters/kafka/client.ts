import { setTimeout as sleep } from 'node:timers/promises';

import { Failure, type FailureContext } from '../../domain/failure.ts';
import { isConnectionError, isPassing, toFailure, unreachable } from './errors.ts';
import {
  Broker,
  calmTimers,
  closeOnTimeout,
  connectionPoolBuilder,
  createErrorFromCode,
  UNKNOWN_TOPIC_OR_PARTITION,
  LEADER_NOT_AVAILABLE,
  createLogger,
  defaultSocketFactory,
  destroyConnections,
  forgetHalfAnswers,
  LOG_EVERYTHING,
  LOG_NOTHING,
  type BrokerNode,
  type SocketFactory,
} from './kafkajs-internals.ts';
import type { KafkaOptions } from './kafka-broker.ts';
import { fetchMetadata, type ClusterMetadata, type TopicMetadata } from './requests.ts';

/** How long one connection may take to come about; several addresses are tried within the whole time-out. */
const CONNECT_ATTEMPT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
const AUTHENTICATION_TIMEOUT_MS = 10_000;
const CONNECT_TIMEOUT_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

interface Sockets {
  readonly open: Set<ReturnType<SocketFactory>>;
  closed: boolean;
}

export interface RetryOptions {
  /** What is being done, to follow "cannot". */
  readonly doing: string;
  /** From the first try until no further one is begun. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly context?: FailureContext;
}

/** Connections to the nodes of one cluster, each made when it is first needed. */
export class KafkaClient {
  readonly addresses: string;
  readonly connectTimeoutMs: number;
  readonly #options: KafkaOptions;
  readonly #sockets: Sockets = { open: new Set(), closed: false };
  readonly #build: (address: { host: string; port: number }) => Promise<BrokerNode>;
  readonly #nodes = new Map<number, BrokerNode>();
  #bootstrap: BrokerNode | undefined;
  #known = new Map<number, { host: string; port: number }>();
  #nextAddress = 0;

  constructor(options: KafkaOptions) {
    this.#options = options;
    this.addresses = options.brokers.join(',');
    this.connectTimeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#build = builder(options, this.#sockets);
  }

  /**
   * Runs `action` until it succeeds, its error is one that does not pass, or the time is up.
   *
   * @throws Failure as by toFailure, or the signal's reason
   */
  async retry<T>(options: RetryOptions, action: () => Promise<T>): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.connectTimeoutMs;
    const deadline = Date.now() + timeoutMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
      options.signal?.throwIfAborted();
      try {
        return await interruptible(action(), options.signal);
      } catch (error) {
        options.signal?.throwIfAborted();
        if (isConnectionError(error)) this.forgetBroken();
        if (this.#sockets.closed || !isPassing(error) || Date.now() + pauseMs >= deadline) {
          throw toFailure(error, {
            addresses: this.addresses,
            doing: options.doing,
            ...(options.context === undefined ? {} : { context: options.context }),
          });
        }
        // An aborted pause is noticed at the top.
        await sleep(pauseMs, undefined, options.signal ? { signal: options.signal } : {}).catch(
          () => undefined,
        );
      }
    }
  }

  /** Any connected node: one that is known, else the next address of the settings. */
  async anyNode(): Promise<BrokerNode> {
    for (const node of [this.#bootstrap, ...this.#nodes.values()]) {
      if (node?.isConnected() === true) return node;
    }
    const addresses = [...this.#options.brokers.map(parseAddress), ...this.#known.values()];
    // The next one first each time: an address that hangs is not to be hung on again.
    const from = this.#nextAddress++ % addresses.length;
    let failed: Error = unreachable(this.addresses, 'no address is given');
    for (const address of [...addresses.slice(from), ...addresses.slice(0, from)]) {
      try {
        this.#bootstrap = await this.#connect(address);
        return this.#bootstrap;
      } catch (error) {
        if (!(error instanceof Error && isConnectionError(error))) throw error;
        failed = error;
      }
    }
    throw failed;
  }

  async node(nodeId: number): Promise<BrokerNode> {
    const connected = this.#nodes.get(nodeId);
    if (connected?.isConnected() === true) return connected;
    if (!this.#known.has(nodeId)) await this.metadata([]);
    const address = this.#known.get(nodeId);
    // Not in the metadata: the node went, and its partitions are about to get another leader.
    if (address === undefined) throw createErrorFromCode(LEADER_NOT_AVAILABLE);
    const node = await this.#connect(address);
    this.#nodes.set(nodeId, node);
    return node;
  }

  async #connect(address: { host: string; port: number }): Promise<BrokerNode> {
    const node = await this.#build(address);
    try {
      await node.connect();
      return node;
    } catch (error) {
      destroyConnections(node.connectionPool);
      throw error;
    }
  }

  async metadata(topics: readonly string[] | null): Promise<ClusterMetadata> {
    const metadata = await fetchMetadata(await this.anyNode(), topics);
    this.#known = new Map(metadata.brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }]));
    return metadata;
  }

  /** @returns undefined when there is no such topic; otherwise rejects with what the node answered */
  async topic(topic: string): Promise<{ cluster: ClusterMetadata; topic: TopicMetadata | undefined }> {
    const cluster = await this.metadata([topic]);
    const found = cluster.topics.find((candidate) => candidate.topic === topic);
    if (found === undefined || found.errorCode === UNKNOWN_TOPIC_OR_PARTITION) {
      return { cluster, topic: undefined };
    }
    // A topic is listed with this code while some partition has no leader yet.
    if (found.errorCode !== 0 && found.errorCode !== LEADER_NOT_AVAILABLE) {
      throw createErrorFromCode(found.errorCode);
    }
    return { cluster, topic: found };
  }

  async coordinator(group: string): Promise<BrokerNode> {
    const node = await this.anyNode();
    const { coordinator } = await node.findGroupCoordinator({ groupId: group, coordinatorType: 0 });
    this.#known.set(coordinator.nodeId, { host: coordinator.host, port: coordinator.port });
    return this.node(coordinator.nodeId);
  }

  /** Drops nodes that have lost their connection, so that the next use makes a new one. */
  forgetBroken(): void {
    for (const [nodeId, node] of this.#nodes) if (!node.isConnected()) this.#nodes.delete(nodeId);
    if (this.#bootstrap?.isConnected() === false) this.#bootstrap = undefined;
  }

  /** Drops a node whose connection cannot be trusted any more, connected or not. */
  forget(node: BrokerNode): void {
    for (const [nodeId, known] of this.#nodes) if (known === node) this.#nodes.delete(nodeId);
    if (this.#bootstrap === node) this.#bootstrap = undefined;
    destroyConnections(node.connectionPool);
  }

  /** At once: what is in flight rejects, and nothing of kafkajs keeps the process alive. */
  close(): void {
    this.#sockets.closed = true;
    // With an error, since only then kafkajs stops its timers and rejects what waits.
    for (const socket of this.#sockets.open) socket.destroy(new Error('closed by orderctl'));
    this.#sockets.open.clear();
    this.#nodes.clear();
    this.#bootstrap = undefined;
  }
}

/** kafkajs wants a map or nothing for TLS, and credentials beside the mechanism. */
function builder(
  options: KafkaOptions,
  sockets: Sockets,
): (address: { host: string; port: number }) => Promise<BrokerNode> {
  const { onLog } = options;
  const logger = createLogger({
    level: onLog === undefined ? LOG_NOTHING : LOG_EVERYTHING,
    logCreator:
      () =>
      ({ namespace, log: { message, ...details } }) =>
        // Always debug: what it calls an error is a retry, or comes up as a Failure of ours.
        onLog?.('debug', `kafkajs ${namespace}: ${message}`, details),
  });
  const pools = connectionPoolBuilder({
    brokers: options.brokers,
    ssl: options.tls ?? undefined,
    sasl: options.sasl ?? undefined,
    clientId: options.clientId,
    connectionTimeout: Math.min(CONNECT_ATTEMPT_MS, options.connectTimeoutMs ?? CONNECT_ATTEMPT_MS),
    requestTimeout: REQUEST_TIMEOUT_MS,
    enforceRequestTimeout: true,
    maxInFlightRequests: null,
    instrumentationEmitter: null,
    logger,
    socketFactory: ((socketOptions) => {
      const socket = defaultSocketFactory(socketOptions);
      // Begun before the end, got here after it.
      if (sockets.closed) socket.destroy(new Error('closed by orderctl'));
      sockets.open.add(socket);
      socket.on('close', () => sockets.open.delete(socket));
      return socket;
    }) satisfies SocketFactory,
  });
  return async (address) => {
    const connectionPool = await pools.build(address);
    calmTimers(connectionPool);
    closeOnTimeout(connectionPool);
    forgetHalfAnswers(connectionPool);
    return new Broker({
      connectionPool,
      logger,
      allowAutoTopicCreation: false,
      authenticationTimeout: AUTHENTICATION_TIMEOUT_MS,
    });
  };
}

/** `host:port`, `[::1]:port`; the port defaults to 9092. @throws Failure invalid_value */
export function parseAddress(text: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 9092);
  if (host === undefined || port < 1 || port > 65535) {
    throw new Failure('invalid_value', `broker address ${JSON.stringify(text)} is not HOST:PORT`, {
      fix: 'write it like 127.0.0.1:9092',
    });
  }
  return { host, port };
}

/** Settles with the promise, or rejects as soon as the signal aborts; the promise's own error is then of no use. */
export async function interruptible<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  let onAbort: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    promise.catch(() => undefined);
  }
}
