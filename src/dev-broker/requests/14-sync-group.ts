import { syncFailed, type SyncAnswer, type SyncRequest } from '../groups/group-messages.ts';
import { api } from './api.ts';

export const syncGroup = api<{ readonly groupId: string } & SyncRequest, SyncAnswer>({
  key: 14,
  name: 'SyncGroup',
  min: 0,
  max: 5,
  flexibleFrom: 4,
  read(reader, version) {
    return {
      groupId: reader.string(),
      generation: reader.int32(),
      memberId: reader.string(),
      instanceId: version >= 3 ? reader.nullableString() : null,
      protocolType: version >= 5 ? reader.nullableString() : null,
      protocolName: version >= 5 ? reader.nullableString() : null,
      assignments: reader.structs(() => ({
        memberId: reader.string(),
        // A copy, since it is kept: the bytes read are a view of the whole request.
        assignment: Buffer.from(reader.bytes()),
      })),
    };
  },
  handle({ groupId, ...request }, { broker }) {
    return broker.groups.sync(groupId, request);
  },
  write(writer, answer, version) {
    if (version >= 1) writer.int32(0); // throttle time
    writer.int16(answer.error);
    if (version >= 5) {
      writer.nullableString(answer.protocolType);
      writer.nullableString(answer.protocolName);
    }
    writer.bytes(answer.assignment);
  },
  fail: (_, error) => syncFailed(error),
});
