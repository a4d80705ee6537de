import type { Topic } from '../cluster/topics.ts';
import { checkBatch } from '../log/incoming-batch.ts';
import type { Appended, Partition } from '../log/partition.ts';
import { ERROR, KafkaError, RecordsRefused, type ErrorCode, type RecordError } from '../wire/errors.ts';
import { COMPRESSION, type BatchHeader } from '../wire/record-batch.ts';
import { api, type Context } from './api.ts';

interface Request {
  readonly transactionalId: string | null;
  readonly acks: number;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly { readonly index: number; readonly records: Buffer | null }[];
  }[];
}

interface PartitionAnswer extends Appended {
  readonly index: number;
  readonly error: ErrorCode;
  readonly startOffset: number;
  readonly message: string | null;
  /** The refused records, where the batch was refused for single records. */
  readonly refused: readonly RecordError[];
}

type Response = readonly { readonly name: string; readonly partitions: readonly PartitionAnswer[] }[];

/** The first version with zstd: an older client could not read it back. */
const ZSTD_FROM = 7;

export const produce = api<Request, Response>({
  key: 0,
  name: 'Produce',
  // Without versions 0 to 2, librdkafka assumes a broker that cannot compress. Their message formats are refused.
  min: 0,
  max: 8,
  read(reader, version) {
    const transactionalId = version >= 3 ? reader.nullableString() : null;
    const acks = reader.int16();
    reader.int32(); // timeout: there is no replica to wait for
    const topics = reader.structs(() => ({
      name: reader.string(),
      partitions: reader.structs(() => ({ index: reader.int32(), records: reader.nullableBytes() })),
    }));
    return { transactionalId, acks, topics };
  },
  handle(request, context) {
    const answers = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index, records }) => {
        try {
          return {
            ...write(request, name, index, records, context),
            error: ERROR.NONE,
            message: null,
            refused: [],
            index,
          };
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error;
          const refused = error instanceof RecordsRefused ? error.records : [];
          return { ...failed(index, error.code), message: error.message, refused };
        }
      }),
    }));
    if (request.acks !== 0) return answers;
    // Without an answer, Kafka reports a failure by closing the connection.
    const isLost = answers.some(({ partitions }) => partitions.some(({ error }) => error !== ERROR.NONE));
    if (isLost) throw new KafkaError('UNKNOWN_SERVER_ERROR');
    return undefined;
  },
  write(writer, topics, version) {
    writer.structs(topics, ({ name, partitions }) => {
      writer.string(name);
      writer.structs(partitions, (partition) => {
        writer.int32(partition.index);
        writer.int16(partition.error);
        writer.int64(partition.baseOffset);
        if (version >= 2) writer.int64(partition.appendTimeMs);
        if (version >= 5) writer.int64(partition.startOffset);
        if (version >= 8) {
          writer.structs(partition.refused, (record) => {
            writer.int32(record.index);
            writer.nullableString(record.message);
          });
          writer.nullableString(partition.message);
        }
      });
    });
    if (version >= 1) writer.int32(0); // throttle time
  },
  fail({ acks, topics }, error) {
    if (acks === 0) return undefined;
    return topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => failed(index, error)),
    }));
  },
});

function failed(index: number, error: ErrorCode): PartitionAnswer {
  return { index, error, baseOffset: -1, appendTimeMs: -1, startOffset: -1, message: null, refused: [] };
}

/** @throws KafkaError */
function write(
  { transactionalId, acks }: Request,
  topicName: string,
  index: number,
  records: Buffer | null,
  { broker, version }: Context,
): Appended & { startOffset: number } {
  if (acks < -1 || acks > 1) throw new KafkaError('INVALID_REQUIRED_ACKS');
  const topic = broker.topics.get(topicName);
  const partition = topic?.partitions[index];
  if (topic === undefined || partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
  if (acks === -1 && topic.settings.minInsyncReplicas > 1) throw new KafkaError('NOT_ENOUGH_REPLICAS');
  if (records === null) throw new KafkaError('INVALID_RECORD', 'a request carries one batch per partition');
  const nowMs = Date.now();
  const header = checkBatch(records, topic.settings, nowMs);
  if (header.compression === COMPRESSION.zstd && version < ZSTD_FROM) {
    throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', 'zstd needs version 7 of Produce');
  }
  if (header.isTransactional) checkTransaction(transactionalId, topic, partition, header, broker);
  return { ...partition.append(records, header, nowMs), startOffset: partition.startOffset };
}

/**
 * A delayed batch that arrives after the end of its transaction would begin another that is never ended (KIP-890): its
 * transaction must be open and include the partition.
 */
function checkTransaction(
  transactionalId: string | null,
  topic: Topic,
  partition: Partition,
  { producerId, producerEpoch }: BatchHeader,
  broker: Context['broker'],
): void {
  const producer = { producerId, epoch: producerEpoch };
  const to = { topic: topic.name, partition: partition.index };
  const error = broker.transactions.checkWrite(transactionalId ?? '', producer, to);
  if (error !== ERROR.NONE) throw KafkaError.of(error);
}
