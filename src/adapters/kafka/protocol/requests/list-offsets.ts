import { createErrorFromCode, newEncoder, type BrokerNode } from '../kafkajs.ts';
import { int64, REQUESTS, send } from './request.ts';

export interface ListOffsetsRequest {
  readonly topic: string;
  /** A node that knows another epoch answers with an error: it may be cut off, and its end outdated. */
  readonly partitions: readonly { readonly partition: number; readonly leaderEpoch: number }[];
  /** Milliseconds since the epoch, −1 for the end, −2 for the start. */
  readonly timestamp: number;
  /** Whether an open transaction ends the partition. */
  readonly readCommitted: boolean;
}

/**
 * ListOffsets, version 4. Rejects with the first error of a partition.
 *
 * @returns offset by partition; −1 where no record is that late
 */
export function listOffsets(node: BrokerNode, request: ListOffsetsRequest): Promise<Map<number, number>> {
  return send(node, REQUESTS.listOffsets, {
    body: () => {
      const encoder = newEncoder()
        .writeInt32(-1) // no replica
        .writeInt8(request.readCommitted ? 1 : 0)
        .writeInt32(1)
        .writeString(request.topic)
        .writeInt32(request.partitions.length);
      for (const { partition, leaderEpoch } of request.partitions) {
        encoder.writeInt32(partition).writeInt32(leaderEpoch).writeInt64(request.timestamp);
      }
      return encoder;
    },
    decode: (decoder) => {
      decoder.readInt32(); // throttle time
      const topics = decoder.readArray((item) => {
        item.readString();
        return item.readArray((answer) => {
          const partition = answer.readInt32();
          const errorCode = answer.readInt16();
          int64(answer); // timestamp
          const offset = int64(answer);
          answer.readInt32(); // the epoch that the record was appended under
          if (errorCode !== 0) throw createErrorFromCode(errorCode);
          return [partition, offset] as const;
        });
      });
      return new Map(topics.flat());
    },
  });
}
