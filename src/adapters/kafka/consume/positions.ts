import { Failure } from '../../../domain/failure.ts';
import type { PartitionRange } from '../../../ports/broker.ts';
import type { Position } from '../../../ports/store.ts';
import { sameFingerprint, type RecordFingerprint, type RefusedPosition } from '../../../ports/record.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { createErrorFromCode, UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/kafkajs.ts';
import type { Leader } from '../protocol/requests/metadata.ts';
import { fetchFingerprints, listRanges } from '../admin/offsets.ts';

/** What partitions of one node are compared with. */
export interface Comparison {
  readonly client: KafkaClient;
  readonly topic: string;
  /** The partitions and who leads them, with the epochs that distinguish a later leader. */
  readonly led: ReadonlyMap<number, Leader>;
  /** Of any partition; one that is absent starts at the earliest offset. */
  readonly positions: ReadonlyMap<number, Position>;
}

/** By partition, in the order in which they are to be reported. */
export type RefusedPositions = ReadonlyMap<number, RefusedPosition>;

/**
 * Compares positions with the topic as its leaders have it now. Rejects with errors of kafkajs as they come.
 *
 * @returns what can be read of every partition that is led, and the positions that are refused for it
 */
export async function comparePositions(
  comparison: Comparison,
): Promise<{ ranges: readonly PartitionRange[]; refused: RefusedPositions }> {
  const { client, topic, led, positions } = comparison;
  // Up to the high watermark: an open transaction ends what can be read now, not what there is.
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
    // What was deleted or is past the end cannot be compared.
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

/** The positions that are of another cluster, of a topic that was made again since, or of more partitions than there are. */
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
      const why = `${reach(position)}, and then the topic was deleted and made again`;
      refused.set(partition, changed('other_record', position, why));
    } else if (position.next > 0 && !cluster.partitions.includes(partition)) {
      const why = `${reach(position)}, but the topic has no such partition any more`;
      refused.set(partition, changed('no_partition', position, why));
    }
  }
  return refused;
}

/** How many partitions a topic has at least that was read up to these positions. */
export function partitionsRead(positions: Iterable<Position>): number {
  return Math.max(0, ...[...positions].filter(({ next }) => next > 0).map(({ partition }) => partition + 1));
}

function reach({ next, clusterId }: Position): string {
  return clusterId === null ? `was to be read from offset ${next}` : `was read up to offset ${next}`;
}

/** Of a whole topic at once; partitions without a leader are only compared with its description. */
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

/** @throws Failure of the first one */
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
    `offset ${then.offset} holds another record than the one that was read there ` +
    `(then of ${timeOf(then)}, now of ${timeOf(now)})`;
  return changed('other_record', position, why);
}

/** A producer may stamp anything, nanoseconds too; JavaScript's dates end at ±8.64e15 ms. */
function timeOf({ timestamp }: RecordFingerprint): string {
  return Math.abs(timestamp) <= 8.64e15 ? new Date(timestamp).toISOString() : `timestamp ${timestamp}`;
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
  const gone = clusterId === null ? 'records were there that are gone' : 'records that were read are gone';
  const gap =
    reason === 'before_start'
      ? `records ${next} to ${start - 1} were deleted before they were read`
      : `${gone} (the topic was created again, or an unclean election cut off its end)`;
  const message = `${topic}/${partition}: stored position ${next} is not in the topic: ${available}; ${gap}`;
  const failure = new Failure('offsets_gone', message, {
    fix: { kind: 'offsets_gone', partition },
    context: { topic, partition, offset: next },
  });
  return { reason, failure };
}
