import type { Group } from '../groups/group.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api, NO_OPERATIONS } from './api.ts';

interface DescribedMember {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly metadata: Buffer;
  readonly assignment: Buffer;
}

interface DescribedGroup {
  readonly groupId: string;
  readonly error: ErrorCode;
  readonly state: string;
  readonly protocolType: string;
  readonly protocolName: string;
  readonly members: readonly DescribedMember[];
}

const NO_BYTES = Buffer.alloc(0);

export const describeGroups = api<readonly string[], readonly DescribedGroup[]>({
  key: 15,
  name: 'DescribeGroups',
  min: 0,
  max: 5,
  flexibleFrom: 5,
  read(reader, version) {
    const groupIds = reader.array(() => reader.string());
    if (version >= 3) reader.boolean(); // whether to include authorized operations: there are no ACLs
    return groupIds;
  },
  handle(groupIds, { broker }) {
    return groupIds.map((groupId) => {
      const group = broker.groups.get(groupId);
      return group === undefined ? nothing(groupId, ERROR.NONE) : describe(groupId, group);
    });
  },
  write(writer, groups, version) {
    if (version >= 1) writer.int32(0); // throttle time
    writer.structs(groups, (group) => {
      writer.int16(group.error);
      writer.string(group.groupId);
      writer.string(group.state);
      writer.string(group.protocolType);
      writer.string(group.protocolName);
      writer.structs(group.members, (member) => {
        writer.string(member.memberId);
        if (version >= 4) writer.nullableString(member.instanceId);
        writer.string(member.clientId);
        writer.string(member.clientHost);
        writer.bytes(member.metadata);
        writer.bytes(member.assignment);
      });
      if (version >= 3) writer.int32(NO_OPERATIONS);
    });
  },
  fail: (groupIds, error) => groupIds.map((groupId) => nothing(groupId, error)),
});

/** A missing group is described as dead, without an error. */
function nothing(groupId: string, error: ErrorCode): DescribedGroup {
  const state = error === ERROR.NONE ? 'Dead' : '';
  return { groupId, error, state, protocolType: '', protocolName: '', members: [] };
}

function describe(groupId: string, group: Group): DescribedGroup {
  // Between generations no protocol is chosen.
  const isStable = group.state === 'Stable';
  return {
    groupId,
    error: ERROR.NONE,
    state: group.state,
    protocolType: group.protocolType ?? '',
    protocolName: isStable ? (group.protocolName ?? '') : '',
    members: group.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      clientId: member.clientId,
      // As Java prints an address, which tools expect.
      clientHost: `/${member.clientHost}`,
      metadata: isStable ? group.metadataOf(member) : NO_BYTES,
      assignment: isStable ? member.assignment : NO_BYTES,
    })),
  };
}
