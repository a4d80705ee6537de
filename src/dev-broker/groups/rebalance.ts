import { ERROR } from '../wire/errors.ts';
import { GroupMembers } from './group-members.ts';
import {
  joinFailed,
  syncFailed,
  type Effect,
  type JoinAnswer,
  type Refusal,
  type SavedGroup,
} from './group-messages.ts';
import { NO_ASSIGNMENT, selectProtocol, type Member } from './members.ts';

export type GroupState = 'Empty' | 'PreparingRebalance' | 'CompletingRebalance' | 'Stable' | 'Dead';

/**
 * How a group moves from one generation to the next: preparing (members join), completing (each has its answer; the
 * leader's assignment is awaited), stable. `Group` decides which requests are allowed; their consequences, in memory
 * and as effects, are here.
 */
export class Rebalance {
  readonly members = new GroupMembers();
  readonly #initialDelayMs: number;
  #state: GroupState = 'Empty';
  #generation = 0;
  #protocolName: string | null = null;
  /** The type of the members' protocols; kept while the group is empty. */
  protocolType: string | null = null;
  /** When the join phase ends with the members present; set while preparing. */
  #joinDeadline = Infinity;
  /** In the first rebalance of an empty group: how much longer it may wait, and whether a member joined meanwhile. */
  #initial: { remainingMs: number; newcomer: boolean } | null = null;
  /** When members that have not requested their assignment are removed. */
  #syncDeadline = Infinity;
  readonly #toSync = new Set<string>();
  #effects: Effect[] = [];

  /** @param initialDelayMs how long the first rebalance of an empty group waits for more members */
  constructor(initialDelayMs: number) {
    this.#initialDelayMs = initialDelayMs;
  }

  get state(): GroupState {
    return this.#state;
  }

  get generation(): number {
    return this.#generation;
  }

  get protocolName(): string | null {
    return this.#protocolName;
  }

  /** When `tick` is due; Infinity while nothing expires. */
  get deadline(): number {
    return Math.min(this.#joinDeadline, this.#syncDeadline, this.members.nextExpiry());
  }

  restore(saved: SavedGroup, now: number): void {
    this.#generation = saved.generation;
    this.protocolType = saved.protocolType;
    this.#protocolName = saved.protocolName;
    this.members.restore(saved.members, saved.leaderId, now);
    if (saved.members.length > 0) this.#state = 'Stable';
  }

  die(): void {
    this.#state = 'Dead';
  }

  effect(effect: Effect): void {
    this.#effects.push(effect);
  }

  save(): void {
    const saved: SavedGroup = {
      generation: this.#generation,
      protocolType: this.protocolType,
      protocolName: this.#protocolName,
      leaderId: this.members.leaderId,
      members: this.members.save(),
    };
    this.effect({ kind: 'save', saved });
  }

  /** Applies expiries, and returns the effects since the last tick. */
  tick(now: number): readonly Effect[] {
    const expired = this.members.expired(now);
    for (const member of expired) this.remove(member);
    const lapsed = this.members.expirePending(now);
    if (expired.length > 0) this.afterRemoval(now);
    else if (lapsed) this.completeIfAllJoined(now);
    if (this.#syncDeadline <= now) {
      for (const member of this.members.all) if (this.#toSync.has(member.memberId)) this.remove(member);
      this.prepare(now);
    }
    while (this.#joinDeadline <= now) this.#endOfJoinPhase(now);
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** A member was added, or its protocols changed. */
  begin(now: number): void {
    if (this.#initial !== null) this.#initial.newcomer = true;
    if (this.#state === 'PreparingRebalance') this.completeIfAllJoined(now);
    else this.prepare(now);
  }

  /** Starts over: members waiting for an assignment must join again. */
  prepare(now: number): void {
    const initial = this.#state === 'Empty';
    this.#state = 'PreparingRebalance';
    this.#toSync.clear();
    this.#syncDeadline = Infinity;
    for (const member of this.members.all) {
      if (member.sync === null) continue;
      this.refuse(member, ERROR.REBALANCE_IN_PROGRESS);
      this.touch(member, now);
    }
    const timeoutMs = this.members.rebalanceTimeoutMs();
    if (initial) {
      this.#initial = { remainingMs: Math.max(timeoutMs - this.#initialDelayMs, 0), newcomer: false };
      this.#joinDeadline = now + this.#initialDelayMs;
    } else {
      this.#joinDeadline = now + timeoutMs;
      this.completeIfAllJoined(now);
    }
  }

  completeIfAllJoined(now: number): void {
    if (this.#state !== 'PreparingRebalance' || this.#initial !== null) return;
    if (this.members.allJoined()) this.#completeJoin(now);
  }

  afterRemoval(now: number): void {
    if (this.#state === 'Stable' || this.#state === 'CompletingRebalance') this.prepare(now);
    else this.completeIfAllJoined(now);
  }

  /** Notes a member's sync; the leader's carries the assignment of all. */
  synced(member: Member, assignments: ReadonlyMap<string, Buffer>, now: number): void {
    this.#toSync.delete(member.memberId);
    if (this.#toSync.size === 0) this.#syncDeadline = Infinity;
    if (this.#state === 'Stable') {
      this.#answerSync(member, now);
    } else if (member.memberId === this.members.leaderId) {
      this.#state = 'Stable';
      for (const one of this.members.all) one.assignment = assignments.get(one.memberId) ?? NO_ASSIGNMENT;
      this.save();
      for (const one of this.members.all) this.#answerSync(one, now);
    }
  }

  /** A static member has rejoined under a new id. */
  replaced(old: Member): void {
    this.refuse(old, ERROR.FENCED_INSTANCE_ID);
    this.#toSync.delete(old.memberId);
  }

  remove(member: Member): void {
    this.refuse(member, ERROR.UNKNOWN_MEMBER_ID);
    this.members.remove(member);
    this.#toSync.delete(member.memberId);
  }

  /** Ends a member's waiting requests. */
  refuse(member: Member, error: Refusal): void {
    const { join, sync } = member;
    const memberId = error === ERROR.UNKNOWN_MEMBER_ID ? '' : member.memberId;
    if (join !== null) this.effect({ kind: 'joined', ticket: join, answer: joinFailed(error, memberId) });
    if (sync !== null) this.effect({ kind: 'synced', ticket: sync, answer: syncFailed(error) });
    member.join = null;
    member.sync = null;
  }

  answerJoin(member: Member, now: number, other: Partial<JoinAnswer> = {}): void {
    member.isNew = false;
    this.touch(member, now);
    if (member.join === null) return;
    const isLeader = member.memberId === this.members.leaderId;
    const answer: JoinAnswer = {
      error: ERROR.NONE,
      memberId: member.memberId,
      generation: this.#generation,
      protocolType: this.protocolType,
      protocolName: this.#protocolName,
      leaderId: this.members.leaderId ?? '',
      skipAssignment: false,
      members: isLeader ? this.members.describe(this.#protocolName) : [],
      ...other,
    };
    this.effect({ kind: 'joined', ticket: member.join, answer });
    member.join = null;
  }

  /** Restarts the member's session. */
  touch(member: Member, now: number): void {
    member.expiresAt = now + member.sessionTimeoutMs;
  }

  #endOfJoinPhase(now: number): void {
    const initial = this.#initial;
    if (initial?.newcomer === true && initial.remainingMs > 0) {
      const delayMs = Math.min(this.#initialDelayMs, initial.remainingMs);
      initial.newcomer = false;
      initial.remainingMs -= delayMs;
      this.#joinDeadline += delayMs;
      return;
    }
    this.#completeJoin(now);
  }

  #completeJoin(now: number): void {
    this.#initial = null;
    this.#joinDeadline = Infinity;
    for (const member of this.members.all) {
      if (member.join === null && member.instanceId === null) this.remove(member);
    }
    const members = this.members.all;
    if (members.length > 0 && !this.members.electJoinedLeader()) {
      // Only static members are missing: their sessions decide.
      this.#joinDeadline = now + Math.max(this.members.rebalanceTimeoutMs(), 1);
      return;
    }
    this.#generation += 1;
    this.#protocolName = selectProtocol(members);
    if (members.length === 0) {
      this.#state = 'Empty';
      this.save();
      return;
    }
    this.#state = 'CompletingRebalance';
    this.#syncDeadline = now + this.members.rebalanceTimeoutMs();
    for (const member of members) {
      this.#toSync.add(member.memberId);
      this.answerJoin(member, now);
    }
  }

  #answerSync(member: Member, now: number): void {
    if (member.sync === null) return;
    const answer = {
      error: ERROR.NONE,
      protocolType: this.protocolType,
      protocolName: this.#protocolName,
      assignment: member.assignment,
    };
    this.effect({ kind: 'synced', ticket: member.sync, answer });
    member.sync = null;
    this.touch(member, now);
  }
}
