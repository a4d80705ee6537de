import { KafkaError, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';
import { attempt } from './outcome.ts';

interface TopicWanted {
  readonly name: string;
  /** The first offset to keep; -1 to delete all records. */
  readonly partitions: readonly { readonly index: number; readonly beforeOffset: number }[];
}

interface PartitionAnswer {
  readonly index: number;
  readonly startOffset: number;
  readonly error: ErrorCode;
}

type Response = readonly { readonly name: string; readonly partitions: readonly PartitionAnswer[] }[];

export const deleteRecords = api<readonly TopicWanted[], Response>({
  key: 21,
  name: 'DeleteRecords',
  min: 0,
  max: 2,
  flexibleFrom: 2,
  read(reader) {
    const topics = reader.structs(() => ({
      name: reader.string(),
      partitions: reader.structs(() => ({ index: reader.int32(), beforeOffset: reader.int64() })),
    }));
    reader.int32(); // timeout
    return topics;
  },
  handle: (topics, { broker }) =>
    topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index, beforeOffset }) => {
        const topic = broker.topics.get(name);
        const partition = topic?.partitions[index];
        const { error } = attempt(() => {
          if (topic === undefined || partition === undefined) {
            throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
          }
          const offset = beforeOffset === -1 ? partition.endOffset : beforeOffset;
          broker.topics.deleteRecords(topic, partition, offset);
        });
        return { index, error, startOffset: error === 0 ? (partition?.startOffset ?? -1) : -1 };
      }),
    })),
  write(writer, topics) {
    writer.int32(0); // throttle time
    writer.structs(topics, ({ name, partitions }) => {
      writer.string(name);
      writer.structs(partitions, ({ index, startOffset, error }) => {
        writer.int32(index);
        writer.int64(startOffset);
        writer.int16(error);
      });
    });
  },
  fail: (topics, error) =>
    topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({ index, error, startOffset: -1 })),
    })),
});
