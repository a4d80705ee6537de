import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { metadataOf, NO_ASSIGNMENT, type Member, type Protocol, type SavedMember } from './members.ts';

interface Joining {
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocols: readonly Protocol[];
}

/** The members of a group in order of arrival, their leader, and ids handed out but not yet used. */
export class GroupMembers {
  readonly #members = new Map<string, Member>();
  readonly #instances = new Map<string, Member>();
  /** Ids handed to clients that are to join with them, and when they expire. */
  readonly #pending = new Map<string, number>();
  #leaderId: string | null = null;

  /** A copy: members may be removed during iteration. */
  get all(): readonly Member[] {
    return [...this.#members.values()];
  }

  get leaderId(): string | null {
    return this.#leaderId;
  }

  get(memberId: string): Member | undefined {
    return this.#members.get(memberId);
  }

  ofInstance(instanceId: string): Member | undefined {
    return this.#instances.get(instanceId);
  }

  /** Checks that this member exists; a static member must have this member id. */
  check(identity: { readonly memberId: string; readonly instanceId: string | null }): ErrorCode {
    const { memberId, instanceId } = identity;
    if (instanceId !== null) {
      const known = this.#instances.get(instanceId);
      if (known === undefined) return ERROR.UNKNOWN_MEMBER_ID;
      if (known.memberId !== memberId) return ERROR.FENCED_INSTANCE_ID;
    }
    return this.#members.has(memberId) ? ERROR.NONE : ERROR.UNKNOWN_MEMBER_ID;
  }

  add(memberId: string, joining: Joining, join: number, expiresAt: number): void {
    const { instanceId, clientId, clientHost, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = joining;
    this.#pending.delete(memberId);
    this.#put({
      memberId,
      instanceId,
      clientId,
      clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      protocols,
      assignment: NO_ASSIGNMENT,
      isNew: true,
      expiresAt,
      join,
      sync: null,
    });
    this.#leaderId ??= memberId;
  }

  remove(member: Member): void {
    this.#members.delete(member.memberId);
    if (member.instanceId !== null) this.#instances.delete(member.instanceId);
    if (this.#leaderId === member.memberId) this.#leaderId = this.all[0]?.memberId ?? null;
  }

  /** Gives a static member a new id, in the place of the old one. */
  replace(old: Member, memberId: string, joining: Joining): Member {
    const { clientId, clientHost } = joining;
    const member: Member = { ...old, memberId, clientId, clientHost, join: null, sync: null };
    const members = this.all.map((one) => (one === old ? member : one));
    this.#members.clear();
    for (const one of members) this.#put(one);
    if (this.#leaderId === old.memberId) this.#leaderId = memberId;
    return member;
  }

  /** @returns whether the leader has joined, or was replaced by a member that has */
  electJoinedLeader(): boolean {
    if (this.#leaderId !== null && this.#members.get(this.#leaderId)?.join != null) return true;
    const joined = this.all.find(({ join }) => join !== null);
    if (joined !== undefined) this.#leaderId = joined.memberId;
    return joined !== undefined;
  }

  allJoined(): boolean {
    return this.#pending.size === 0 && this.all.every(({ join }) => join !== null);
  }

  rebalanceTimeoutMs(): number {
    return Math.max(0, ...this.all.map((member) => member.rebalanceTimeoutMs));
  }

  expired(now: number): readonly Member[] {
    return this.all.filter((member) => expiryOf(member) <= now);
  }

  nextExpiry(): number {
    let next = Infinity;
    for (const expiresAt of this.#pending.values()) next = Math.min(next, expiresAt);
    for (const member of this.#members.values()) next = Math.min(next, expiryOf(member));
    return next;
  }

  isPending(memberId: string): boolean {
    return this.#pending.has(memberId);
  }

  addPending(memberId: string, expiresAt: number): void {
    this.#pending.set(memberId, expiresAt);
  }

  /** @returns whether it existed */
  dropPending(memberId: string): boolean {
    return this.#pending.delete(memberId);
  }

  /** @returns whether one expired */
  expirePending(now: number): boolean {
    const lapsed = [...this.#pending].filter(([, expiresAt]) => expiresAt <= now);
    for (const [memberId] of lapsed) this.#pending.delete(memberId);
    return lapsed.length > 0;
  }

  /** What the leader receives of each member. */
  describe(protocolName: string | null) {
    return this.all.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      metadata: metadataOf(member, protocolName),
    }));
  }

  save(): readonly SavedMember[] {
    return this.all.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      sessionTimeoutMs: member.sessionTimeoutMs,
      rebalanceTimeoutMs: member.rebalanceTimeoutMs,
      protocols: member.protocols.map(({ name, metadata }) => ({
        name,
        metadata: metadata.toString('base64'),
      })),
      assignment: member.assignment.toString('base64'),
    }));
  }

  /** Restarts every member's session. */
  restore(saved: readonly SavedMember[], leaderId: string | null, now: number): void {
    for (const member of saved) {
      this.#put({
        ...member,
        protocols: member.protocols.map(({ name, metadata }) => ({
          name,
          metadata: Buffer.from(metadata, 'base64'),
        })),
        assignment: Buffer.from(member.assignment, 'base64'),
        isNew: false,
        expiresAt: now + member.sessionTimeoutMs,
        join: null,
        sync: null,
      });
    }
    this.#leaderId = leaderId;
  }

  #put(member: Member): void {
    this.#members.set(member.memberId, member);
    if (member.instanceId !== null) this.#instances.set(member.instanceId, member);
  }
}

/** A member that waits for an answer is alive, unless it never received one: its client may have left long ago. */
function expiryOf({ isNew, join, sync, expiresAt }: Member): number {
  return !isNew && (join !== null || sync !== null) ? Infinity : expiresAt;
}
