import { newDecoder, newEncoder } from '../protocol/kafkajs.ts';

/**
 * Our way to assign partitions: the leader takes all of them. A folder needs every partition of its topic, so a
 * group that is split is of no use to anybody. The name is our own, which also keeps foreign consumers out: a group
 * is refused to members that share no protocol with it ("inconsistent group protocol").
 */
export const ASSIGNER = 'orderctl';

const VERSION = 0;

/** What a member of ours says of itself, for others to read in the description of the group. */
export interface AboutMember {
  /** As RunOptions.process. */
  readonly process: string | null;
  /** How long the group keeps it without a sign of life. */
  readonly sessionTimeoutMs: number | null;
}

/** ConsumerProtocolSubscription, version 0. */
export function encodeSubscription(topic: string, about: AboutMember): Buffer {
  const userData = Buffer.from(JSON.stringify(about));
  return newEncoder().writeInt16(VERSION).writeArray([topic]).writeBytes(userData).buffer;
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
  topic: string,
  partitions: readonly number[],
): { memberId: string; memberAssignment: Buffer }[] {
  return memberIds.map((memberId) => ({
    memberId,
    memberAssignment: encodeAssignment(topic, memberId === leaderId ? partitions : []),
  }));
}

/** ConsumerProtocolAssignment, version 0. */
function encodeAssignment(topic: string, partitions: readonly number[]): Buffer {
  const encoder = newEncoder().writeInt16(VERSION).writeInt32(1).writeString(topic);
  return encoder.writeArray([...partitions]).writeBytes(Buffer.alloc(0)).buffer;
}

/** The partitions of `topic` in an assignment; empty bytes are an empty assignment. */
export function decodeAssignment(bytes: Buffer, topic: string): number[] {
  const decoder = newDecoder(bytes);
  if (!decoder.canReadBytes(6)) return [];
  decoder.readInt16(); // version
  const topics = decoder.readArray((item) => ({
    name: item.readString(),
    partitions: item.readArray((partition) => partition.readInt32()),
  }));
  return topics
    .filter(({ name }) => name === topic)
    .flatMap(({ partitions }) => partitions)
    .sort((a, b) => a - b);
}
