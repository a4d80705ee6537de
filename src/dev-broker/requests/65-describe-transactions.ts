import type { TopicPartition, Transaction } from '../transactions/transaction.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

interface Described {
  readonly transactionalId: string;
  readonly error: ErrorCode;
  readonly transaction: Transaction | undefined;
}

export const describeTransactions = api<readonly string[], readonly Described[]>({
  key: 65,
  name: 'DescribeTransactions',
  min: 0,
  max: 0,
  flexibleFrom: 0,
  read: (reader) => reader.array(() => reader.string()),
  handle(transactionalIds, { broker }) {
    return transactionalIds.map((transactionalId) => {
      const transaction = broker.transactions.get(transactionalId);
      const error = transaction === undefined ? ERROR.TRANSACTIONAL_ID_NOT_FOUND : ERROR.NONE;
      return { transactionalId, error, transaction };
    });
  },
  write(writer, described) {
    writer.int32(0); // throttle time
    writer.structs(described, ({ transactionalId, error, transaction }) => {
      writer.int16(error);
      writer.string(transactionalId);
      writer.string(transaction?.state ?? '');
      writer.int32(transaction?.timeoutMs ?? 0);
      writer.int64(transaction?.startedAt ?? -1);
      writer.int64(transaction?.producerId ?? -1);
      writer.int16(transaction?.epoch ?? -1);
      writer.structs(byTopic(transaction?.partitions ?? []), ([topic, partitions]) => {
        writer.string(topic);
        writer.array(partitions, (partition) => writer.int32(partition));
      });
    });
  },
  fail: (transactionalIds, error) =>
    transactionalIds.map((transactionalId) => ({ transactionalId, error, transaction: undefined })),
});

function byTopic(partitions: readonly TopicPartition[]): (readonly [topic: string, partitions: number[]])[] {
  const topics = [...new Set(partitions.map(({ topic }) => topic))];
  return topics.map((topic) => [
    topic,
    partitions.filter((one) => one.topic === topic).map(({ partition }) => partition),
  ]);
}
