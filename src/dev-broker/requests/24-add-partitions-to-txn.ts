import type { ProducerIdentity } from '../transactions/transaction.ts';
import { ERROR } from '../wire/errors.ts';
import { api } from './api.ts';
import { fencedBefore } from './fenced.ts';
import { withErrors, writePartitionErrors, type ByTopic, type PartitionErrors } from './topic-results.ts';

interface Request {
  readonly transactionalId: string;
  readonly producer: ProducerIdentity;
  readonly topics: ByTopic<object>;
}

/** Versions from 4 on are for use between brokers. */
export const addPartitionsToTxn = api<Request, PartitionErrors>({
  key: 24,
  name: 'AddPartitionsToTxn',
  min: 0,
  max: 3,
  flexibleFrom: 3,
  read(reader) {
    return {
      transactionalId: reader.string(),
      producer: { producerId: reader.int64(), epoch: reader.int16() },
      topics: reader.structs(() => ({
        name: reader.string(),
        partitions: reader.array(() => ({ partition: reader.int32() })),
      })),
    };
  },
  handle({ transactionalId, producer, topics }, { broker, version }) {
    const exists = (topic: string, partition: number) =>
      broker.topics.partition(topic, partition) !== undefined;
    const isAbsent = topics.some(({ name, partitions }) =>
      partitions.some(({ partition }) => !exists(name, partition)),
    );
    // All or none of them.
    if (isAbsent) {
      return withErrors(topics, (topic, { partition }) =>
        exists(topic, partition) ? ERROR.OPERATION_NOT_ATTEMPTED : ERROR.UNKNOWN_TOPIC_OR_PARTITION,
      );
    }
    const partitions = topics.flatMap(({ name, partitions }) =>
      partitions.map(({ partition }) => ({ topic: name, partition })),
    );
    const error = broker.transactions.add(transactionalId, producer, { partitions });
    return withErrors(topics, () => fencedBefore(2, version, error));
  },
  write(writer, topics) {
    writer.int32(0); // throttle time
    writePartitionErrors(writer, topics);
  },
  fail: ({ topics }, error) => withErrors(topics, () => error),
});
