import type { Address } from './address.ts';
import {
  Broker,
  connectionPoolBuilder,
  createLogger,
  defaultSocketFactory,
  LOG_EVERYTHING,
  LOG_NOTHING,
  type BrokerNode,
  type ConnectionPool,
  type ProtocolRequest,
  type SocketFactory,
} from './kafkajs.ts';
import { isConnectionError, isSignInRefused, isTimeout } from './errors.ts';
import type { KafkaOptions } from '../options.ts';
import { timeOnlySilence } from './silence.ts';

/** By `host:port`, how many connections in a row were given up because an answer did not arrive. */
export type Unanswered = Map<string, number>;

/** The open sockets, so that all can be closed at once, and the nodes that are waited for. */
export interface Sockets {
  readonly open: Set<ReturnType<SocketFactory>>;
  /** `host:port` of each node whose connection or answer is pending, once for each. */
  readonly due: string[];
  readonly unanswered: Unanswered;
  closed: boolean;
}

/** From the first packet to the end of the TLS handshake. */
const HANDSHAKE_TIMEOUT_MS = 3_000;
/** For the whole connection, including the API versions and the authentication. */
const CONNECT_TIMEOUT_MS = 5_000;
/** For requests that a broker answers from memory. Longer silence means that the broker or the connection is dead. */
export const ANSWER_TIMEOUT_MS = 3_000;
/** How often that time is doubled at most: up to 24 s. */
const MOST_DOUBLINGS = 3;
/** A coordinator waits 5 s for the replicas of a commit. */
const COMMIT_TIMEOUT_MS = 6_000;
/** For requests that may wait for the controller, replicas or other members and set no limit themselves. */
const CHANGE_TIMEOUT_MS = 15_000;

const FETCH = 1;
const OFFSET_COMMIT = 8;
/** Fetch, ListOffsets, Metadata, OffsetFetch, FindCoordinator, Heartbeat, DescribeGroups, ListGroups, ApiVersions. */
const QUICK = new Set([FETCH, 2, 3, 9, 10, 12, 15, 16, 18]);
/** SaslHandshake, ApiVersions, SaslAuthenticate. */
const BEFORE_AUTHENTICATION = new Set([17, 18, 36]);

/** @returns a function that connects to one node; it rejects with kafkajs's errors, within 5 s */
export function connector(
  options: KafkaOptions,
  sockets: Sockets,
): (address: Address) => Promise<BrokerNode> {
  const { onLog } = options;
  const logger = createLogger({
    level: onLog === undefined ? LOG_NOTHING : LOG_EVERYTHING,
    logCreator:
      () =>
      ({ namespace, log: { message, ...details } }) =>
        // Always debug: what kafkajs calls an error is retried, or is reported as a Failure of ours.
        onLog?.('debug', `kafkajs ${namespace}: ${message}`, details),
  });
  const poolsFor = (sasl: Credentials | undefined) =>
    connectionPoolBuilder({
      brokers: options.brokers,
      ssl: options.tls ?? undefined,
      sasl,
      clientId: options.clientId,
      connectionTimeout: Math.min(HANDSHAKE_TIMEOUT_MS, options.connectTimeoutMs ?? HANDSHAKE_TIMEOUT_MS),
      requestTimeout: ANSWER_TIMEOUT_MS,
      enforceRequestTimeout: true,
      maxInFlightRequests: null,
      instrumentationEmitter: null,
      logger,
      socketFactory: ((socketOptions) => {
        const socket = defaultSocketFactory(socketOptions);
        // Started before the close, ready after it.
        if (sockets.closed) socket.destroy(new Error('closed by orderctl'));
        sockets.open.add(socket);
        socket.on('close', () => sockets.open.delete(socket));
        return socket;
      }) satisfies SocketFactory,
    });
  const open = async (address: Address, sasl: Credentials | undefined): Promise<BrokerNode> => {
    const connectionPool = await poolsFor(sasl).build(address);
    const name = `${address.host}:${address.port}`;
    guard(connectionPool, sockets.unanswered);
    noteDue(connectionPool, name, sockets.due);
    const node = new Broker({
      connectionPool,
      logger,
      allowAutoTopicCreation: false,
      authenticationTimeout: CONNECT_TIMEOUT_MS,
    });
    try {
      await whileDue(sockets.due, name, () => within(CONNECT_TIMEOUT_MS, node.connect(), name));
      return node;
    } catch (error) {
      destroyConnections(connectionPool);
      throw error;
    }
  };
  const { sasl } = options;
  return sasl === null ? (address) => open(address, undefined) : signingIn(sasl, open);
}

/** kafkajs keeps the state of an authentication on this object, so each connection has its own. */
interface Credentials {
  readonly mechanism: string;
  readonly username: string;
  readonly password: string;
}

/**
 * Authenticates with the current password, or else with the last one that was accepted: while a password is being
 * changed, brokers and this program receive it one after another.
 */
function signingIn(
  { mechanism, username, password: current, onNewPassword }: NonNullable<KafkaOptions['sasl']>,
  open: (address: Address, sasl: Credentials) => Promise<BrokerNode>,
): (address: Address) => Promise<BrokerNode> {
  let accepted: string | undefined;
  return async (address) => {
    const now = current();
    const before = accepted;
    try {
      const node = await open(address, { mechanism, username, password: now });
      if (before !== undefined && accepted !== now) onNewPassword?.();
      accepted = now;
      return node;
    } catch (error) {
      if (before === undefined || before === now || !isSignInRefused(error)) throw error;
      return open(address, { mechanism, username, password: before });
    }
  };
}

/** Fixes shortcomings of kafkajs's connections to one node. */
export function guard(pool: ConnectionPool, unanswered: Unanswered): void {
  calmTimers(pool);
  connectOnce(pool);
  timeOnlySilence(pool);
  closeOnTrouble(pool, unanswered);
}

/**
 * Closes a node's connections at once. kafkajs would wait for pending answers; on an error, it stops its timers and
 * rejects pending requests.
 */
export function destroyConnections(pool: ConnectionPool): void {
  for (const { socket } of pool.pool) socket?.destroy(new Error('closed by orderctl'));
}

/**
 * From the first answer on, kafkajs runs a timer of about 1 ms per connection even when nothing waits to be sent
 * (kafkajs#1556, #1751), because it counts from `throttledUntil` −1. With nothing pending there is nothing to
 * schedule; a request that is queued schedules its own check.
 */
function calmTimers(pool: ConnectionPool): void {
  for (const { requestQueue } of pool.pool) {
    const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
    requestQueue.scheduleCheckPendingRequests = () => {
      if (requestQueue.pending.length > 0) schedule();
    };
  }
}

/**
 * Makes each connection once, for whichever request comes first. When it is lost, the node is dropped, and a new pool
 * takes its place. kafkajs would connect again in the same object: it opens two sockets for two simultaneous
 * requests, reads the bytes of a new connection as the rest of an answer that the old one cut off, and closes the new
 * one when the old one has drained.
 */
function connectOnce(pool: ConnectionPool): void {
  for (const connection of pool.pool) {
    const connect = connection.connect.bind(connection);
    let connecting: Promise<boolean> | undefined;
    connection.connect = () => (connecting ??= connect());
  }
}

/**
 * Closes all connections to the node when a request gets no answer in time or a connection is lost, as Kafka's own
 * clients do. kafkajs keeps them: if the network has silently dropped a connection, requests would hang until TCP
 * gives up a quarter of an hour later, although a new connection would reach the node.
 *
 * A node that does not answer on the next connection either is given twice the time: it may be so busy that asking
 * again at the same pace would never get an answer.
 */
function closeOnTrouble(pool: ConnectionPool, unanswered: Unanswered): void {
  const send = pool.send.bind(pool);
  const address = `${pool.host}:${pool.port}`;
  /** Requests that are under way together count once. */
  let isGivenUp = false;
  pool.send = async <Decoded, Parsed>(protocol: ProtocolRequest<Decoded, Parsed>): Promise<Parsed> => {
    const { apiKey } = protocol.request;
    const times = QUICK.has(apiKey) ? 2 ** Math.min(unanswered.get(address) ?? 0, MOST_DOUBLINGS) : 1;
    const limitMs = protocol.requestTimeout ?? usualLimitMs(pool, apiKey);
    const limited = { ...protocol, requestTimeout: limitMs * times };
    try {
      await ready(pool, apiKey);
      const answer = (await send(limited as ProtocolRequest<unknown, unknown>)) as Parsed;
      // The API versions are what a busy node answers first and most cheaply, so they do not count.
      if (!BEFORE_AUTHENTICATION.has(apiKey)) unanswered.delete(address);
      return answer;
    } catch (error) {
      if (isTimeout(error) && !isGivenUp) {
        isGivenUp = true;
        unanswered.set(address, (unanswered.get(address) ?? 0) + 1);
      }
      if (isConnectionError(error)) destroyConnections(pool);
      throw error;
    }
  };
}

function usualLimitMs(pool: ConnectionPool, apiKey: number): number {
  if (QUICK.has(apiKey)) return pool.pool[0]?.requestQueue.requestTimeout ?? ANSWER_TIMEOUT_MS;
  return apiKey === OFFSET_COMMIT ? COMMIT_TIMEOUT_MS : CHANGE_TIMEOUT_MS;
}

/** Keeps the node in the list while one of its answers is pending. */
function noteDue(pool: ConnectionPool, name: string, due: string[]): void {
  const send = pool.send.bind(pool);
  pool.send = <Decoded, Parsed>(protocol: ProtocolRequest<Decoded, Parsed>): Promise<Parsed> =>
    whileDue(due, name, () => send(protocol));
}

async function whileDue<T>(due: string[], name: string, work: () => Promise<T>): Promise<T> {
  due.push(name);
  try {
    return await work();
  } finally {
    due.splice(due.indexOf(name), 1);
  }
}

/** Connects and authenticates if necessary: kafkajs sets no time limit for the latter. */
async function ready(pool: ConnectionPool, apiKey: number): Promise<void> {
  const connection = pool.pool[apiKey === FETCH ? 1 : 0];
  if (connection === undefined || BEFORE_AUTHENTICATION.has(apiKey)) return;
  const wasOpen = connection.isConnected();
  if (wasOpen && (pool.sasl === undefined || connection.isAuthenticated())) return;
  const address = `${pool.host}:${pool.port}`;
  const opened = connection.connect().then(() => connection.authenticate());
  try {
    await within(CONNECT_TIMEOUT_MS, opened, address);
  } catch (error) {
    // The session has ended, and the password was changed meanwhile: a new connection uses the new one.
    if (wasOpen && isSignInRefused(error)) throw new SessionEndedError(`the session at ${address} has ended`);
    throw error;
  }
}

/** Has the name of kafkajs's error for a lost connection. */
class SessionEndedError extends Error {
  override readonly name = 'KafkaJSConnectionClosedError';
}

/** Has the name of kafkajs's error for a failed connection. */
class ConnectTimeoutError extends Error {
  override readonly name = 'KafkaJSConnectionError';
}

async function within<T>(timeoutMs: number, promise: Promise<T>, address: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new ConnectTimeoutError(`${address} did not answer within ${timeoutMs / 1000} s`));
    }, timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
}
