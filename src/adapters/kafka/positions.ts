import { Failure } from '../../domain/failure.ts';
import type { PartitionRange } from '../../ports/broker.ts';
import type { Position } from '../../ports/store.ts';
import type { RecordFingerprint } from '../../ports/record.ts';
import type { KafkaClient } from './client.ts';
import { sameFingerprint } from './fingerprint.ts';
import { fetchFingerprints, leaders, listRanges } from './offsets.ts';

/**
 * Holds positions against the topic as it is now.
 *
 * @returns the cluster, and the offset to read next of every partition of the topic
 * @throws Failure offsets_gone, topic_changed; errors of kafkajs as they come
 */
export async function checkPositions(
  client: KafkaClient,
  topic: string,
  positions: ReadonlyMap<number, Position>,
): Promise<{ clusterId: string; offsets: Map<number, number> }> {
  const { clusterId } = await client.metadata([]);
  const leaderOf = await leaders(client, topic);
  // Up to the high watermark: an open transaction ends what can be read now, not what there is.
  const ranges = new Map(
    (await listRanges(client, topic, leaderOf, false)).map((range) => [range.partition, range]),
  );
  for (const position of positions.values()) {
    checkCluster(position, clusterId);
    checkRange(position, ranges.get(position.partition));
  }
  await checkFingerprints(client, topic, positions, leaderOf, ranges);
  const offsets = [...ranges.values()].map(
    ({ partition, start }) => [partition, positions.get(partition)?.next ?? start] as const,
  );
  return { clusterId, offsets: new Map(offsets) };
}

function checkCluster({ topic, partition, next, clusterId }: Position, found: string): void {
  if (clusterId === null || clusterId === found) return;
  throw changed(
    { topic, partition, next },
    `was read up to offset ${next} on cluster ${clusterId}, but this is cluster ${found}`,
  );
}

function checkRange(position: Position, range: PartitionRange | undefined): void {
  const { topic, partition, next } = position;
  if (range === undefined) {
    if (next === 0) return;
    throw changed(position, `was read up to offset ${next}, but the topic has no such partition any more`);
  }
  if (next < range.start || next > range.end) throw offsetsGone({ topic, partition, next }, range);
}

async function checkFingerprints(
  client: KafkaClient,
  topic: string,
  positions: ReadonlyMap<number, Position>,
  leaderOf: ReadonlyMap<number, number>,
  ranges: ReadonlyMap<number, PartitionRange>,
): Promise<void> {
  const expected = new Map<number, RecordFingerprint>();
  for (const { partition, last } of positions.values()) {
    const range = ranges.get(partition);
    // What was deleted or lies past the end cannot be compared.
    if (last !== null && range !== undefined && last.offset >= range.start && last.offset < range.end) {
      expected.set(partition, last);
    }
  }
  if (expected.size === 0) return;
  const offsets = new Map([...expected].map(([partition, last]) => [partition, last.offset]));
  const found = await fetchFingerprints(client, topic, offsets, leaderOf);
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
    fix:
      `check --brokers and --topic; if the topic was made anew, read it from its beginning with: ` +
      `orderctl consume --reset-to earliest (orders decided before stay decided)`,
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
      : 'records that were read are gone';
  return new Failure(
    'offsets_gone',
    `${topic}/${partition}: stored position ${next} is not in the topic: ${available}; ${gap}`,
    {
      fix:
        `read again what is left with: orderctl consume --reset-to earliest (order ids keep that harmless); ` +
        `or go on elsewhere with: orderctl consume --reset-to latest --partitions ${partition} (or an offset)`,
      context: { topic, partition, offset: next },
    },
  );
}
