import type { ActiveProducer } from '../log/producers.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

type Wanted = readonly { readonly name: string; readonly partitions: readonly number[] }[];

interface PartitionAnswer {
  readonly index: number;
  readonly error: ErrorCode;
  readonly producers: readonly ActiveProducer[];
}

type Response = readonly { readonly name: string; readonly partitions: readonly PartitionAnswer[] }[];

export const describeProducers = api<Wanted, Response>({
  key: 61,
  name: 'DescribeProducers',
  min: 0,
  max: 0,
  flexibleFrom: 0,
  read: (reader) =>
    reader.structs(() => ({ name: reader.string(), partitions: reader.array(() => reader.int32()) })),
  handle: (topics, { broker }) =>
    topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((index) => {
        const partition = broker.topics.partition(name, index);
        const error = partition === undefined ? ERROR.UNKNOWN_TOPIC_OR_PARTITION : ERROR.NONE;
        return { index, error, producers: partition?.activeProducers() ?? [] };
      }),
    })),
  write(writer, topics) {
    writer.int32(0); // throttle time
    writer.structs(topics, ({ name, partitions }) => {
      writer.string(name);
      writer.structs(partitions, ({ index, error, producers }) => {
        writer.int32(index);
        writer.int16(error);
        writer.nullableString(null); // message
        writer.structs(producers, (producer) => {
          writer.int64(producer.producerId);
          writer.int32(producer.epoch);
          writer.int32(producer.lastSequence);
          writer.int64(producer.lastTimestamp);
          writer.int32(0); // coordinator epoch: there is one coordinator
          writer.int64(producer.transactionStart);
        });
      });
    });
  },
  fail: (topics, error) =>
    topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((index) => ({ index, error, producers: [] })),
    })),
});
