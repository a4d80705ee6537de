import type { JoinRequest, SyncRequest } from '../../../src/dev-broker/groups/group-messages.ts';
import type { Protocol } from '../../../src/dev-broker/groups/members.ts';

export const SESSION_MS = 6_000;

export function protocol(name: string, metadata = ''): Protocol {
  return { name, metadata: Buffer.from(metadata) };
}

/** A join by protocol `range` whose metadata are the member's own name, or `metadata`. */
export function joining(
  memberId: string,
  options: Partial<JoinRequest> & { metadata?: string } = {},
): JoinRequest {
  const { metadata, ...others } = options;
  const newMemberId = options.newMemberId ?? 'new';
  return {
    memberId,
    instanceId: null,
    clientId: 'test',
    clientHost: '127.0.0.1',
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols: [protocol('range', metadata ?? (memberId === '' ? newMemberId : memberId))],
    newMemberId,
    idFirst: true,
    canSkipAssignment: false,
    ...others,
  };
}

export function syncing(
  memberId: string,
  generation: number,
  assignments: Readonly<Record<string, string>>,
): SyncRequest {
  return {
    memberId,
    instanceId: null,
    generation,
    protocolType: 'consumer',
    protocolName: null,
    assignments: Object.entries(assignments).map(([name, assignment]) => ({
      memberId: name,
      assignment: Buffer.from(assignment),
    })),
  };
}
