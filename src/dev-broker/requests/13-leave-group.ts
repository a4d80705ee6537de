import type { MemberIdentity } from '../groups/group-messages.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

interface Response {
  readonly error: ErrorCode;
  readonly members: readonly (MemberIdentity & { readonly error: ErrorCode })[];
}

export const leaveGroup = api<
  { readonly groupId: string; readonly members: readonly MemberIdentity[] },
  Response
>({
  key: 13,
  name: 'LeaveGroup',
  min: 0,
  max: 5,
  flexibleFrom: 4,
  read(reader, version) {
    const groupId = reader.string();
    if (version <= 2) return { groupId, members: [{ memberId: reader.string(), instanceId: null }] };
    const members = reader.structs(() => {
      const member = { memberId: reader.string(), instanceId: reader.nullableString() };
      if (version >= 5) reader.nullableString(); // reason
      return member;
    });
    return { groupId, members };
  },
  handle({ groupId, members }, { broker }) {
    const errors = broker.groups.leave(groupId, members);
    return {
      error: ERROR.NONE,
      members: members.map((member, index) => ({
        ...member,
        error: errors[index] ?? ERROR.UNKNOWN_MEMBER_ID,
      })),
    };
  },
  write(writer, { error, members }, version) {
    if (version >= 1) writer.int32(0); // throttle time
    if (version <= 2) {
      // A single member, whose error is that of the answer.
      writer.int16(error === ERROR.NONE ? (members[0]?.error ?? ERROR.NONE) : error);
      return;
    }
    writer.int16(error);
    writer.structs(members, (member) => {
      writer.string(member.memberId);
      writer.nullableString(member.instanceId);
      writer.int16(member.error);
    });
  },
  fail: (_, error) => ({ error, members: [] }),
});
