import type { ErrorCode } from '../wire/errors.ts';
import type { Writer } from '../wire/writer.ts';

/** Topics with partitions and a value for each: the shape of many messages. */
export type ByTopic<T> = readonly {
  readonly name: string;
  readonly partitions: readonly ({ readonly partition: number } & T)[];
}[];

export type PartitionErrors = ByTopic<{ readonly error: ErrorCode }>;

/** The same topics and partitions with an error each. */
export function withErrors<T>(
  topics: ByTopic<T>,
  errorOf: (topic: string, partition: { readonly partition: number } & T) => ErrorCode,
): PartitionErrors {
  return topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((each) => ({ partition: each.partition, error: errorOf(name, each) })),
  }));
}

export function writePartitionErrors(writer: Writer, topics: PartitionErrors): void {
  writer.structs(topics, ({ name, partitions }) => {
    writer.string(name);
    writer.structs(partitions, ({ partition, error }) => {
      writer.int32(partition);
      writer.int16(error);
    });
  });
}
