import { LEADER_EPOCH, type Partition } from '../log/partition.ts';
import type { RecordPlace } from '../wire/records.ts';
import { ERROR, KafkaError, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';
import { checkLeaderEpoch } from './leader-epoch.ts';

interface Request {
  readonly committedOnly: boolean;
  readonly topics: readonly {
    readonly name: string;
    readonly partitions: readonly {
      readonly index: number;
      readonly leaderEpoch: number;
      readonly timestamp: number;
    }[];
  }[];
}

interface PartitionAnswer extends RecordPlace {
  readonly index: number;
  readonly error: ErrorCode;
}

type Response = readonly { readonly name: string; readonly partitions: readonly PartitionAnswer[] }[];

/** Special timestamps. The last is new in version 7. */
const LATEST = -1;
const EARLIEST = -2;
const MAX_TIMESTAMP = -3;
const NONE: RecordPlace = { offset: -1, timestamp: -1 };

export const listOffsets = api<Request, Response>({
  key: 2,
  name: 'ListOffsets',
  min: 1,
  max: 7,
  flexibleFrom: 6,
  read(reader, version) {
    reader.int32(); // replica id
    const committedOnly = version >= 2 && reader.int8() === 1;
    const topics = reader.structs(() => ({
      name: reader.string(),
      partitions: reader.structs(() => ({
        index: reader.int32(),
        leaderEpoch: version >= 4 ? reader.int32() : -1,
        timestamp: reader.int64(),
      })),
    }));
    return { committedOnly, topics };
  },
  handle: ({ committedOnly, topics }, { broker }) =>
    topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index, leaderEpoch, timestamp }) => {
        try {
          const partition = broker.topics.partition(name, index);
          if (partition === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
          checkLeaderEpoch(leaderEpoch);
          return { ...find(partition, timestamp, committedOnly), index, error: ERROR.NONE };
        } catch (error) {
          if (!(error instanceof KafkaError)) throw error;
          return { ...NONE, index, error: error.code };
        }
      }),
    })),
  write(writer, topics, version) {
    if (version >= 2) writer.int32(0); // throttle time
    writer.structs(topics, ({ name, partitions }) => {
      writer.string(name);
      writer.structs(partitions, ({ index, error, timestamp, offset }) => {
        writer.int32(index);
        writer.int16(error);
        writer.int64(timestamp);
        writer.int64(offset);
        if (version >= 4) writer.int32(offset < 0 ? -1 : LEADER_EPOCH);
      });
    });
  },
  fail: ({ topics }, error) =>
    topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ index }) => ({ ...NONE, index, error })),
    })),
});

function find(partition: Partition, timestamp: number, committedOnly: boolean): RecordPlace {
  switch (timestamp) {
    case LATEST:
      return { offset: committedOnly ? partition.stableOffset : partition.endOffset, timestamp: -1 };
    case EARLIEST:
      return { offset: partition.startOffset, timestamp: -1 };
    case MAX_TIMESTAMP:
      return partition.latestByTime() ?? NONE;
    default: {
      if (timestamp < 0) throw new KafkaError('UNSUPPORTED_VERSION');
      const found = partition.firstAtTime(timestamp) ?? NONE;
      return committedOnly && found.offset >= partition.stableOffset ? NONE : found;
    }
  }
}
