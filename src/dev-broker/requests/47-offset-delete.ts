import { consumerTopics } from '../groups/subscription.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';
import { withErrors, writePartitionErrors, type ByTopic, type PartitionErrors } from './topic-results.ts';

interface Request {
  readonly groupId: string;
  readonly topics: ByTopic<object>;
}

interface Response {
  readonly error: ErrorCode;
  readonly topics: PartitionErrors;
}

export const offsetDelete = api<Request, Response>({
  key: 47,
  name: 'OffsetDelete',
  min: 0,
  max: 0,
  read(reader) {
    return {
      groupId: reader.string(),
      topics: reader.structs(() => ({
        name: reader.string(),
        partitions: reader.structs(() => ({ partition: reader.int32() })),
      })),
    };
  },
  handle({ groupId, topics }, { broker }) {
    const group = broker.groups.get(groupId);
    if (group === undefined) return { error: ERROR.GROUP_ID_NOT_FOUND, topics: [] };
    // Consumers declare their topics: offsets of other topics can be deleted while the group runs.
    const subscribed = group.state === 'Empty' ? new Set<string>() : consumerTopics(group);
    if (subscribed === undefined) return { error: ERROR.NON_EMPTY_GROUP, topics: [] };
    const deleted: { topic: string; partition: number }[] = [];
    const errors = withErrors(topics, (topic, { partition }) => {
      if (subscribed.has(topic)) return ERROR.GROUP_SUBSCRIBED_TO_TOPIC;
      if (broker.topics.partition(topic, partition) === undefined) return ERROR.UNKNOWN_TOPIC_OR_PARTITION;
      deleted.push({ topic, partition });
      return ERROR.NONE;
    });
    broker.groups.offsets.delete(groupId, deleted);
    return { error: ERROR.NONE, topics: errors };
  },
  write(writer, { error, topics }) {
    writer.int16(error);
    writer.int32(0); // throttle time
    writePartitionErrors(writer, topics);
  },
  fail: (_, error) => ({ error, topics: [] }),
});
