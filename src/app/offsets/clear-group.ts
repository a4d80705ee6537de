import { copyInUse } from '../../domain/copies.ts';
import { Failure } from '../../domain/failure.ts';
import type { BrokerAdmin, GroupMember } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Processes } from '../../ports/processes.ts';
import type { Store } from '../../ports/store.ts';
import type { GroupOf } from './group-positions.ts';
import { markOf } from './plan.ts';

/** A member of ours that died without leaving the group was made to leave. */
export interface GhostRemoved {
  readonly kind: 'ghost_removed';
  readonly group: string;
  readonly memberId: string;
}

/** A member has the id of this store, and whether it lives is not known: wait for its session to end, `forMs` at most. */
export interface CopySuspected {
  readonly kind: 'copy_suspected';
  readonly group: string;
  readonly host: string;
  readonly forMs: number;
}

/** The shortest session that Kafka allows by default: assumed of a member that does not say. */
const SESSION_MS = 6_000;
/** A coordinator may notice a little late. */
const SLACK_MS = 2_000;
/** A killed process exists until the kernel has freed its memory. */
const DEATH_MS = 1_500;
const LOOK_MS = 200;

/**
 * Makes sure that nobody else is in the group. A member with the client id of this store is our ghost when its
 * process is known to be dead: it is removed. Otherwise it may be a consumer of a copy of the store, which stays, or
 * one that died where that cannot be seen, whose session ends.
 *
 * @throws Failure group_in_use; interrupted
 */
export async function clearGroup(
  admin: BrokerAdmin,
  { store, processes, clock }: { store: Store; processes: Processes; clock: Clock },
  { topic, group, signal }: GroupOf & { readonly signal?: AbortSignal },
  on: (event: GhostRemoved | CopySuspected) => void,
): Promise<void> {
  const from = clock.elapsed();
  for (let isSaid = false; ; isSaid = true) {
    const { members } = await admin.group(group);
    const foreign = members.filter((member) => member.clientId !== markOf(store.storeId));
    if (foreign.length > 0) throw hasOthers(topic, group, foreign);
    const isGhost = ({ process }: GroupMember): boolean =>
      process !== null && processes.stateOf(process) === 'dead';
    for (const { memberId } of members.filter(isGhost)) {
      await admin.removeMember(group, memberId);
      on({ kind: 'ghost_removed', group, memberId });
    }
    const [other, ...more] = members.filter((member) => !isGhost(member));
    if (other === undefined) return;
    const forMs = Math.max(...[other, ...more].map((member) => patienceMs(member, processes)));
    if (clock.elapsed() - from >= forMs) throw copyInUse(group, other.host);
    if (!isSaid) on({ kind: 'copy_suspected', group, host: other.host, forMs });
    await clock.sleep(LOOK_MS, signal);
    if (signal?.aborted === true) {
      throw new Failure('interrupted', `stopped while waiting for a member of group ${group} to end`, {
        fix: 'run the same command again',
      });
    }
  }
}

/**
 * The group of a store that several processes share: its processes may be in it.
 *
 * @returns whether anybody is
 * @throws Failure group_in_use: members that work on another one
 */
export async function findMembers(
  admin: Pick<BrokerAdmin, 'group'>,
  storeId: string,
  { topic, group }: GroupOf,
): Promise<boolean> {
  const { members } = await admin.group(group);
  const foreign = members.filter(({ clientId }) => clientId !== markOf(storeId));
  if (foreign.length > 0) throw hasOthers(topic, group, foreign);
  return members.length > 0;
}

function patienceMs({ process, sessionTimeoutMs }: GroupMember, processes: Processes): number {
  if (process !== null && processes.stateOf(process) === 'alive') return DEATH_MS;
  return (sessionTimeoutMs ?? SESSION_MS) + SLACK_MS;
}

function hasOthers(topic: string, group: string, members: readonly GroupMember[]): Failure {
  const names = members.map(({ clientId, memberId, host }) => `${clientId || memberId} (${host})`);
  return new Failure('group_in_use', `consumer group ${group} has other members: ${names.join(', ')}`, {
    fix: { kind: 'own_group' },
    context: { topic },
  });
}
