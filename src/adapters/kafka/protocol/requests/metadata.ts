import { newEncoder, type BrokerNode, type Decoder, type Encoder } from '../kafkajs.ts';
import { isOffered, REQUESTS, send, skipTags, UUID_BYTES } from './request.ts';

/** With topic ids (KIP-516), available since Kafka 2.8; in the encoding with tagged fields (KIP-482). */
const WITH_IDS = { ...REQUESTS.metadata, apiVersion: 10 };

/** The leader of a partition. */
export interface Leader {
  readonly nodeId: number;
  /** Grows with each election. */
  readonly epoch: number;
}

export interface TopicMetadata {
  readonly errorCode: number;
  readonly topic: string;
  /** Changes when the topic is deleted and recreated; null where the node does not know it. */
  readonly id: string | null;
  /** `leader` is −1 for a partition without one; its epoch grows with every election; `replicas` are node ids. */
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

/** Metadata, version 10, or 7 where that is not supported; null means all topics. Never creates one. */
export function fetchMetadata(node: BrokerNode, topics: readonly string[] | null): Promise<ClusterMetadata> {
  if (isOffered(node, WITH_IDS))
    return send(node, WITH_IDS, { body: () => questionWithIds(topics), decode: readWithIds });
  return send(node, REQUESTS.metadata, {
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

/** `answer`, but each topic as reported by the node of the same cluster that knows most of its partitions. */
export function fullest(answer: ClusterMetadata, others: readonly ClusterMetadata[]): ClusterMetadata {
  const all = others
    .filter(({ clusterId }) => clusterId === answer.clusterId)
    .flatMap(({ topics }) => topics);
  const topics = answer.topics.map((topic) =>
    all
      .filter((one) => one.topic === topic.topic)
      .reduce((most, one) => (one.partitions.length > most.partitions.length ? one : most), topic),
  );
  return { ...answer, topics };
}

function readTopic(decoder: Decoder): TopicMetadata {
  const errorCode = decoder.readInt16();
  const topic = decoder.readString() ?? '';
  decoder.readBoolean(); // internal
  const partitions = decoder.readArray((item) =>
    readPartition(item, () => item.readArray((replica) => replica.readInt32())),
  );
  return { errorCode, topic, id: null, partitions };
}

/** @param nodes reads a list of ids */
function readPartition(item: Decoder, nodes: () => number[]): TopicMetadata['partitions'][number] {
  item.readInt16(); // error code: redundant with a missing leader
  const partition = item.readInt32();
  const leader = item.readInt32();
  const epoch = item.readInt32();
  const replicas = nodes();
  nodes(); // in sync
  nodes(); // offline
  return { partition, leader, epoch, replicas };
}

function questionWithIds(topics: readonly string[] | null): Encoder {
  // The first tags end the header: kafkajs writes the older one.
  const encoder = newEncoder().writeUVarInt(0);
  encoder.writeUVarInt(topics === null ? 0 : topics.length + 1);
  // By name: the ids are left empty.
  for (const topic of topics ?? [])
    encoder.writeInt64(0).writeInt64(0).writeUVarIntString(topic).writeUVarInt(0);
  return encoder
    .writeBoolean(false) // creates no topics
    .writeBoolean(false) // no authorized operations of the cluster
    .writeBoolean(false) // nor of the topics
    .writeUVarInt(0);
}

function readWithIds(decoder: Decoder): ClusterMetadata {
  skipTags(decoder); // of the header
  decoder.readInt32(); // throttle time
  const brokers = decoder.readUVarIntArray((item) => {
    const nodeId = item.readInt32();
    const broker = { nodeId, host: item.readUVarIntString() ?? '', port: item.readInt32() };
    item.readUVarIntString(); // rack
    skipTags(item);
    return broker;
  });
  const clusterId = decoder.readUVarIntString() ?? '';
  const controllerId = decoder.readInt32();
  const topics = decoder.readUVarIntArray(readTopicWithId);
  return { brokers: brokers ?? [], clusterId, controllerId, topics: topics ?? [] };
}

function readTopicWithId(decoder: Decoder): TopicMetadata {
  const errorCode = decoder.readInt16();
  const topic = decoder.readUVarIntString() ?? '';
  const id = decoder.readBytes(UUID_BYTES)?.toString('hex') ?? '';
  decoder.readBoolean(); // internal
  const partitions = decoder.readUVarIntArray((item) => {
    const read = readPartition(item, () => item.readUVarIntArray((replica) => replica.readInt32()) ?? []);
    skipTags(item);
    return read;
  });
  decoder.readInt32(); // authorized operations
  skipTags(decoder);
  // A cluster that was upgraded from before 2.8 may have no ids yet: all zeros.
  return { errorCode, topic, id: /^0*$/.test(id) ? null : id, partitions: partitions ?? [] };
}
