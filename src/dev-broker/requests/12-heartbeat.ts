import type { Membership } from '../groups/group-messages.ts';
import type { ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

export const heartbeat = api<{ readonly groupId: string } & Membership, ErrorCode>({
  key: 12,
  name: 'Heartbeat',
  min: 0,
  max: 4,
  flexibleFrom: 4,
  read(reader, version) {
    return {
      groupId: reader.string(),
      generation: reader.int32(),
      memberId: reader.string(),
      instanceId: version >= 3 ? reader.nullableString() : null,
    };
  },
  handle({ groupId, ...member }, { broker }) {
    return broker.groups.heartbeat(groupId, member);
  },
  write(writer, error, version) {
    if (version >= 1) writer.int32(0); // throttle time
    writer.int16(error);
  },
  fail: (_, error) => error,
});
