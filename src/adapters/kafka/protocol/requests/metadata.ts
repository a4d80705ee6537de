import { newEncoder, type BrokerNode, type Decoder } from '../kafkajs.ts';
import { REQUESTS, send } from './request.ts';

/** Who leads a partition. */
export interface Leader {
  readonly nodeId: number;
  /** Grows with each election. */
  readonly epoch: number;
}

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
