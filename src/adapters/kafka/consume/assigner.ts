import { byTopic } from '../../../domain/topics/by-topic.ts';
import type { TopicPartition } from '../../../ports/store.ts';
import { newDecoder, newEncoder, type JoinedGroup } from '../protocol/kafkajs.ts';
import { balance, type Claim } from './balance.ts';

/**
 * The name of our assignment protocol. A group refuses members that share no protocol with it ("inconsistent group
 * protocol"). The name contains the store id, so foreign consumers and those of other stores are kept out.
 */
export function protocolOf(storeId: string): string {
  return `orderctl/${storeId}`;
}

const VERSION = 0;

/** What our members report about themselves, for others to read in the description of the group. */
export interface AboutMember {
  /** See RunOptions.process. */
  readonly process: string | null;
  /** How long the group keeps the member without a heartbeat. */
  readonly sessionTimeoutMs: number | null;
}

/**
 * Encodes a ConsumerProtocolSubscription, version 0.
 *
 * @param claim the partitions it has, where members share the partitions
 */
export function encodeSubscription(
  topics: readonly string[],
  about: AboutMember,
  claim?: Pick<Claim, 'owned' | 'generation'>,
): Buffer {
  const userData = Buffer.from(JSON.stringify({ ...about, ...claim }));
  return newEncoder().writeInt16(VERSION).writeArray(topics).writeBytes(userData).buffer;
}

/** @returns nulls for a member that is not ours, or whose version did not report this */
export function decodeSubscription(bytes: Buffer): AboutMember {
  const { process, sessionTimeoutMs } = read(bytes).reported;
  return {
    process: typeof process === 'string' ? process : null,
    sessionTimeoutMs: typeof sessionTimeoutMs === 'number' ? sessionTimeoutMs : null,
  };
}

function read(bytes: Buffer): { topics: string[]; reported: Record<string, unknown> } {
  try {
    const decoder = newDecoder(bytes);
    decoder.readInt16();
    const topics = decoder.readArray((topic) => topic.readString() ?? '');
    const reported: unknown = JSON.parse(decoder.readBytes()?.toString() ?? '');
    return { topics, reported: typeof reported === 'object' && reported !== null ? { ...reported } : {} };
  } catch {
    return { topics: [], reported: {} };
  }
}

export interface Assigned {
  readonly memberId: string;
  readonly memberAssignment: Buffer;
}

/** For a store that one process owns: the leader gets all partitions, and the other members none. */
export function assignAll(
  leaderId: string,
  members: readonly GroupMember[],
  partitions: readonly TopicPartition[],
): Assigned[] {
  return members.map(({ memberId }) => ({
    memberId,
    memberAssignment: encodeAssignment(memberId === leaderId ? partitions : []),
  }));
}

/** The topics that the members of a group read and that are not among `own`. */
export function topicsOfOthers(members: readonly GroupMember[], own: readonly string[]): string[] {
  const all = new Set(members.flatMap(({ memberMetadata }) => read(memberMetadata).topics));
  return [...all].filter((topic) => !own.includes(topic));
}

/** For a store that members share: each topic is divided among the members that read it. */
export function assignShares(
  members: readonly GroupMember[],
  partitions: readonly TopicPartition[],
): Assigned[] {
  const claims = members.map(({ memberId, memberMetadata }): Claim => {
    const { topics, reported } = read(memberMetadata);
    const { owned, generation } = reported as Partial<Claim>;
    // Members of one protocol run the same program: a claim has the right shape or is missing.
    return { memberId, topics, owned: owned ?? [], generation: generation ?? -1 };
  });
  const shares = balance(claims, partitions);
  return members.map(({ memberId }) => ({
    memberId,
    memberAssignment: encodeAssignment(shares.get(memberId) ?? []),
  }));
}

type GroupMember = JoinedGroup['members'][number];

/** Encodes a ConsumerProtocolAssignment, version 0. */
function encodeAssignment(assigned: readonly TopicPartition[]): Buffer {
  const topics = byTopic(assigned);
  const encoder = newEncoder().writeInt16(VERSION).writeInt32(topics.size);
  for (const [topic, partitions] of topics) {
    encoder.writeString(topic).writeArray(partitions.map(({ partition }) => partition));
  }
  return encoder.writeBytes(Buffer.alloc(0)).buffer;
}

/** Decodes the partitions of an assignment, in order; empty bytes are an empty assignment. */
export function decodeAssignment(bytes: Buffer): TopicPartition[] {
  const decoder = newDecoder(bytes);
  if (!decoder.canReadBytes(6)) return [];
  decoder.readInt16(); // version
  const topics = decoder.readArray((item) => ({
    topic: item.readString() ?? '',
    partitions: item.readArray((partition) => partition.readInt32()).sort((a, b) => a - b),
  }));
  return topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));
}
