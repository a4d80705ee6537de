import { BadFrame, Reader } from '../wire/reader.ts';
import type { Group } from './group.ts';

/**
 * The topics that a group's members subscribe to, by their metadata (ConsumerProtocolSubscription: a version, then
 * topics).
 *
 * @returns undefined when they are not consumers or use another format
 */
export function consumerTopics(group: Group): ReadonlySet<string> | undefined {
  if (group.protocolType !== 'consumer') return undefined;
  const topics = new Set<string>();
  for (const member of group.members) {
    const [protocol] = member.protocols;
    const reader = new Reader(protocol?.metadata ?? Buffer.alloc(0));
    try {
      reader.int16();
      for (const topic of reader.array(() => reader.string())) topics.add(topic);
    } catch (error) {
      if (error instanceof BadFrame) return undefined;
      throw error;
    }
  }
  return topics;
}
