import { GREATEST_TIME_MS } from '../../../domain/orders/order.ts';
import { isoTime } from '../../../domain/iso-time.ts';
import { Failure } from '../../../domain/failure.ts';
import type { PartitionRange } from '../../../ports/broker.ts';
import type { Position } from '../../../ports/store.ts';
import { sameFingerprint, type RecordFingerprint, type RefusedPosition } from '../../../ports/record.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { createErrorFromCode, UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/kafkajs.ts';
import type { Leader } from '../protocol/requests/metadata.ts';
import { fetchFingerprints, listRanges } from '../admin/offsets.ts';

/** The positions of a topic, and what to compare them with. */
export interface Comparison {
  readonly client: KafkaClient;
  readonly topic: string;
  /** The partitions and their leaders, with the epochs that distinguish a later leader. */
  readonly led: ReadonlyMap<number, Leader>;
  /** Positions of any partitions; a partition without one starts at the earliest offset. */
  readonly positions: ReadonlyMap<number, Position>;
}

/** By partition, in the order in which to report them. */
export type RefusedPositions = ReadonlyMap<number, RefusedPosition>;

/**
 * Compares positions with the topic as its leaders have it now. Rejects with errors of kafkajs unchanged.
 *
 * @returns the offsets of every partition that has a leader, and the positions that are refused for it
 */
export async function comparePositions(
  comparison: Comparison,
): Promise<{ ranges: readonly PartitionRange[]; refused: RefusedPositions }> {
  const { client, topic, led, positions } = comparison;
  // Up to the high watermark: an open transaction limits what can be read now, not what exists.
  const ranges = await listRanges(client, topic, led, false);
  const refused = new Map<number, RefusedPosition>();
  const read = new Map<number, RecordFingerprint>();
  for (const range of ranges) {
    const { partition, start, end } = range;
    const position = positions.get(partition);
    if (position === undefined) continue;
    const { next, last } = position;
    if (next < start) refused.set(partition, offsetsGone('before_start', position, range));
    else if (next > end) refused.set(partition, offsetsGone('past_end', position, range));
    // A record that was deleted or is past the end cannot be compared.
    else if (last !== null && last.offset >= start && last.offset < end) read.set(partition, last);
  }
  for (const [partition, now] of await fingerprintsNow(comparison, read)) {
    const then = read.get(partition);
    const position = positions.get(partition);
    if (then === undefined || position === undefined) continue;
    if (now instanceof Failure) refused.set(partition, { reason: 'unreadable', failure: now });
    else if (!sameFingerprint(now, then)) refused.set(partition, otherRecord(position, then, now));
  }
  return { ranges, refused };
}

/** Refuses positions in another cluster, in a topic that was recreated since, or in a partition that does not exist. */
export function refusedByTopic(
  positions: Iterable<Position>,
  cluster: {
    readonly clusterId: string;
    readonly partitions: readonly number[];
    readonly isMadeAgain?: boolean;
  },
): RefusedPositions {
  const refused = new Map<number, RefusedPosition>();
  for (const position of positions) {
    const { partition, clusterId } = position;
    if (clusterId !== null && clusterId !== cluster.clusterId) {
      const why = `${reach(position)} on cluster ${clusterId}, but this is cluster ${cluster.clusterId}`;
      refused.set(partition, changed('cluster', position, why));
    } else if (position.next > 0 && cluster.isMadeAgain === true) {
      const why = `${reach(position)}, and then the topic was deleted and recreated`;
      refused.set(partition, changed('other_record', position, why));
    } else if (position.next > 0 && !cluster.partitions.includes(partition)) {
      const why = `${reach(position)}, but the topic no longer has this partition`;
      refused.set(partition, changed('no_partition', position, why));
    }
  }
  return refused;
}

/** The least number of partitions of a topic that was read up to these positions. */
export function partitionsRead(positions: Iterable<Position>): number {
  return Math.max(0, ...[...positions].filter(({ next }) => next > 0).map(({ partition }) => partition + 1));
}

function reach({ next, clusterId }: Position): string {
  return clusterId === null ? `was to be read from offset ${next}` : `was read up to offset ${next}`;
}

/** Compares a whole topic at once; partitions without a leader are compared only with its description. */
export async function refusedPositions(
  client: KafkaClient,
  topic: string,
  positions: ReadonlyMap<number, Position>,
): Promise<RefusedPositions> {
  const { cluster, topic: found } = await client.topic(topic, partitionsRead(positions.values()));
  if (found === undefined) throw createErrorFromCode(UNKNOWN_TOPIC_OR_PARTITION);
  const partitions = found.partitions.map(({ partition }) => partition);
  const byTopic = refusedByTopic(positions.values(), { clusterId: cluster.clusterId, partitions });
  const led = new Map(
    found.partitions.flatMap(({ partition, leader, epoch }) =>
      leader < 0 || byTopic.has(partition) || !positions.has(partition)
        ? []
        : [[partition, { nodeId: leader, epoch }] as const],
    ),
  );
  const { refused } = await comparePositions({ client, topic, led, positions });
  return new Map([...byTopic, ...refused]);
}

/** @throws Failure the first of them */
export function throwFirst(refused: RefusedPositions): void {
  for (const { failure } of refused.values()) throw failure;
}

async function fingerprintsNow(
  { client, topic, led }: Comparison,
  read: ReadonlyMap<number, RecordFingerprint>,
): Promise<ReadonlyMap<number, RecordFingerprint | Failure>> {
  if (read.size === 0) return new Map();
  const offsets = new Map([...read].map(([partition, { offset }]) => [partition, offset]));
  return fetchFingerprints(client, topic, offsets, led);
}

function otherRecord(position: Position, then: RecordFingerprint, now: RecordFingerprint): RefusedPosition {
  const why =
    `the record at offset ${then.offset} is not the one that was read there ` +
    `(then from ${timeOf(then)}, now from ${timeOf(now)})`;
  return changed('other_record', position, why);
}

/** A producer may stamp anything, even nanoseconds; JavaScript's dates end at ±8.64e15 ms. */
function timeOf({ timestamp }: RecordFingerprint): string {
  return Math.abs(timestamp) <= GREATEST_TIME_MS ? isoTime(timestamp) : `timestamp ${timestamp}`;
}

function changed(
  reason: RefusedPosition['reason'],
  { topic, partition, next }: Position,
  why: string,
): RefusedPosition {
  const failure = new Failure('topic_changed', `${topic}/${partition}: ${why}`, {
    fix: { kind: 'topic_changed' },
    context: { topic, partition, offset: next },
  });
  return { reason, failure };
}

function offsetsGone(
  reason: 'before_start' | 'past_end',
  { topic, partition, next, clusterId }: Position,
  { start, end }: PartitionRange,
): RefusedPosition {
  const available = start === end ? `it is empty at ${start}` : `it holds ${start} to ${end - 1}`;
  const gone =
    clusterId === null ? 'records before it no longer exist' : 'records that were read no longer exist';
  const gap =
    reason === 'before_start'
      ? `records ${next} to ${start - 1} were deleted before they were read`
      : `${gone} (the topic was recreated, or an unclean election cut off its end)`;
  const message = `${topic}/${partition}: stored position ${next} is not in the topic: ${available}; ${gap}`;
  const failure = new Failure('offsets_gone', message, {
    fix: { kind: 'offsets_gone', partition },
    context: { topic, partition, offset: next },
  });
  return { reason, failure };
}
