import { api } from './api.ts';
import { attempt, type Outcome } from './outcome.ts';

interface Request {
  /** `count` is the new number of partitions. */
  readonly topics: readonly { readonly name: string; readonly count: number }[];
  readonly validateOnly: boolean;
}

export const createPartitions = api<Request, readonly (Outcome & { readonly name: string })[]>({
  key: 37,
  name: 'CreatePartitions',
  min: 0,
  max: 3,
  flexibleFrom: 2,
  read(reader) {
    const topics = reader.structs(() => {
      const wanted = { name: reader.string(), count: reader.int32() };
      reader.nullableStructs(() => reader.array(() => reader.int32())); // assignments: there is one node
      return wanted;
    });
    reader.int32(); // timeout
    return { topics, validateOnly: reader.boolean() };
  },
  handle: ({ topics, validateOnly }, { broker }) =>
    topics.map(({ name, count }) => ({
      name,
      ...attempt(() => {
        if (validateOnly) broker.topics.checkPartitions(name, count);
        else broker.topics.addPartitions(name, count);
      }),
    })),
  write(writer, results) {
    writer.int32(0); // throttle time
    writer.structs(results, ({ name, error, message }) => {
      writer.string(name);
      writer.int16(error);
      writer.nullableString(message);
    });
  },
  fail: ({ topics }, error) => topics.map(({ name }) => ({ name, error, message: null })),
});
