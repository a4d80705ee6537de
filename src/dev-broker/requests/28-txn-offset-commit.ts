import type { Membership } from '../groups/group-messages.ts';
import type { ProducerIdentity } from '../transactions/transaction.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api, type Context } from './api.ts';
import { commitWhatCanBe, type WantedOffset } from './offset-commits.ts';
import { withErrors, writePartitionErrors, type ByTopic, type PartitionErrors } from './topic-results.ts';

interface Request {
  readonly transactionalId: string;
  readonly groupId: string;
  readonly producer: ProducerIdentity;
  readonly member: Membership;
  readonly topics: ByTopic<WantedOffset>;
}

/** Versions from 4 on belong to transaction version 2, which is not offered. */
export const txnOffsetCommit = api<Request, PartitionErrors>({
  key: 28,
  name: 'TxnOffsetCommit',
  min: 0,
  max: 3,
  flexibleFrom: 3,
  read(reader, version) {
    return {
      transactionalId: reader.string(),
      groupId: reader.string(),
      producer: { producerId: reader.int64(), epoch: reader.int16() },
      member: {
        generation: version >= 3 ? reader.int32() : -1,
        memberId: version >= 3 ? reader.string() : '',
        instanceId: version >= 3 ? reader.nullableString() : null,
      },
      topics: reader.structs(() => ({
        name: reader.string(),
        partitions: reader.structs(() => ({
          partition: reader.int32(),
          offset: reader.int64(),
          leaderEpoch: version >= 2 ? reader.int32() : -1,
          metadata: reader.nullableString(),
        })),
      })),
    };
  },
  handle(request, context) {
    const { groupId, producer, topics } = request;
    const error = check(request, context);
    if (error !== ERROR.NONE) return withErrors(topics, () => error);
    return commitWhatCanBe(topics, context, (offsets) =>
      context.broker.groups.offsets.commitPending(producer.producerId, groupId, offsets),
    );
  },
  write(writer, topics) {
    writer.int32(0); // throttle time
    writePartitionErrors(writer, topics);
  },
  fail: ({ topics }, error) => withErrors(topics, () => error),
});

function check({ transactionalId, groupId, producer, member }: Request, { broker }: Context): ErrorCode {
  const fenced = broker.transactions.checkWrite(transactionalId, producer, { group: groupId });
  if (fenced !== ERROR.NONE) return fenced;
  const unknownGroup = ERROR.ILLEGAL_GENERATION;
  return broker.groups.checkCommit(groupId, member, { transactional: true, unknownGroup });
}
