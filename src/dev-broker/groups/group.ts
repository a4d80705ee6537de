import { ERROR, type ErrorCode } from '../wire/errors.ts';
import {
  joinFailed,
  syncFailed,
  type Effect,
  type JoinRequest,
  type MemberIdentity,
  type Membership,
  type SavedGroup,
  type SyncRequest,
} from './group-messages.ts';
import { isSupported, metadataOf, sameProtocols, selectProtocol, type Member } from './members.ts';
import { Rebalance, type GroupState } from './rebalance.ts';

/** A new member's join expires after this long, since it cannot send heartbeats: Kafka's constant. */
export const NEW_MEMBER_JOIN_TIMEOUT_MS = 5 * 60_000;

/**
 * One group of the classic protocol as a state machine: requests and the time in, effects out. It has no clock, no
 * socket and no randomness. Every join and sync carries a ticket and gets exactly one answer, at once or later;
 * expiries happen in `tick`, which is due at `deadline`.
 *
 * Rules and error codes are those of Kafka's classic groups (GroupMetadataManager and ClassicGroup, Kafka 4).
 */
export class Group {
  readonly #rebalance: Rebalance;

  /** @param initialDelayMs how long the first rebalance of an empty group waits: group.initial.rebalance.delay.ms */
  constructor(initialDelayMs: number, saved?: SavedGroup, now = 0) {
    this.#rebalance = new Rebalance(initialDelayMs);
    if (saved !== undefined) this.#rebalance.restore(saved, now);
  }

  get state(): GroupState {
    return this.#rebalance.state;
  }

  get generation(): number {
    return this.#rebalance.generation;
  }

  get protocolType(): string | null {
    return this.#rebalance.protocolType;
  }

  get protocolName(): string | null {
    return this.#rebalance.protocolName;
  }

  get members(): readonly Member[] {
    return this.#rebalance.members.all;
  }

  get deadline(): number {
    return this.#rebalance.deadline;
  }

  /** A member's metadata for the chosen protocol. */
  metadataOf(member: Member): Buffer {
    return metadataOf(member, this.protocolName);
  }

  tick(now: number): readonly Effect[] {
    return this.#rebalance.tick(now);
  }

  join(ticket: number, request: JoinRequest, now: number): readonly Effect[] {
    const { memberId, instanceId } = request;
    const { members } = this.#rebalance;
    if (this.state === 'Dead') {
      this.#refuseJoin(ticket, ERROR.COORDINATOR_NOT_AVAILABLE, memberId);
    } else if (!this.#supports(request)) {
      this.#refuseJoin(ticket, ERROR.INCONSISTENT_GROUP_PROTOCOL, memberId);
    } else if (memberId === '') {
      this.#joinNew(ticket, request, now);
    } else if (members.isPending(memberId) && instanceId === null) {
      this.#add(ticket, request, memberId, now);
    } else {
      const member = members.get(memberId);
      const error = members.check(request);
      if (member === undefined || error !== ERROR.NONE) this.#refuseJoin(ticket, error, memberId);
      else this.#joinAgain(ticket, request, member, now);
    }
    return this.tick(now);
  }

  sync(ticket: number, request: SyncRequest, now: number): readonly Effect[] {
    const error = this.#checkSync(request);
    const member = this.#rebalance.members.get(request.memberId);
    if (member === undefined || error !== ERROR.NONE) {
      this.#rebalance.effect({ kind: 'synced', ticket, answer: syncFailed(error) });
      return this.tick(now);
    }
    // A second request while the first waits: the client has given up on the first.
    this.#rebalance.refuse(member, ERROR.REBALANCE_IN_PROGRESS);
    member.sync = ticket;
    const assignments = request.assignments.map(
      ({ memberId, assignment }) => [memberId, assignment] as const,
    );
    this.#rebalance.synced(member, new Map(assignments), now);
    return this.tick(now);
  }

  /** @returns the answer's error; extends the session of a known member */
  heartbeat(request: Membership, now: number): ErrorCode {
    const error = this.#check(request);
    if (error !== ERROR.NONE) return error;
    this.#touch(request, now);
    return this.state === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
  }

  /** @returns an error code for each; a static member may be named by its instance id alone */
  leave(
    leaving: readonly MemberIdentity[],
    now: number,
  ): { readonly errors: readonly ErrorCode[]; readonly effects: readonly Effect[] } {
    const errors = leaving.map((identity) => this.#leaveOne(identity));
    if (errors.includes(ERROR.NONE)) this.#rebalance.afterRemoval(now);
    return { errors, effects: this.tick(now) };
  }

  /**
   * Whether offsets may be committed: those of a generation or, with generation −1 and no member, those of a group
   * without members.
   *
   * @param transactional a transaction is fenced by its producer, so the group's state does not matter
   */
  commit(request: Membership, transactional: boolean, now: number): ErrorCode {
    if (this.state === 'Dead') return ERROR.COORDINATOR_NOT_AVAILABLE;
    if (request.generation < 0 && this.state === 'Empty') return ERROR.NONE;
    if (request.generation >= 0 || request.memberId !== '' || request.instanceId !== null) {
      const error = this.#check(request);
      if (error !== ERROR.NONE) return error;
    } else if (!transactional) {
      return ERROR.UNKNOWN_MEMBER_ID;
    }
    if (transactional) return ERROR.NONE;
    if (this.state === 'CompletingRebalance') return ERROR.REBALANCE_IN_PROGRESS;
    this.#touch(request, now);
    return ERROR.NONE;
  }

  /** @returns whether it was deleted: only a group without members is */
  delete(): boolean {
    if (this.state !== 'Empty') return false;
    this.#rebalance.die();
    return true;
  }

  #supports({ protocolType, protocols }: JoinRequest): boolean {
    if (this.members.length === 0) return protocolType !== '' && protocols.length > 0;
    return protocolType === this.protocolType && isSupported(this.members, protocols);
  }

  #joinNew(ticket: number, request: JoinRequest, now: number): void {
    const { instanceId, newMemberId } = request;
    const { members } = this.#rebalance;
    const known = instanceId === null ? undefined : members.ofInstance(instanceId);
    if (known !== undefined) {
      this.#replaceStatic(ticket, request, known, now);
    } else if (instanceId === null && request.idFirst) {
      members.addPending(newMemberId, now + request.sessionTimeoutMs);
      this.#refuseJoin(ticket, ERROR.MEMBER_ID_REQUIRED, newMemberId);
    } else {
      this.#add(ticket, request, newMemberId, now);
    }
  }

  #add(ticket: number, request: JoinRequest, memberId: string, now: number): void {
    const { members } = this.#rebalance;
    if (members.all.length === 0) this.#rebalance.protocolType = request.protocolType;
    members.add(memberId, request, ticket, now + NEW_MEMBER_JOIN_TIMEOUT_MS);
    this.#rebalance.begin(now);
  }

  #joinAgain(ticket: number, request: JoinRequest, member: Member, now: number): void {
    this.#rebalance.refuse(member, ERROR.REBALANCE_IN_PROGRESS);
    member.join = ticket;
    const isLeader = member.memberId === this.#rebalance.members.leaderId;
    // A leader that rejoins a stable group wants a rebalance: only the leader sees that topics have changed.
    const onlyLostTheAnswer = this.state === 'CompletingRebalance' || (this.state === 'Stable' && !isLeader);
    if (onlyLostTheAnswer && sameProtocols(member.protocols, request.protocols)) {
      this.#rebalance.answerJoin(member, now);
      return;
    }
    update(member, request);
    this.#rebalance.begin(now);
  }

  /** A static member that returns without its id gets its place and assignment back. */
  #replaceStatic(ticket: number, request: JoinRequest, old: Member, now: number): void {
    const { members } = this.#rebalance;
    const leaderBefore = members.leaderId ?? '';
    this.#rebalance.replaced(old);
    const member = members.replace(old, request.newMemberId, request);
    member.join = ticket;
    update(member, request);
    if (this.state === 'CompletingRebalance') {
      // The leader is assigning to the old id: its assignment would not reach the new one.
      this.#rebalance.prepare(now);
    } else if (this.state === 'PreparingRebalance') {
      this.#rebalance.completeIfAllJoined(now);
    } else if (selectProtocol(members.all) !== this.protocolName) {
      this.#rebalance.prepare(now);
    } else {
      this.#rebalance.save();
      // A leader that cannot skip the assignment is shown its predecessor as leader, lest it assign again.
      const tells = request.canSkipAssignment
        ? { skipAssignment: member.memberId === members.leaderId }
        : { leaderId: leaderBefore, members: [] };
      this.#rebalance.answerJoin(member, now, tells);
    }
  }

  #leaveOne(identity: MemberIdentity): ErrorCode {
    const { memberId, instanceId } = identity;
    const { members } = this.#rebalance;
    if (members.dropPending(memberId)) return ERROR.NONE;
    const byInstance = memberId === '' && instanceId !== null ? members.ofInstance(instanceId) : undefined;
    const error = byInstance === undefined ? members.check(identity) : ERROR.NONE;
    const member = byInstance ?? members.get(memberId);
    if (error === ERROR.NONE && member !== undefined) this.#rebalance.remove(member);
    return error;
  }

  #refuseJoin(ticket: number, error: ErrorCode, memberId: string): void {
    this.#rebalance.effect({ kind: 'joined', ticket, answer: joinFailed(error, memberId) });
  }

  #checkSync(request: SyncRequest): ErrorCode {
    const error = this.#check(request);
    if (error !== ERROR.NONE) return error;
    const { protocolType, protocolName } = request;
    const isOther =
      (protocolType !== null && protocolType !== this.protocolType) ||
      (protocolName !== null && protocolName !== this.protocolName);
    if (isOther) return ERROR.INCONSISTENT_GROUP_PROTOCOL;
    return this.state === 'PreparingRebalance' ? ERROR.REBALANCE_IN_PROGRESS : ERROR.NONE;
  }

  #check(request: Membership): ErrorCode {
    if (this.state === 'Dead') return ERROR.COORDINATOR_NOT_AVAILABLE;
    const error = this.#rebalance.members.check(request);
    if (error !== ERROR.NONE) return error;
    return request.generation === this.generation ? ERROR.NONE : ERROR.ILLEGAL_GENERATION;
  }

  #touch({ memberId }: MemberIdentity, now: number): void {
    const member = this.#rebalance.members.get(memberId);
    if (member !== undefined) this.#rebalance.touch(member, now);
  }
}

function update(member: Member, request: JoinRequest): void {
  member.protocols = request.protocols;
  member.rebalanceTimeoutMs = request.rebalanceTimeoutMs;
  member.sessionTimeoutMs = request.sessionTimeoutMs;
}
