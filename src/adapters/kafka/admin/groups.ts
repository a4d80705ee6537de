import { copyInUse } from '../../../domain/copies.ts';
import { Failure } from '../../../domain/failure.ts';
import type { GroupDescription } from '../../../ports/broker.ts';
import { decodeSubscription } from '../consume/assigner.ts';
import type { KafkaClient } from '../protocol/client.ts';
import {
  createErrorFromCode,
  GROUP_ID_NOT_FOUND,
  UNSUPPORTED_VERSION,
  type BrokerNode,
} from '../protocol/kafkajs.ts';
import { describeConsumerGroup } from '../protocol/requests/describe-group.ts';

/** Kafka's name for the state of a group that does not exist. */
const NO_GROUP = 'Dead';

/** Describes a group with its members, whichever protocol they joined with. */
export async function describeGroup(client: KafkaClient, group: string): Promise<GroupDescription> {
  const node = await client.coordinator(group);
  const { groups } = await node.describeGroups({ groupIds: [group] });
  const found = groups.find((candidate) => candidate.groupId === group);
  if (found === undefined || found.state === NO_GROUP) return describeNewGroup(node, group);
  return {
    state: found.state,
    members: found.members.map(({ memberId, clientId, clientHost, memberMetadata }) => ({
      memberId,
      clientId,
      host: hostOf(clientHost),
      ...decodeSubscription(memberMetadata),
    })),
  };
}

async function describeNewGroup(node: BrokerNode, group: string): Promise<GroupDescription> {
  const found = await describeConsumerGroup(node, group);
  if (found === undefined || NOT_OF_THAT_KIND.has(found.errorCode)) return { state: NO_GROUP, members: [] };
  if (found.errorCode !== 0) throw createErrorFromCode(found.errorCode);
  const members = found.members.map(({ memberId, clientId, clientHost }) => ({
    memberId,
    clientId,
    host: hostOf(clientHost),
    process: null,
    sessionTimeoutMs: null,
  }));
  return { state: found.state, members };
}

/** The group does not exist, or the cluster does not allow groups of that kind. */
const NOT_OF_THAT_KIND = new Set([GROUP_ID_NOT_FOUND, UNSUPPORTED_VERSION]);

/** Java writes an address without a name as "/127.0.0.1". */
function hostOf(clientHost: string): string {
  return clientHost.replace(/^\//, '');
}

/**
 * @param others the description of the group without our own members, which the caller leaves out
 * @param clientId of our folder
 */
export function groupInUse(
  group: string,
  others: GroupDescription,
  clientId: string,
  cause?: unknown,
): Failure {
  const copy = others.members.find((member) => member.clientId === clientId);
  if (copy !== undefined) return copyInUse(group, copy.host);
  const names = others.members.map((member) => `${member.clientId} on ${member.host}`);
  const users = names.length === 0 ? 'another consumer' : names.join(', ');
  return new Failure('group_in_use', `group ${group} is in use by ${users}`, {
    fix: { kind: 'own_group' },
    cause,
  });
}
