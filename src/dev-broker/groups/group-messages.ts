import type { ERROR, ErrorCode } from '../wire/errors.ts';
import { NO_ASSIGNMENT, type Protocol, type SavedMember } from './members.ts';

export interface MemberIdentity {
  readonly memberId: string;
  /** Set for a static member, which keeps its place across a restart; null for any other. */
  readonly instanceId: string | null;
}

/** A member as of a generation. */
export interface Membership extends MemberIdentity {
  readonly generation: number;
}

export interface JoinRequest extends MemberIdentity {
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  readonly protocolType: string;
  readonly protocols: readonly Protocol[];
  /** Generated id for a member that has none: `Group` itself uses no randomness. */
  readonly newMemberId: string;
  /** Whether a new member receives its id first and joins again with it (from version 4 on). */
  readonly idFirst: boolean;
  /** Whether the leader can skip the assignment (from version 9 on). */
  readonly canSkipAssignment: boolean;
}

export interface JoinAnswer {
  readonly error: ErrorCode;
  readonly memberId: string;
  readonly generation: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leaderId: string;
  readonly skipAssignment: boolean;
  /** For the leader, which assigns; empty for others. */
  readonly members: readonly (MemberIdentity & { readonly metadata: Buffer })[];
}

export interface SyncRequest extends Membership {
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
}

export interface SyncAnswer {
  readonly error: ErrorCode;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly assignment: Buffer;
}

/** The saved form of a group: as it was when last stable or empty. */
export interface SavedGroup {
  readonly generation: number;
  readonly protocolType: string | null;
  readonly protocolName: string | null;
  readonly leaderId: string | null;
  readonly members: readonly SavedMember[];
}

/** To be carried out by the coordinator: answer a waiting request or, before any answer, save the group. */
export type Effect =
  | { readonly kind: 'joined'; readonly ticket: number; readonly answer: JoinAnswer }
  | { readonly kind: 'synced'; readonly ticket: number; readonly answer: SyncAnswer }
  | { readonly kind: 'save'; readonly saved: SavedGroup };

export function joinFailed(error: ErrorCode, memberId: string): JoinAnswer {
  return {
    error,
    memberId,
    generation: -1,
    protocolType: null,
    protocolName: null,
    leaderId: '',
    skipAssignment: false,
    members: [],
  };
}

export function syncFailed(error: ErrorCode): SyncAnswer {
  return { error, protocolType: null, protocolName: null, assignment: NO_ASSIGNMENT };
}

/** Why a waiting request is answered with an error. */
export type Refusal = (typeof ERROR)['UNKNOWN_MEMBER_ID' | 'REBALANCE_IN_PROGRESS' | 'FENCED_INSTANCE_ID'];
