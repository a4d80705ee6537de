import type { Membership } from '../groups/group-messages.ts';
import { ERROR } from '../wire/errors.ts';
import { api } from './api.ts';
import { commitWhatCanBe, type WantedOffset } from './offset-commits.ts';
import { withErrors, writePartitionErrors, type ByTopic, type PartitionErrors } from './topic-results.ts';

interface Request {
  readonly groupId: string;
  readonly member: Membership;
  readonly topics: ByTopic<WantedOffset>;
}

export const offsetCommit = api<Request, PartitionErrors>({
  key: 8,
  name: 'OffsetCommit',
  min: 0,
  max: 9,
  flexibleFrom: 8,
  read(reader, version) {
    const groupId = reader.string();
    const generation = version >= 1 ? reader.int32() : -1;
    const memberId = version >= 1 ? reader.string() : '';
    const instanceId = version >= 7 ? reader.nullableString() : null;
    if (version >= 2 && version <= 4) reader.int64(); // retention time: the broker's own applies
    const topics = reader.structs(() => ({
      name: reader.string(),
      partitions: reader.structs(() => {
        const partition = reader.int32();
        const offset = reader.int64();
        const leaderEpoch = version >= 6 ? reader.int32() : -1;
        if (version === 1) reader.int64(); // commit timestamp
        return { partition, offset, leaderEpoch, metadata: reader.nullableString() };
      }),
    }));
    return { groupId, member: { generation, memberId, instanceId }, topics };
  },
  handle({ groupId, member, topics }, context) {
    const { broker, version } = context;
    const unknownGroup = version >= 9 ? ERROR.GROUP_ID_NOT_FOUND : ERROR.ILLEGAL_GENERATION;
    const error = broker.groups.checkCommit(groupId, member, { transactional: false, unknownGroup });
    if (error !== ERROR.NONE) return withErrors(topics, () => error);
    return commitWhatCanBe(topics, context, (offsets) => broker.groups.offsets.commit(groupId, offsets));
  },
  write(writer, topics, version) {
    if (version >= 3) writer.int32(0); // throttle time
    writePartitionErrors(writer, topics);
  },
  fail: ({ topics }, error) => withErrors(topics, () => error),
});
