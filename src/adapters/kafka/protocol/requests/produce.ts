import { newEncoder, type BrokerNode } from '../kafkajs.ts';
import { int64, REQUESTS, send } from './request.ts';

export interface ProducedData {
  readonly partition: number;
  readonly errorCode: number;
  readonly baseOffset: number;
}

/**
 * Produce, version 7, acks=all.
 *
 * @param batches one encoded record batch per partition
 * @param limits how long the leader may wait for its replicas, and how long the connection may be silent
 */
export function produceBatches(
  node: BrokerNode,
  topic: string,
  batches: readonly { readonly partition: number; readonly bytes: Buffer }[],
  limits: { readonly acknowledgeMs: number; readonly silenceMs: number },
): Promise<ProducedData[]> {
  return send(node, REQUESTS.produce, {
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
