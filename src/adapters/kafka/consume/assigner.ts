import type { TopicPartition } from '../../../ports/store.ts';
import { byTopic } from '../partition-map.ts';
import { newDecoder, newEncoder } from '../protocol/kafkajs.ts';

/**
 * Our way to assign partitions: the leader takes all of them. A folder needs every partition of its topics, so a
 * group that is split is of no use to anybody. A group is refused to members that share no protocol with it
 * ("inconsistent group protocol"): the name, which has the store in it, keeps out foreign consumers and other stores.
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

/** ConsumerProtocolSubscription, version 0. */
export function encodeSubscription(topics: readonly string[], about: AboutMember): Buffer {
  const userData = Buffer.from(JSON.stringify(about));
  return newEncoder().writeInt16(VERSION).writeArray(topics).writeBytes(userData).buffer;
}

/** @returns nothing known for a member that is not ours, or of a version that did not say it */
export function decodeSubscription(bytes: Buffer): AboutMember {
  try {
    const decoder = newDecoder(bytes);
    decoder.readInt16();
    decoder.readArray((topic) => topic.readString());
    const said: unknown = JSON.parse(decoder.readBytes()?.toString() ?? '');
    if (typeof said !== 'object' || said === null) return UNKNOWN;
    const { process, sessionTimeoutMs } = said as Record<string, unknown>;
    return {
      process: typeof process === 'string' ? process : null,
      sessionTimeoutMs: typeof sessionTimeoutMs === 'number' ? sessionTimeoutMs : null,
    };
  } catch {
    return UNKNOWN;
  }
}

const UNKNOWN: AboutMember = { process: null, sessionTimeoutMs: null };

/** What the leader gives to each member: all to itself, nothing to the others. */
export function assignAll(
  leaderId: string,
  memberIds: readonly string[],
  partitions: readonly TopicPartition[],
): { memberId: string; memberAssignment: Buffer }[] {
  return memberIds.map((memberId) => ({
    memberId,
    memberAssignment: encodeAssignment(memberId === leaderId ? partitions : []),
  }));
}

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
