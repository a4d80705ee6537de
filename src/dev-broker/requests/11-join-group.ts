import { joinFailed, type JoinAnswer, type JoinRequest } from '../groups/group-messages.ts';
import { api } from './api.ts';

type Request = { readonly groupId: string } & Omit<
  JoinRequest,
  'newMemberId' | 'clientId' | 'clientHost' | 'idFirst' | 'canSkipAssignment'
>;

export const joinGroup = api<Request, JoinAnswer>({
  key: 11,
  name: 'JoinGroup',
  min: 0,
  max: 9,
  flexibleFrom: 6,
  read(reader, version) {
    const groupId = reader.string();
    const sessionTimeoutMs = reader.int32();
    const rebalanceTimeoutMs = version >= 1 ? reader.int32() : sessionTimeoutMs;
    const memberId = reader.string();
    const instanceId = version >= 5 ? reader.nullableString() : null;
    const protocolType = reader.string();
    const protocols = reader.structs(() => ({
      name: reader.string(),
      // A copy, since it is kept: the bytes read are a view of the whole request.
      metadata: Buffer.from(reader.bytes()),
    }));
    if (version >= 8) reader.nullableString(); // reason
    return { groupId, sessionTimeoutMs, rebalanceTimeoutMs, memberId, instanceId, protocolType, protocols };
  },
  handle({ groupId, ...request }, { broker, connection, clientId, version }) {
    return broker.groups.join(groupId, {
      ...request,
      clientId,
      clientHost: connection.clientHost,
      idFirst: version >= 4,
      canSkipAssignment: version >= 9,
    });
  },
  write(writer, answer, version) {
    if (version >= 2) writer.int32(0); // throttle time
    writer.int16(answer.error);
    writer.int32(answer.generation);
    if (version >= 7) {
      writer.nullableString(answer.protocolType);
      writer.nullableString(answer.protocolName);
    } else {
      writer.string(answer.protocolName ?? '');
    }
    writer.string(answer.leaderId);
    if (version >= 9) writer.boolean(answer.skipAssignment);
    writer.string(answer.memberId);
    writer.structs(answer.members, ({ memberId, instanceId, metadata }) => {
      writer.string(memberId);
      if (version >= 5) writer.nullableString(instanceId);
      writer.bytes(metadata);
    });
  },
  fail: ({ memberId }, error) => joinFailed(error, memberId),
});
