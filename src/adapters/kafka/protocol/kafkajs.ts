/**
 * Types for the parts of kafkajs that are not public: connections, authentication and the encoding of requests. Its
 * consumer, admin client and producer are not used: they silently reset offsets that are out of range, stop on one
 * bad partition, request all topics when they mean none, and roll sequences back after partial success, so that the
 * records of the next send are taken for duplicates and lost. The rest is small and good.
 *
 * The version is pinned exactly in package.json, so these parts do not change; check them first after an upgrade.
 */
import BrokerOfKafkajs from 'kafkajs/src/broker/index.js';
import poolBuilder from 'kafkajs/src/cluster/connectionPoolBuilder.js';
import loggers from 'kafkajs/src/loggers/index.js';
import socketFactory from 'kafkajs/src/network/socketFactory.js';
import DecoderOfKafkajs from 'kafkajs/src/protocol/decoder.js';
import EncoderOfKafkajs from 'kafkajs/src/protocol/encoder.js';
import errors from 'kafkajs/src/protocol/error.js';

export interface Encoder {
  readonly buffer: Buffer;
  writeInt8(value: number): Encoder;
  writeInt16(value: number): Encoder;
  writeInt32(value: number): Encoder;
  writeInt64(value: number): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeString(value: string | null): Encoder;
  writeBytes(value: Buffer): Encoder;
  writeArray(values: readonly (Encoder | string | number)[]): Encoder;
  /** Compact encoding, in as few bytes as possible; a length is written as one more than it is. */
  writeUVarInt(value: number): Encoder;
  writeUVarIntString(value: string): Encoder;
}

export interface ProtocolRequest<Decoded, Parsed = Decoded> {
  readonly request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    encode(): Promise<Encoder>;
  };
  readonly response: {
    /** @param payload the bytes after the correlation id */
    decode(payload: Buffer): Promise<Decoded>;
    parse(decoded: Decoded): Promise<Parsed>;
  };
  /** Raises the connection's own timeout, never lowers it. */
  readonly requestTimeout?: number;
}

interface RequestUnderWay {
  sentAt: number | null;
  readonly requestTimeout: number;
  timeoutRequest(): void;
}

interface RequestQueue {
  readonly pending: readonly unknown[];
  /** By correlation id; the timeout counts from `sentAt`, in milliseconds since the epoch. */
  readonly inflight: ReadonlyMap<number, RequestUnderWay>;
  /** For requests that do not set a longer one. */
  readonly requestTimeout: number;
  requestTimeoutIntervalId: NodeJS.Timeout | null;
  isConnected(): boolean;
  scheduleCheckPendingRequests(): void;
  scheduleRequestTimeoutCheck(): void;
  /** Stops its timers. */
  destroy(): void;
}

interface Connection {
  readonly requestQueue: RequestQueue;
  readonly socket?: Socket;
  connect(): Promise<boolean>;
  isConnected(): boolean;
  /** No effect if no credentials are set. */
  authenticate(): Promise<void>;
  isAuthenticated(): boolean;
  processData(data: Buffer): void;
}

export interface ConnectionPool {
  readonly host: string;
  readonly port: number;
  readonly sasl?: unknown;
  /** Two: the second one is for Fetch. */
  readonly pool: readonly Connection[];
  send<Decoded, Parsed>(request: ProtocolRequest<Decoded, Parsed>): Promise<Parsed>;
}

export interface JoinedGroup {
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  readonly members: readonly { readonly memberId: string; readonly memberMetadata: Buffer }[];
}

/** An access rule in Kafka's numbers. */
export interface KafkaAcl {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly resourcePatternType: number;
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permissionType: number;
}

interface OffsetCommitRequest {
  readonly groupId: string;
  /** −1 with an empty `memberId`: as an administrator, which is allowed while the group has no members. */
  readonly groupGenerationId: number;
  readonly memberId: string;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly {
      readonly partition: number;
      readonly offset: number;
      readonly metadata: string;
    }[];
  }[];
}

/** One connected node of the cluster. Methods reject with kafkajs's errors, identified by `name` and `type`. */
export interface BrokerNode {
  readonly connectionPool: ConnectionPool;
  /** The versions that it supports, by request. */
  readonly versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>;
  connect(): Promise<void>;
  isConnected(): boolean;
  findGroupCoordinator(request: {
    groupId: string;
    /** 0 means a consumer group. */
    coordinatorType: 0;
  }): Promise<{ coordinator: { nodeId: number; host: string; port: number } }>;
  joinGroup(request: {
    groupId: string;
    sessionTimeout: number;
    rebalanceTimeout: number;
    memberId: string;
    groupProtocols: readonly { name: string; metadata: Buffer }[];
  }): Promise<JoinedGroup>;
  syncGroup(request: {
    groupId: string;
    generationId: number;
    memberId: string;
    groupAssignment: readonly { memberId: string; memberAssignment: Buffer }[];
  }): Promise<{ memberAssignment: Buffer }>;
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>;
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>;
  offsetCommit(request: OffsetCommitRequest): Promise<unknown>;
  offsetFetch(request: {
    groupId: string;
    topics: readonly { topic: string; partitions: readonly { partition: number }[] }[];
  }): Promise<{
    responses: readonly {
      topic: string;
      partitions: readonly { partition: number; offset: string; metadata: string | null }[];
    }[];
  }>;
  listGroups(): Promise<{ groups: readonly { groupId: string }[] }>;
  describeGroups(request: { groupIds: readonly string[] }): Promise<{
    groups: readonly {
      groupId: string;
      state: string;
      members: readonly {
        memberId: string;
        clientId: string;
        clientHost: string;
        /** Empty while the group is between generations. */
        memberMetadata: Buffer;
      }[];
    }[];
  }>;
  createTopics(request: {
    topics: readonly {
      topic: string;
      numPartitions: number;
      replicationFactor: number;
      configEntries: readonly { name: string; value: string }[];
    }[];
    timeout: number;
  }): Promise<unknown>;
  createPartitions(request: {
    topicPartitions: readonly { topic: string; count: number }[];
    timeout: number;
    validateOnly: false;
  }): Promise<unknown>;
  describeConfigs(request: {
    /** type 2 means a topic; no names means all. */
    resources: readonly { type: 2; name: string; configNames?: readonly string[] }[];
  }): Promise<{
    resources: readonly {
      configEntries: readonly { configName: string; configValue: string | null }[];
    }[];
  }>;
  /** null, or 1 for a number, means any. */
  describeAcls(filter: {
    readonly [K in keyof KafkaAcl]: KafkaAcl[K] extends string ? string | null : number;
  }): Promise<{
    /** Returned, not thrown. */
    errorCode: number;
    resources: readonly (Pick<KafkaAcl, 'resourceType' | 'resourceName' | 'resourcePatternType'> & {
      acls: readonly Pick<KafkaAcl, 'principal' | 'host' | 'operation' | 'permissionType'>[];
    })[];
  }>;
  createAcls(request: { acl: readonly KafkaAcl[] }): Promise<unknown>;
  deleteAcls(request: { filters: readonly KafkaAcl[] }): Promise<unknown>;
  initProducerId(request: { transactionTimeout: number }): Promise<{
    producerId: string | number;
    producerEpoch: number;
  }>;
}

interface Logger {
  namespace(name: string): Logger;
}

interface LogEntry {
  readonly namespace: string;
  readonly label: string;
  readonly log: Readonly<Record<string, unknown>> & { readonly message: string };
}

interface Socket {
  destroy(error?: Error): unknown;
  on(event: 'close', listener: () => void): unknown;
}
export type SocketFactory = (options: {
  host: string;
  port: number;
  ssl: unknown;
  onConnect: () => void;
}) => Socket;

interface ConnectionPoolBuilder {
  build(address: { host: string; port: number }): Promise<ConnectionPool>;
}

export const defaultSocketFactory = (socketFactory as () => SocketFactory)();

export const createLogger = (
  loggers as {
    createLogger: (options: { level: number; logCreator: () => (entry: LogEntry) => void }) => Logger;
  }
).createLogger;
export const LOG_EVERYTHING = 5;
export const LOG_NOTHING = 0;

export const connectionPoolBuilder = poolBuilder as (
  options: Readonly<Record<string, unknown>>,
) => ConnectionPoolBuilder;

export const Broker = BrokerOfKafkajs as new (options: {
  connectionPool: ConnectionPool;
  logger: Logger;
  allowAutoTopicCreation: boolean;
  authenticationTimeout: number;
}) => BrokerNode;

export const newEncoder = (): Encoder => new (EncoderOfKafkajs as new () => Encoder)();

export interface Decoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  readInt64(): { toString(): string };
  readBoolean(): boolean;
  readString(): string | null;
  readBytes(length?: number): Buffer | null;
  readArray<T>(read: (decoder: Decoder) => T): T[];
  canReadBytes(length: number): boolean;
  readUVarIntString(): string | null;
  /** null is a null array. */
  readUVarIntArray<T>(read: (decoder: Decoder) => T): T[] | null;
  readUVarInt(): number;
}
export const newDecoder = (bytes: Buffer): Decoder =>
  new (DecoderOfKafkajs as new (bytes: Buffer) => Decoder)(bytes);

/** Error codes of the protocol that are compared by number. */
export const OFFSET_OUT_OF_RANGE = 1;
export const UNKNOWN_TOPIC_OR_PARTITION = 3;
export const LEADER_NOT_AVAILABLE = 5;
export const INVALID_CONFIG = 40;
export const UNSUPPORTED_VERSION = 35;
export const GROUP_ID_NOT_FOUND = 69;

/** The error of a protocol error code; its `type` is Kafka's name for it. */
export const createErrorFromCode = (errors as { createErrorFromCode: (code: number) => Error })
  .createErrorFromCode;
