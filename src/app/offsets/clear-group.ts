import { copyInUse } from '../../domain/copies.ts';
import { Failure } from '../../domain/failure.ts';
import type { BrokerAdmin, GroupMember } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Processes } from '../../ports/processes.ts';
import type { Store } from '../../ports/store.ts';
import type { GroupOf } from './group-positions.ts';
import { markOf } from './plan.ts';

/** A member of this store that had died without leaving the group was removed. */
export interface GhostRemoved {
  readonly kind: 'ghost_removed';
  readonly group: string;
  readonly memberId: string;
}

/** A member has the id of this store but may be alive: the run waits up to `forMs` for its session to end. */
export interface CopySuspected {
  readonly kind: 'copy_suspected';
  readonly group: string;
  readonly host: string;
  readonly forMs: number;
}

/** The shortest session that Kafka allows by default, assumed when a member does not report its timeout. */
const SESSION_MS = 6_000;
/** The coordinator may notice the end of a session a little late. */
const SLACK_MS = 2_000;
/** A killed process exists until the kernel has freed its memory. */
const DEATH_MS = 1_500;
const CHECK_EVERY_MS = 200;

/**
 * Makes sure that no other consumer is in the group. A member with the client id of this store whose process is known
 * to be dead is a ghost, and is removed. Any other member with this id is either a consumer of a copy of the store,
 * which stays, or a dead one on another machine, whose session ends.
 *
 * @throws Failure group_in_use, interrupted
 */
export async function clearGroup(
  admin: BrokerAdmin,
  { store, processes, clock }: { store: Store; processes: Processes; clock: Clock },
  { topic, group, signal }: GroupOf & { readonly signal?: AbortSignal },
  on: (event: GhostRemoved | CopySuspected) => void,
): Promise<void> {
  const from = clock.elapsed();
  for (let isReported = false; ; isReported = true) {
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
    if (!isReported) on({ kind: 'copy_suspected', group, host: other.host, forMs });
    await clock.sleep(CHECK_EVERY_MS, signal);
    if (signal?.aborted === true) {
      throw new Failure('interrupted', `stopped while waiting for a member of group ${group} to leave`, {
        fix: 'run the same command again',
      });
    }
  }
}

/**
 * The same for a store that several processes share, whose own processes may be in the group.
 *
 * @returns whether the group has members
 * @throws Failure group_in_use: the group has members of another store
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
