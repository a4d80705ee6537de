import { randomUUID } from 'node:crypto';
import path from 'node:path';

import { StateLog } from '../state-log.ts';
import { ERROR, type ErrorCode } from '../wire/errors.ts';
import {
  joinFailed,
  syncFailed,
  type Effect,
  type JoinAnswer,
  type JoinRequest,
  type MemberIdentity,
  type Membership,
  type SavedGroup,
  type SyncAnswer,
  type SyncRequest,
} from './group-messages.ts';
import { Group } from './group.ts';
import { GroupOffsets } from './offsets.ts';

export interface GroupSettings {
  /** group.min.session.timeout.ms */
  readonly minSessionTimeoutMs: number;
  /** group.max.session.timeout.ms */
  readonly maxSessionTimeoutMs: number;
  /** group.initial.rebalance.delay.ms */
  readonly initialRebalanceDelayMs: number;
  /** How long the offsets of a group without members are kept; Infinity: for ever. */
  readonly offsetsRetentionMs: number;
}

/** Kafka's defaults, but the first rebalance does not wait, and offsets are kept for longer than a holiday. */
export const GROUP_SETTINGS: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 0,
  offsetsRetentionMs: Infinity,
};

const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * All groups: passes each its requests and the time, saves it, and answers the requests it names. Sessions are measured
 * by a monotonic clock.
 */
export class GroupCoordinator {
  readonly offsets: GroupOffsets;
  readonly #settings: GroupSettings;
  readonly #log: StateLog<SavedGroup>;
  readonly #groups = new Map<string, Group>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #joining = new Map<number, (answer: JoinAnswer) => void>();
  readonly #syncing = new Map<number, (answer: SyncAnswer) => void>();
  #tickets = 0;
  #closed = false;

  /** @param folder for `groups.log` and `offsets.log` */
  constructor(folder: string, settings: Partial<GroupSettings> = {}) {
    this.#settings = { ...GROUP_SETTINGS, ...settings };
    this.#log = new StateLog(path.join(folder, 'groups.log'));
    this.offsets = new GroupOffsets(path.join(folder, 'offsets.log'));
    for (const [groupId, saved] of this.#log) {
      this.#groups.set(groupId, new Group(this.#settings.initialRebalanceDelayMs, saved, performance.now()));
      this.#arm(groupId);
    }
    for (const groupId of this.offsets.groups()) this.#getOrCreate(groupId);
  }

  get(groupId: string): Group | undefined {
    return this.#groups.get(groupId);
  }

  all(): readonly (readonly [groupId: string, group: Group])[] {
    return [...this.#groups];
  }

  /** Resolves once the group reaches its next generation, or at once with an error. */
  join(groupId: string, request: Omit<JoinRequest, 'newMemberId'>): Promise<JoinAnswer> {
    const refused = this.#refusesJoin(groupId, request);
    if (refused !== undefined) return Promise.resolve(joinFailed(refused, request.memberId));
    const newMemberId = `${request.instanceId ?? request.clientId}-${randomUUID()}`;
    return new Promise((resolve) => {
      const ticket = this.#ticket();
      this.#joining.set(ticket, resolve);
      const group = this.#getOrCreate(groupId);
      this.#carryOut(groupId, group.join(ticket, { ...request, newMemberId }, performance.now()));
    });
  }

  /** Resolves once the leader has sent the assignment, or at once with an error. */
  sync(groupId: string, request: SyncRequest): Promise<SyncAnswer> {
    const group = this.#groups.get(groupId);
    if (group === undefined) return Promise.resolve(syncFailed(ERROR.UNKNOWN_MEMBER_ID));
    return new Promise((resolve) => {
      const ticket = this.#ticket();
      this.#syncing.set(ticket, resolve);
      this.#carryOut(groupId, group.sync(ticket, request, performance.now()));
    });
  }

  heartbeat(groupId: string, member: Membership): ErrorCode {
    const error = this.#groups.get(groupId)?.heartbeat(member, performance.now());
    this.#arm(groupId);
    return error ?? ERROR.UNKNOWN_MEMBER_ID;
  }

  /** @returns an error code for each member */
  leave(groupId: string, leaving: readonly MemberIdentity[]): readonly ErrorCode[] {
    const group = this.#groups.get(groupId);
    if (group === undefined) return leaving.map(() => ERROR.UNKNOWN_MEMBER_ID);
    const { errors, effects } = group.leave(leaving, performance.now());
    this.#carryOut(groupId, effects);
    return errors;
  }

  /**
   * Whether this member, or a client that is not a member, may commit offsets of the group. For a client that is not a
   * member, a missing group is created.
   *
   * @param unknownGroup the error for a member of a group that does not exist
   */
  checkCommit(
    groupId: string,
    member: Membership,
    { transactional, unknownGroup }: { readonly transactional: boolean; readonly unknownGroup: ErrorCode },
  ): ErrorCode {
    if (groupId === '') return ERROR.INVALID_GROUP_ID;
    const group =
      this.#groups.get(groupId) ?? (member.generation < 0 ? this.#getOrCreate(groupId) : undefined);
    const error = group?.commit(member, transactional, performance.now());
    this.#arm(groupId);
    return error ?? unknownGroup;
  }

  /** A producer's transaction has ended: the offsets it committed are kept or dropped. */
  endTransaction(producerId: number, committed: boolean): void {
    for (const groupId of this.offsets.endTransaction(producerId, committed)) {
      if (committed) this.#getOrCreate(groupId);
    }
  }

  /** Deletes a group without members, its offsets included. */
  delete(groupId: string): ErrorCode {
    const group = this.#groups.get(groupId);
    if (group === undefined) return ERROR.GROUP_ID_NOT_FOUND;
    if (!group.delete()) return ERROR.NON_EMPTY_GROUP;
    this.offsets.delete(groupId, this.offsets.of(groupId));
    this.#log.delete(groupId);
    this.#groups.delete(groupId);
    clearTimeout(this.#timers.get(groupId));
    this.#timers.delete(groupId);
    return ERROR.NONE;
  }

  /** Drops the committed offsets of a deleted topic: a new topic of the same name starts without them. */
  forgetTopic(topic: string): void {
    for (const groupId of this.offsets.groups()) {
      this.offsets.delete(
        groupId,
        this.offsets.of(groupId).filter((offset) => offset.topic === topic),
      );
    }
  }

  /** Deletes offsets older than their retention, then groups with neither members nor offsets. */
  applyRetention(): void {
    const before = Date.now() - this.#settings.offsetsRetentionMs;
    for (const [groupId, group] of this.#groups) {
      if (group.state !== 'Empty') continue;
      const old = this.offsets.of(groupId).filter(({ committedAt }) => committedAt <= before);
      this.offsets.delete(groupId, old);
      if (!this.offsets.groups().has(groupId)) this.delete(groupId);
    }
  }

  /** Answers all waiting requests. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const answer of this.#joining.values()) answer(joinFailed(ERROR.COORDINATOR_NOT_AVAILABLE, ''));
    for (const answer of this.#syncing.values()) answer(syncFailed(ERROR.COORDINATOR_NOT_AVAILABLE));
    this.#log.close();
    this.offsets.close();
  }

  #refusesJoin(groupId: string, { memberId, sessionTimeoutMs }: Omit<JoinRequest, 'newMemberId'>) {
    if (groupId === '') return ERROR.INVALID_GROUP_ID;
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#settings;
    if (sessionTimeoutMs < minSessionTimeoutMs || sessionTimeoutMs > maxSessionTimeoutMs) {
      return ERROR.INVALID_SESSION_TIMEOUT;
    }
    return memberId !== '' && !this.#groups.has(groupId) ? ERROR.UNKNOWN_MEMBER_ID : undefined;
  }

  #getOrCreate(groupId: string): Group {
    const known = this.#groups.get(groupId);
    if (known !== undefined) return known;
    const group = new Group(this.#settings.initialRebalanceDelayMs);
    this.#groups.set(groupId, group);
    return group;
  }

  #ticket(): number {
    this.#tickets += 1;
    return this.#tickets;
  }

  #carryOut(groupId: string, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'save') {
        this.#log.set(groupId, effect.saved);
      } else if (effect.kind === 'joined') {
        this.#joining.get(effect.ticket)?.(effect.answer);
        this.#joining.delete(effect.ticket);
      } else {
        this.#syncing.get(effect.ticket)?.(effect.answer);
        this.#syncing.delete(effect.ticket);
      }
    }
    this.#arm(groupId);
  }

  /** One timer per group, for its next deadline. */
  #arm(groupId: string): void {
    clearTimeout(this.#timers.get(groupId));
    this.#timers.delete(groupId);
    const deadline = this.#groups.get(groupId)?.deadline ?? Infinity;
    if (deadline === Infinity || this.#closed) return;
    const inMs = Math.min(Math.max(Math.ceil(deadline - performance.now()), 0), MAX_TIMER_MS);
    const timer = setTimeout(() => {
      this.#carryOut(groupId, this.#groups.get(groupId)?.tick(performance.now()) ?? []);
    }, inMs);
    // A session must not keep the process alive.
    timer.unref();
    this.#timers.set(groupId, timer);
  }
}
