import { byTopic } from '../../../../domain/topics/by-topic.ts';
import { ANSWER_TIMEOUT_MS } from '../connections.ts';
import type { AbortedTransaction } from '../fetched-partition.ts';
import { newEncoder, type BrokerNode, type Decoder } from '../kafkajs.ts';
import { int64, REQUESTS, send } from './request.ts';

export interface FetchedFrom {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** A node that knows another epoch answers with an error; −1 skips this check. */
  readonly leaderEpoch?: number;
}

export interface FetchRequest {
  /** Grouped by topic, and in this order: the first one that has records is served even beyond the limits. */
  readonly partitions: readonly FetchedFrom[];
  readonly maxWaitMs: number;
  readonly maxBytes: number;
  readonly maxPartitionBytes: number;
  readonly readCommitted: boolean;
}

export interface FetchedData {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: number;
  /** The position of a read-committed consumer that has read everything. */
  readonly stableEnd: number;
  readonly logStart: number;
  readonly aborted: readonly AbortedTransaction[];
  readonly records: Buffer;
}

/** Fetch, version 11. */
export async function fetchRecords(node: BrokerNode, request: FetchRequest): Promise<FetchedData[]> {
  const topics = byTopic(request.partitions);
  const answer = await send(node, REQUESTS.fetch, {
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
        .writeInt32(topics.size);
      for (const [topic, partitions] of topics) {
        encoder.writeString(topic).writeInt32(partitions.length);
        for (const { partition, offset, leaderEpoch = -1 } of partitions) {
          encoder
            .writeInt32(partition)
            .writeInt32(leaderEpoch)
            .writeInt64(offset)
            .writeInt64(-1)
            .writeInt32(request.maxPartitionBytes);
        }
      }
      return encoder.writeInt32(0).writeString('');
    },
    decode: (decoder) => {
      decoder.readInt32(); // throttle time: the broker delays the answer itself
      const errorCode = decoder.readInt16();
      decoder.readInt32(); // session
      const answers = decoder.readArray((item) => {
        const topic = item.readString() ?? '';
        return item.readArray((partition) => readFetched(topic, partition));
      });
      return { errorCode, partitions: answers.flat() };
    },
  });
  return answer.partitions;
}

function readFetched(topic: string, decoder: Decoder): FetchedData {
  const partition = decoder.readInt32();
  const errorCode = decoder.readInt16();
  const highWatermark = int64(decoder);
  const stableEnd = int64(decoder);
  const logStart = int64(decoder);
  const aborted = decoder.readArray((item) => ({ producerId: int64(item), firstOffset: int64(item) }));
  decoder.readInt32(); // preferred replica: we name no rack
  const records = decoder.readBytes() ?? EMPTY;
  return { topic, partition, errorCode, highWatermark, stableEnd, logStart, aborted, records };
}

const EMPTY = Buffer.alloc(0);
