import { byTopic } from '../../../domain/topics/by-topic.ts';
import type { TopicPartition } from '../../../ports/store.ts';
import { newDecoder, newEncoder, type JoinedGroup } from '../protocol/kafkajs.ts';
import { balance, type Claim } from './balance.ts';

/**
 * Our way to assign partitions. A group is refused to members that share no protocol with it ("inconsistent group
 * protocol"): the name, which has the store in it, keeps out foreign consumers and other stores.
 */
export function protocolOf(storeId: string): string {
  return `orderctl/${storeId}`;
}

const VERSION = 0;

/** What a member of ours says of itself, for others to read in the description of the group. */
export interface AboutMember {
  /** As RunOptions.process. */
  readonly process: string | null;
  /** How long the group keeps it without a sign of life. */
  readonly sessionTimeoutMs: number | null;
}

/**
 * ConsumerProtocolSubscription, version 0.
 *
 * @param claim what it has, where members share the partitions
 */
export function encodeSubscription(
  topics: readonly string[],
  about: AboutMember,
  claim?: Pick<Claim, 'owned' | 'generation'>,
): Buffer {
  const userData = Buffer.from(JSON.stringify({ ...about, ...claim }));
  return newEncoder().writeInt16(VERSION).writeArray(topics).writeBytes(userData).buffer;
}

/** @returns nothing known for a member that is not ours, or of a version that did not say it */
export function decodeSubscription(bytes: Buffer): AboutMember {
  const { process, sessionTimeoutMs } = read(bytes).said;
  return {
    process: typeof process === 'string' ? process : null,
    sessionTimeoutMs: typeof sessionTimeoutMs === 'number' ? sessionTimeoutMs : null,
  };
}

function read(bytes: Buffer): { topics: string[]; said: Record<string, unknown> } {
  try {
    const decoder = newDecoder(bytes);
    decoder.readInt16();
    const topics = decoder.readArray((topic) => topic.readString() ?? '');
    const said: unknown = JSON.parse(decoder.readBytes()?.toString() ?? '');
    return { topics, said: typeof said === 'object' && said !== null ? { ...said } : {} };
  } catch {
    return { topics: [], said: {} };
  }
}

export interface Assigned {
  readonly memberId: string;
  readonly memberAssignment: Buffer;
}

/** For a store that one process owns: the leader has all of them, and the other members nothing. */
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

/** The topics that the members of a group read, and that are not among `own`. */
export function topicsOfOthers(members: readonly GroupMember[], own: readonly string[]): string[] {
  const all = new Set(members.flatMap(({ memberMetadata }) => read(memberMetadata).topics));
  return [...all].filter((topic) => !own.includes(topic));
}

/** For a store that members share: a topic is divided among the members that read it. */
export function assignShares(
  members: readonly GroupMember[],
  partitions: readonly TopicPartition[],
): Assigned[] {
  const claims = members.map(({ memberId, memberMetadata }): Claim => {
    const { topics, said } = read(memberMetadata);
    const { owned, generation } = said as Partial<Claim>;
    // Members of one protocol are of one program: what it says has its shape, or nothing is said.
    return { memberId, topics, owned: owned ?? [], generation: generation ?? -1 };
  });
  const shares = balance(claims, partitions);
  return members.map(({ memberId }) => ({
    memberId,
    memberAssignment: encodeAssignment(shares.get(memberId) ?? []),
  }));
}

type GroupMember = JoinedGroup['members'][number];

/** ConsumerProtocolAssignment, version 0. */
function encodeAssignment(assigned: readonly TopicPartition[]): Buffer {
  const topics = byTopic(assigned);
  const encoder = newEncoder().writeInt16(VERSION).writeInt32(topics.size);
  for (const [topic, partitions] of topics) {
    encoder.writeString(topic).writeArray(partitions.map(({ partition }) => partition));
  }
  return encoder.writeBytes(Buffer.alloc(0)).buffer;
}

/** The partitions of an assignment, in order; empty bytes are an empty assignment. */
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
