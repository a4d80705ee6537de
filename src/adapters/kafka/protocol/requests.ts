import { ANSWER_TIMEOUT_MS } from './connections.ts';
import type { AbortedTransaction } from './fetched-partition.ts';
import { newDecoder, newEncoder, type BrokerNode, type Decoder, type ProtocolRequest } from './kafkajs.ts';

/*
 * Requests that kafkajs encodes or decodes in ways that do not serve: it asks for all topics when given none
 * and fails on all of them when one has no leader; it decodes fetched records itself; it throws away which
 * partition of a produce request failed; and it knows no way to set one configuration and leave the others. Versions are those that every broker since Kafka 2.3 offers.
 * Source: https://kafka.apache.org/protocol
 */

const METADATA = { apiKey: 3, apiVersion: 7, apiName: 'Metadata' };
const FETCH = { apiKey: 1, apiVersion: 11, apiName: 'Fetch' };
const PRODUCE = { apiKey: 0, apiVersion: 7, apiName: 'Produce' };

export interface TopicMetadata {
  readonly errorCode: number;
  readonly topic: string;
  /** leader is −1 where a partition has none; its epoch grows with every election; `replicas` are node ids. */
  readonly partitions: readonly {
    readonly partition: number;
    readonly leader: number;
    readonly epoch: number;
    readonly replicas: readonly number[];
  }[];
}

export interface ClusterMetadata {
  readonly brokers: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[];
  readonly clusterId: string;
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

/** Metadata, version 7; null is all topics. Never creates one. */
export function fetchMetadata(node: BrokerNode, topics: readonly string[] | null): Promise<ClusterMetadata> {
  return send(node, {
    ...METADATA,
    body: () => {
      const encoder = newEncoder().writeInt32(topics?.length ?? -1);
      for (const topic of topics ?? []) encoder.writeString(topic);
      return encoder.writeBoolean(false);
    },
    decode: (decoder) => {
      decoder.readInt32(); // throttle time
      const brokers = decoder.readArray((item) => {
        const broker = { nodeId: item.readInt32(), host: item.readString() ?? '', port: item.readInt32() };
        item.readString(); // rack
        return broker;
      });
      const clusterId = decoder.readString() ?? '';
      const controllerId = decoder.readInt32();
      return { brokers, clusterId, controllerId, topics: decoder.readArray(readTopic) };
    },
  });
}

function readTopic(decoder: Decoder): TopicMetadata {
  const errorCode = decoder.readInt16();
  const topic = decoder.readString() ?? '';
  decoder.readBoolean(); // internal
  const partitions = decoder.readArray((item) => {
    item.readInt16(); // error code: a missing leader says the same
    const partition = item.readInt32();
    const leader = item.readInt32();
    const epoch = item.readInt32();
    const nodes = (): number[] => item.readArray((replica) => replica.readInt32());
    const replicas = nodes();
    nodes(); // in sync
    nodes(); // offline
    return { partition, leader, epoch, replicas };
  });
  return { errorCode, topic, partitions };
}

export interface FetchedFrom {
  readonly partition: number;
  readonly offset: number;
  /** A node that knows of another epoch answers with an error; −1 where it does not matter. */
  readonly leaderEpoch?: number;
}

export interface FetchRequest {
  readonly topic: string;
  /** In this order: the first that has records is served even beyond the limits. */
  readonly partitions: readonly FetchedFrom[];
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  readonly readCommitted: boolean;
}

export interface FetchedData {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  /** Where a reader of committed transactions stands once it has read everything. */
  readonly stableEnd: number;
  readonly logStart: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly records: Buffer;
}

/** Fetch, version 11. */
export async function fetchRecords(node: BrokerNode, request: FetchRequest): Promise<FetchedData[]> {
  const answer = await send(node, {
    ...FETCH,
    requestTimeoutMs: request.maxWaitMs + ANSWER_TIMEOUT_MS,
    body: () => {
      const encoder = newEncoder()
        .writeInt32(-1) // no replica
        .writeInt32(request.maxWaitMs)
        .writeInt32(1) // answer as soon as there is a byte
        .writeInt32(request.maxBytes)
        .writeInt8(request.readCommitted ? 1 : 0)
        .writeInt32(0) // no fetch session
        .writeInt32(-1)
        .writeInt32(1)
        .writeString(request.topic)
        .writeInt32(request.partitions.length);
      for (const { partition, offset, leaderEpoch = -1 } of request.partitions) {
        encoder
          .writeInt32(partition)
          .writeInt32(leaderEpoch)
          .writeInt64(offset)
          .writeInt64(-1)
          .writeInt32(request.maxPartitionBytes);
      }
      return encoder.writeInt32(0).writeString('');
    },
    decode: (decoder) => {
      decoder.readInt32(); // throttle time: the broker delays the answer itself
      const errorCode = decoder.readInt16();
      decoder.readInt32(); // session
      const topics = decoder.readArray((item) => {
        item.readString();
        return item.readArray(readFetched);
      });
      return { errorCode, partitions: topics.flat() };
    },
  });
  return answer.partitions;
}

function readFetched(decoder: Decoder): FetchedData {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = int64(decoder);
  const stableEnd = int64(decoder);
  const logStart = int64(decoder);
  const aborted = decoder.readArray((item) => ({ producerId: int64(item), firstOffset: int64(item) }));
  decoder.readInt32(); // preferred replica: we name no rack
  const records = decoder.readBytes() ?? EMPTY;
  return { partition, errorCode, highWatermark, stableEnd, logStart, aborted, records };
}

const EMPTY = Buffer.alloc(0);

export interface ProducedData {
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: number;
}

/**
 * Produce, version 7, acks=all.
 *
 * @param batches one encoded record batch per partition
 * @param limits how long the leader may wait for its replicas, and the connection be silent
 */
export function produceBatches(
  node: BrokerNode,
  topic: string,
  batches: readonly { readonly partition: number; readonly bytes: Buffer }[],
  limits: { readonly acknowledgeMs: number; readonly silenceMs: number },
): Promise<ProducedData[]> {
  return send(node, {
    ...PRODUCE,
    requestTimeoutMs: limits.silenceMs,
    body: () => {
      const encoder = newEncoder()
        .writeString(null) // not transactional
        .writeInt16(-1)
        .writeInt32(limits.acknowledgeMs)
        .writeInt32(1)
        .writeString(topic)
        .writeInt32(batches.length);
      for (const { partition, bytes } of batches) encoder.writeInt32(partition).writeBytes(bytes);
      return encoder;
    },
    decode: (decoder) => {
      const topics = decoder.readArray((item) => {
        item.readString();
        return item.readArray((entry) => {
          const produced = {
            partition: entry.readInt32(),
            errorCode: entry.readInt16(),
            baseOffset: int64(entry),
          };
          entry.readInt64(); // log append time
          entry.readInt64(); // log start offset
          return produced;
        });
      });
      return topics.flat();
    },
  });
}

const INCREMENTAL_ALTER_CONFIGS = { apiKey: 44, apiVersion: 0, apiName: 'IncrementalAlterConfigs' };

const CONSUMER_GROUP_DESCRIBE = { apiKey: 69, apiVersion: 0, apiName: 'ConsumerGroupDescribe' };

/** A group of the protocol of KIP-848, of which DescribeGroups says that there is none. */
export interface ConsumerGroup {
  readonly errorCode: number;
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    readonly clientHost: string;
  }[];
}

/**
 * ConsumerGroupDescribe, version 0, which Kafka has since 3.7.
 *
 * @returns undefined where the node does not offer it: then it has no such groups
 */
export async function describeConsumerGroup(
  node: BrokerNode,
  group: string,
): Promise<ConsumerGroup | undefined> {
  if (!isOffered(node, CONSUMER_GROUP_DESCRIBE)) return undefined;
  const answers = await send(node, {
    ...CONSUMER_GROUP_DESCRIBE,
    body: () => {
      // The first tags end the header: the request is flexible, and kafkajs writes the older header.
      const encoder = newEncoder().writeUVarInt(0).writeUVarInt(2).writeUVarIntString(group);
      return encoder.writeBoolean(false).writeUVarInt(0);
    },
    decode: (decoder) => {
      decoder.readTaggedFields(); // of the header
      decoder.readInt32(); // throttle time
      return decoder.readUVarIntArray(readConsumerGroup) ?? [];
    },
  });
  return answers[0];
}

function readConsumerGroup(decoder: Decoder): ConsumerGroup {
  const errorCode = decoder.readInt16();
  decoder.readUVarIntString(); // error message
  decoder.readUVarIntString(); // group
  const state = decoder.readUVarIntString() ?? '';
  decoder.readInt32(); // epoch
  decoder.readInt32(); // epoch of the assignment
  decoder.readUVarIntString(); // assignor
  const members = decoder.readUVarIntArray(readConsumerGroupMember) ?? [];
  decoder.readInt32(); // what we may do
  decoder.readTaggedFields();
  return { errorCode, state, members };
}

function readConsumerGroupMember(decoder: Decoder): ConsumerGroup['members'][number] {
  const memberId = decoder.readUVarIntString() ?? '';
  decoder.readUVarIntString(); // instance
  decoder.readUVarIntString(); // rack
  decoder.readInt32(); // epoch
  const clientId = decoder.readUVarIntString() ?? '';
  const clientHost = decoder.readUVarIntString() ?? '';
  decoder.readUVarIntArray((topic) => topic.readUVarIntString());
  decoder.readUVarIntString(); // regular expression of topics
  skipAssignment(decoder);
  skipAssignment(decoder); // that it is to have
  decoder.readTaggedFields();
  return { memberId, clientId, clientHost };
}

const TOPIC_ID_BYTES = 16;

function skipAssignment(decoder: Decoder): void {
  decoder.readUVarIntArray((topic) => {
    topic.readBytes(TOPIC_ID_BYTES);
    topic.readUVarIntString();
    topic.readUVarIntArray((partition) => partition.readInt32());
    topic.readTaggedFields();
  });
  decoder.readTaggedFields();
}

/** The names of the requests above that a node does not offer in our version. */
export function missingRequests(node: BrokerNode): string[] {
  return [METADATA, FETCH, PRODUCE, INCREMENTAL_ALTER_CONFIGS]
    .filter((request) => !isOffered(node, request))
    .map(({ apiName }) => apiName);
}

function isOffered(
  node: BrokerNode,
  { apiKey, apiVersion }: { apiKey: number; apiVersion: number },
): boolean {
  const offered = node.versions[apiKey];
  return offered !== undefined && apiVersion >= offered.minVersion && apiVersion <= offered.maxVersion;
}
const TOPIC_RESOURCE = 2;
const SET = 0;

/**
 * IncrementalAlterConfigs, version 0: sets what is named. The older AlterConfigs takes back to their defaults all
 * that it does not name.
 *
 * @returns the error code and message of the topic
 */
export async function setTopicConfigs(
  node: BrokerNode,
  topic: string,
  configs: Readonly<Record<string, string>>,
): Promise<{ errorCode: number; message: string | null }> {
  const entries = Object.entries(configs);
  const answers = await send(node, {
    ...INCREMENTAL_ALTER_CONFIGS,
    body: () => {
      const encoder = newEncoder()
        .writeInt32(1)
        .writeInt8(TOPIC_RESOURCE)
        .writeString(topic)
        .writeInt32(entries.length);
      for (const [name, value] of entries) encoder.writeString(name).writeInt8(SET).writeString(value);
      return encoder.writeBoolean(false);
    },
    decode: (decoder) => {
      decoder.readInt32(); // throttle time
      return decoder.readArray((item) => {
        const answer = { errorCode: item.readInt16(), message: item.readString() };
        item.readInt8(); // kind of resource
        item.readString();
        return answer;
      });
    },
  });
  return answers[0] ?? { errorCode: 0, message: null };
}

/** Bears the name of kafkajs's own error for it. */
class UnsupportedRequestError extends Error {
  override readonly name = 'KafkaJSServerDoesNotSupportApiKey';
}

async function send<Answer>(
  node: BrokerNode,
  options: {
    apiKey: number;
    apiVersion: number;
    apiName: string;
    body: () => ReturnType<typeof newEncoder>;
    decode: (decoder: Decoder) => Answer;
    requestTimeoutMs?: number;
  },
): Promise<Answer> {
  const { apiKey, apiVersion, apiName } = options;
  if (!isOffered(node, options)) {
    throw new UnsupportedRequestError(`${apiName} version ${apiVersion} is not offered`);
  }
  const protocol: ProtocolRequest<Answer> = {
    request: { apiKey, apiVersion, apiName, encode: async () => options.body() },
    response: {
      decode: async (payload) => options.decode(newDecoder(payload)),
      parse: async (decoded) => decoded,
    },
    ...(options.requestTimeoutMs === undefined ? {} : { requestTimeout: options.requestTimeoutMs }),
  };
  return node.connectionPool.send(protocol);
}

function int64(decoder: Decoder): number {
  return Number(decoder.readInt64().toString());
}
