import type { TopicPartition } from '../../../ports/store.ts';
import { PartitionMap } from '../partition-map.ts';

/** What a member reports when it joins. */
export interface Claim {
  readonly memberId: string;
  readonly topics: readonly string[];
  /** The partitions that it has. */
  readonly owned: readonly TopicPartition[];
  /** The generation in which it got them: of two claims to one partition, the later one counts. */
  readonly generation: number;
}

/**
 * Divides partitions evenly among the members of a group, and moves as few as that takes. A partition that is to move
 * is assigned to no member as long as another one claims it: that member gives it up and joins again (KIP-429).
 *
 * @returns the partitions of each member; a partition whose topic no member reads is assigned to none
 */
export function balance(
  members: readonly Claim[],
  partitions: readonly TopicPartition[],
): Map<string, TopicPartition[]> {
  const inOrder = [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const claimed = claims(inOrder, partitions);
  const shares = inOrder.map(({ memberId, topics }) => ({
    memberId,
    topics: new Set(topics),
    has: partitions.filter((partition) => claimed.get(partition) === memberId),
  }));
  for (const partition of partitions) {
    if (claimed.get(partition) !== undefined) continue;
    const [least] = shares
      .filter(({ topics }) => topics.has(partition.topic))
      .sort((a, b) => a.has.length - b.has.length);
    least?.has.push(partition);
  }
  while (moveOne(shares));
  return new Map(
    shares.map(({ memberId, has }) => [
      memberId,
      has.filter((partition) => (claimed.get(partition) ?? memberId) === memberId),
    ]),
  );
}

/** The member that has each partition, among the members that read its topic. */
function claims(members: readonly Claim[], partitions: readonly TopicPartition[]): PartitionMap<string> {
  const existing = new PartitionMap(partitions.map((partition) => [partition, true]));
  const claimed = new PartitionMap<string>();
  const generations = new PartitionMap<number>();
  for (const { memberId, topics, owned, generation } of members) {
    for (const partition of owned) {
      if (existing.get(partition) === undefined || !topics.includes(partition.topic)) continue;
      if (generation <= (generations.get(partition) ?? -Infinity)) continue;
      generations.set(partition, generation);
      claimed.set(partition, memberId);
    }
  }
  return claimed;
}

interface Share {
  readonly memberId: string;
  readonly topics: ReadonlySet<string>;
  has: TopicPartition[];
}

/** Moves a partition from a member that has at least two more than another. @returns whether one was moved */
function moveOne(shares: readonly Share[]): boolean {
  const byLoad = [...shares].sort((a, b) => b.has.length - a.has.length);
  for (const from of byLoad) {
    for (const to of byLoad.toReversed()) {
      if (from.has.length - to.has.length < 2) break;
      const moved = from.has.findLast(({ topic }) => to.topics.has(topic));
      if (moved === undefined) continue;
      from.has = from.has.filter((partition) => partition !== moved);
      to.has.push(moved);
      return true;
    }
  }
  return false;
}
