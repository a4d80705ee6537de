import { LEADER_EPOCH } from '../log/partition.ts';
import { ERROR, KafkaError, type ErrorCode } from '../wire/errors.ts';
import { api, type Context } from './api.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';
import { attempt } from './outcome.ts';

interface PartitionWanted {
  readonly index: number;
  readonly currentEpoch: number;
  /** The epoch whose end is requested. */
  readonly epoch: number;
}

interface TopicWanted {
  readonly name: string;
  readonly partitions: readonly PartitionWanted[];
}

interface PartitionAnswer {
  readonly index: number;
  readonly error: ErrorCode;
  readonly epoch: number;
  readonly endOffset: number;
}

type Response = readonly { readonly name: string; readonly partitions: readonly PartitionAnswer[] }[];

export const offsetForLeaderEpoch = api<readonly TopicWanted[], Response>({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  min: 2,
  max: 4,
  flexibleFrom: 4,
  read(reader, version) {
    if (version >= 3) reader.int32(); // replica id
    return reader.structs(() => ({
      name: reader.string(),
      partitions: reader.structs(() => ({
        index: reader.int32(),
        currentEpoch: reader.int32(),
        epoch: reader.int32(),
      })),
    }));
  },
  handle: (topics, { broker }) =>
    topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((wanted) => find(name, wanted, broker)),
    })),
  write(writer, topics) {
    writer.int32(0); // throttle time
    writer.structs(topics, ({ name, partitions }) => {
      writer.string(name);
      writer.structs(partitions, ({ index, error, epoch, endOffset }) => {
        writer.int16(error);
        writer.int32(index);
        writer.int32(epoch);
        writer.int64(endOffset);
      });
    });
  },
  fail: (topics, error) =>
    topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({ index, error, epoch: -1, endOffset: -1 })),
    })),
});

function find(
  topic: string,
  { index, currentEpoch, epoch }: PartitionWanted,
  broker: Context['broker'],
): PartitionAnswer {
  const partition = broker.topics.partition(topic, index);
  const { error } = attempt(() => {
    if (partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    checkLeaderEpoch(currentEpoch);
  });
  const isKnown = error === ERROR.NONE && epoch === LEADER_EPOCH;
  return {
    index,
    error,
    epoch: isKnown ? epoch : -1,
    endOffset: isKnown ? (partition?.endOffset ?? -1) : -1,
  };
}
