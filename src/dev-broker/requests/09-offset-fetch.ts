import type { GroupOffsets } from '../groups/offsets.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import type { Reader } from '../wire/reader.ts';
import type { Writer } from '../wire/writer.ts';
import { api } from './api.ts';
import type { ByTopic } from './topic-results.ts';

interface Wanted {
  readonly groupId: string;
  /** Null: all of the group. */
  readonly topics: readonly { readonly name: string; readonly partitions: readonly number[] }[] | null;
}

interface FetchedOffset {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly error: ErrorCode;
}

interface FetchedGroup {
  readonly groupId: string;
  readonly error: ErrorCode;
  readonly topics: ByTopic<FetchedOffset>;
}

const NOTHING = { offset: -1, leaderEpoch: -1, metadata: '', error: ERROR.NONE };

export const offsetFetch = api<
  { readonly groups: readonly Wanted[]; readonly requireStable: boolean },
  readonly FetchedGroup[]
>({
  key: 9,
  name: 'OffsetFetch',
  min: 0,
  max: 9,
  flexibleFrom: 6,
  read(reader, version) {
    const groups =
      version >= 8
        ? reader.structs(() => {
            const groupId = reader.string();
            if (version >= 9) {
              reader.nullableString(); // member id and epoch belong to KIP-848's groups
              reader.int32();
            }
            return { groupId, topics: readTopics(reader) };
          })
        : [{ groupId: reader.string(), topics: readTopics(reader) }];
    return { groups, requireStable: version >= 7 && reader.boolean() };
  },
  handle({ groups, requireStable }, { broker }) {
    return groups.map((wanted) => fetchGroup(broker.groups.offsets, wanted, requireStable));
  },
  write(writer, groups, version) {
    if (version >= 3) writer.int32(0); // throttle time
    if (version >= 8) {
      writer.structs(groups, ({ groupId, topics, error }) => {
        writer.string(groupId);
        writeTopics(writer, topics, version);
        writer.int16(error);
      });
      return;
    }
    const [group] = groups;
    writeTopics(writer, group?.topics ?? [], version);
    if (version >= 2) writer.int16(group?.error ?? ERROR.NONE);
  },
  fail: ({ groups }, error) =>
    groups.map(({ groupId, topics }) => ({
      groupId,
      error,
      // Before version 2 only partitions have an error field.
      topics: (topics ?? []).map(({ name, partitions }) => ({
        name,
        partitions: partitions.map((partition) => ({ ...NOTHING, partition, error })),
      })),
    })),
});

function readTopics(reader: Reader): Wanted['topics'] {
  return reader.nullableStructs(() => ({
    name: reader.string(),
    partitions: reader.array(() => reader.int32()),
  }));
}

function fetchGroup(
  offsets: GroupOffsets,
  { groupId, topics }: Wanted,
  requireStable: boolean,
): FetchedGroup {
  const wanted = topics ?? topicsOf(offsets, groupId);
  return {
    groupId,
    error: ERROR.NONE,
    topics: wanted.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((partition) => {
        if (requireStable && offsets.isUnstable(groupId, name, partition)) {
          return { ...NOTHING, partition, error: ERROR.UNSTABLE_OFFSET_COMMIT };
        }
        return { ...NOTHING, ...offsets.get(groupId, name, partition), partition };
      }),
    })),
  };
}

function topicsOf(offsets: GroupOffsets, groupId: string): NonNullable<Wanted['topics']> {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of offsets.of(groupId)) {
    const partitions = byTopic.get(topic) ?? [];
    partitions.push(partition);
    byTopic.set(topic, partitions);
  }
  return [...byTopic].map(([name, partitions]) => ({ name, partitions }));
}

function writeTopics(writer: Writer, topics: ByTopic<FetchedOffset>, version: number): void {
  writer.structs(topics, ({ name, partitions }) => {
    writer.string(name);
    writer.structs(partitions, ({ partition, offset, leaderEpoch, metadata, error }) => {
      writer.int32(partition);
      writer.int64(offset);
      if (version >= 5) writer.int32(leaderEpoch);
      writer.nullableString(metadata);
      writer.int16(error);
    });
  });
}
