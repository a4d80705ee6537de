import { Failure } from '../../../domain/failure.ts';
import type { PartitionRange } from '../../../ports/broker.ts';
import type { Position } from '../../../ports/store.ts';
import { sameFingerprint, type RecordFingerprint } from '../../../ports/record.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { createErrorFromCode, UNKNOWN_TOPIC_OR_PARTITION } from '../protocol/kafkajs.ts';
import type { Leader } from './leaders.ts';
import { fetchFingerprints, listRanges } from '../admin/offsets.ts';

/** What partitions of one node are compared with. */
export interface Comparison {
  readonly client: KafkaClient;
  readonly topic: string;
  /** The partitions and who leads them: one node, and the epochs that distinguish a later leader from it. */
  readonly led: ReadonlyMap<number, Leader>;
  /** Of any partition; one that is absent starts at the earliest offset. */
  readonly positions: ReadonlyMap<number, Position>;
}

/**
 * Compares positions with the topic as its leaders have it now.
 *
 * @returns the offset to read next of every partition that is led
 * @throws Failure offsets_gone, topic_changed; errors of kafkajs as they come
 */
export async function checkPositions(comparison: Comparison): Promise<Map<number, number>> {
  const { client, topic, led, positions } = comparison;
  // Up to the high watermark: an open transaction ends what can be read now, not what there is.
  const ranges = new Map(
    (await listRanges(client, topic, nodesOf(led), false)).map((range) => [range.partition, range]),
  );
  for (const [partition, range] of ranges) {
    const position = positions.get(partition);
    if (position !== undefined) checkRange(position, range);
  }
  await checkFingerprints(comparison, ranges);
  return new Map(
    [...ranges.values()].map(({ partition, start }) => [partition, positions.get(partition)?.next ?? start]),
  );
}

/** @throws Failure topic_changed when the positions are of another cluster, or of more partitions than there are */
export function checkTopic(
  positions: Iterable<Position>,
  cluster: { readonly clusterId: string; readonly partitions: readonly number[] },
): void {
  for (const position of positions) {
    const { partition, next, clusterId } = position;
    if (clusterId !== null && clusterId !== cluster.clusterId) {
      throw changed(
        position,
        `was read up to offset ${next} on cluster ${clusterId}, but this is cluster ${cluster.clusterId}`,
      );
    }
    if (next > 0 && !cluster.partitions.includes(partition)) {
      throw changed(position, `was read up to offset ${next}, but the topic has no such partition any more`);
    }
  }
}

/** Compares the positions of a whole topic at once. Rejects as checkTopic and checkPositions do. */
export async function checkAll(
  client: KafkaClient,
  topic: string,
  positions: ReadonlyMap<number, Position>,
): Promise<void> {
  const { cluster, topic: found } = await client.topic(topic);
  if (found === undefined) throw createErrorFromCode(UNKNOWN_TOPIC_OR_PARTITION);
  const partitions = found.partitions.map(({ partition }) => partition);
  checkTopic(positions.values(), { clusterId: cluster.clusterId, partitions });
  const led = new Map(
    found.partitions.flatMap(({ partition, leader, epoch }) =>
      leader < 0 ? [] : [[partition, { nodeId: leader, epoch }] as const],
    ),
  );
  await checkPositions({ client, topic, led, positions });
}

function epochsOf(led: ReadonlyMap<number, Leader>): Map<number, number> {
  return new Map([...led].map(([partition, { epoch }]) => [partition, epoch]));
}

function nodesOf(led: ReadonlyMap<number, Leader>): Map<number, number> {
  return new Map([...led].map(([partition, { nodeId }]) => [partition, nodeId]));
}

function checkRange(position: Position, range: PartitionRange): void {
  const { topic, partition, next } = position;
  if (next < range.start || next > range.end) throw offsetsGone({ topic, partition, next }, range);
}

async function checkFingerprints(
  { client, topic, led, positions }: Comparison,
  ranges: ReadonlyMap<number, PartitionRange>,
): Promise<void> {
  const expected = new Map<number, RecordFingerprint>();
  for (const [partition, { start, end }] of ranges) {
    const last = positions.get(partition)?.last ?? null;
    // What was deleted or is past the end cannot be compared.
    if (last !== null && last.offset >= start && last.offset < end) expected.set(partition, last);
  }
  if (expected.size === 0) return;
  const offsets = new Map([...expected].map(([partition, last]) => [partition, last.offset]));
  const found = await fetchFingerprints(client, topic, offsets, nodesOf(led), epochsOf(led));
  for (const [partition, last] of expected) {
    const now = found.get(partition);
    if (now === undefined || sameFingerprint(now, last)) continue;
    const next = positions.get(partition)?.next ?? last.offset + 1;
    throw changed(
      { topic, partition, next },
      `offset ${last.offset} holds another record than the one that was read there ` +
        `(then of ${timeOf(last)}, now of ${timeOf(now)})`,
    );
  }
}

/** A producer may stamp anything, nanoseconds too; JavaScript's dates end at ±8.64e15 ms. */
function timeOf({ timestamp }: RecordFingerprint): string {
  return Math.abs(timestamp) <= 8.64e15 ? new Date(timestamp).toISOString() : `timestamp ${timestamp}`;
}

interface Place {
  readonly topic: string;
  readonly partition: number;
  /** The stored position. */
  readonly next: number;
}

function changed({ topic, partition, next }: Place, why: string): Failure {
  return new Failure('topic_changed', `${topic}/${partition}: ${why}`, {
    fix: { kind: 'topic_changed' },
    context: { topic, partition, offset: next },
  });
}

function offsetsGone({ topic, partition, next }: Place, range: PartitionRange): Failure {
  const available =
    range.start === range.end
      ? `it is empty at ${range.start}`
      : `it holds ${range.start} to ${range.end - 1}`;
  const gap =
    next < range.start
      ? `records ${next} to ${range.start - 1} were deleted before they were read`
      : 'records that were read are gone (the topic was created again, or an unclean election cut off its end)';
  return new Failure(
    'offsets_gone',
    `${topic}/${partition}: stored position ${next} is not in the topic: ${available}; ${gap}`,
    {
      fix: { kind: 'offsets_gone', partition },
      context: { topic, partition, offset: next },
    },
  );
}
