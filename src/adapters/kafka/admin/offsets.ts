import type { Failure } from '../../../domain/failure.ts';
import type { BrokerRecord, PartitionRange } from '../../../ports/broker.ts';
import type { RecordFingerprint } from '../../../ports/record.ts';
import type { TopicPartition } from '../../../ports/store.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { badBatch, isPassing } from '../protocol/errors.ts';
import { fingerprintOf } from '../protocol/fingerprint.ts';
import {
  createErrorFromCode,
  LEADER_NOT_AVAILABLE,
  OFFSET_OUT_OF_RANGE,
  UNKNOWN_TOPIC_OR_PARTITION,
  type BrokerNode,
} from '../protocol/kafkajs.ts';
import { BadBatchError, BatchRecords, readHeader } from '../protocol/record-batch.ts';
import { fetchRecords } from '../protocol/requests/fetch.ts';
import { listOffsets } from '../protocol/requests/list-offsets.ts';
import type { Leader } from '../protocol/requests/metadata.ts';

/** Timestamps with a special meaning in ListOffsets. */
const LATEST = -1;
const EARLIEST = -2;
/** A node answers whatever epoch it leads under. */
const NO_EPOCH = -1;

/**
 * The leader of each partition. Rejects with UNKNOWN_TOPIC_OR_PARTITION or, while one is missing,
 * LEADER_NOT_AVAILABLE.
 */
export async function leaders(client: KafkaClient, topic: string): Promise<Map<number, Leader>> {
  const found = (await client.topic(topic)).topic;
  if (found === undefined) throw createErrorFromCode(UNKNOWN_TOPIC_OR_PARTITION);
  return new Map(
    found.partitions.map(({ partition, leader, epoch }) => {
      if (leader < 0) throw createErrorFromCode(LEADER_NOT_AVAILABLE);
      return [partition, { nodeId: leader, epoch }];
    }),
  );
}

/**
 * The partitions of topics, in order of partitions, with or without a leader. Rejects with
 * UNKNOWN_TOPIC_OR_PARTITION.
 *
 * @param others further topics, which may be missing
 */
export async function partitionsOf(
  client: KafkaClient,
  topics: readonly string[],
  others: readonly string[] = [],
): Promise<TopicPartition[]> {
  const found = (await client.topics(topics, { others })).topics;
  if (topics.some((name) => !found.some(({ topic }) => topic === name)))
    throw createErrorFromCode(UNKNOWN_TOPIC_OR_PARTITION);
  return found
    .flatMap(({ topic, partitions }) => partitions.map(({ partition }) => ({ topic, partition })))
    .sort((a, b) => a.partition - b.partition);
}

/**
 * Lists one offset per partition with ListOffsets.
 *
 * @param at LATEST, EARLIEST or milliseconds since the epoch: the first record at that time or later, −1 if there is
 *   none
 * @param stable whether an open transaction ends the partition
 */
async function list(
  client: KafkaClient,
  topic: string,
  leaderOf: ReadonlyMap<number, Leader>,
  at: number,
  stable: boolean,
): Promise<Map<number, number>> {
  const answers = await askLeaders(client, leaderOf, (node, led) => {
    const partitions = led.map((partition) => ({
      partition,
      leaderEpoch: leaderOf.get(partition)?.epoch ?? NO_EPOCH,
    }));
    return listOffsets(node, { topic, partitions, timestamp: at, readCommitted: stable });
  });
  return new Map(answers.flatMap((answer) => [...answer]));
}

/** Asks all leaders at once, so that slow ones are waited for together. */
function askLeaders<T>(
  client: KafkaClient,
  leaderOf: ReadonlyMap<number, Leader>,
  question: (node: BrokerNode, partitions: readonly number[]) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    [...byLeader(leaderOf)].map(async ([nodeId, partitions]) =>
      question(await client.node(nodeId), partitions),
    ),
  );
}

function byLeader(leaderOf: ReadonlyMap<number, Leader>): Map<number, number[]> {
  const partitions = new Map<number, number[]>();
  for (const [partition, { nodeId }] of leaderOf) {
    const led = partitions.get(nodeId);
    if (led === undefined) partitions.set(nodeId, [partition]);
    else led.push(partition);
  }
  return partitions;
}

/**
 * The readable offsets of each partition, in order of partitions.
 *
 * @param stable whether `end` is the last stable offset (the position of a consumer that has read everything) or the
 *   high watermark (the greatest offset that was ever committed to the log)
 */
export async function listRanges(
  client: KafkaClient,
  topic: string,
  leaderOf: ReadonlyMap<number, Leader>,
  stable: boolean,
): Promise<PartitionRange[]> {
  const [starts, ends] = await Promise.all([
    list(client, topic, leaderOf, EARLIEST, stable),
    list(client, topic, leaderOf, LATEST, stable),
  ]);
  return [...starts]
    .map(([partition, start]) => ({ partition, start, end: ends.get(partition) ?? start }))
    .sort((a, b) => a.partition - b.partition);
}

/** Like listRanges, for the partitions whose leader answers now. Rejects when there are leaders and none answers. */
export async function listLedRanges(client: KafkaClient, topic: string): Promise<PartitionRange[]> {
  const found = (await client.topic(topic)).topic;
  if (found === undefined) throw createErrorFromCode(UNKNOWN_TOPIC_OR_PARTITION);
  const led = found.partitions.filter(({ leader }) => leader >= 0);
  const leaderOf = new Map(led.map(({ partition, leader, epoch }) => [partition, { nodeId: leader, epoch }]));
  const nodes = byLeader(leaderOf).values();
  const answers = await Promise.allSettled(
    [...nodes].map((partitions) => {
      const own = [...leaderOf].filter(([partition]) => partitions.includes(partition));
      return listRanges(client, topic, new Map(own), true);
    }),
  );
  const failures = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [answer.reason as unknown] : [],
  );
  const end = failures.find((error) => !isPassing(error) || failures.length === answers.length);
  if (end !== undefined) throw end as Error;
  return answers
    .flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []))
    .sort((a, b) => a.partition - b.partition);
}

export async function listAt(
  client: KafkaClient,
  topic: string,
  timestampMs: number,
): Promise<Map<number, number>> {
  const leaderOf = await leaders(client, topic);
  const [found, ends] = await Promise.all([
    list(client, topic, leaderOf, timestampMs, true),
    list(client, topic, leaderOf, LATEST, true),
  ]);
  return new Map(
    [...ends].map(([partition, end]) => {
      const offset = found.get(partition) ?? -1;
      return [partition, offset < 0 ? end : Math.min(offset, end)];
    }),
  );
}

/**
 * Enough for a batch of common size from each partition in one answer; partitions with larger ones are asked again,
 * first.
 */
const PROBE_PARTITION_BYTES = 256 * 1024;
const PROBE_BYTES = 8 * 1024 * 1024;

/**
 * The fingerprints of the records at these offsets. Offsets without a record, and those of control records, are
 * absent; a broken batch is a failure (invalid_input).
 */
export async function fetchFingerprints(
  client: KafkaClient,
  topic: string,
  offsets: ReadonlyMap<number, number>,
  leaderOf: ReadonlyMap<number, Leader>,
): Promise<Map<number, RecordFingerprint | Failure>> {
  const found = new Map<number, RecordFingerprint | Failure>();
  const probed = new Map([...leaderOf].filter(([partition]) => offsets.has(partition)));
  await askLeaders(client, probed, async (node, led) => {
    let wanted = led;
    while (wanted.length > 0) {
      const answers = await fetchRecords(node, {
        partitions: wanted.map((partition) => ({
          topic,
          partition,
          offset: offsets.get(partition) ?? 0,
          leaderEpoch: leaderOf.get(partition)?.epoch ?? NO_EPOCH,
        })),
        maxWaitMs: 0,
        maxBytes: PROBE_BYTES,
        maxPartitionBytes: PROBE_PARTITION_BYTES,
        readCommitted: false,
      });
      const cutShort: number[] = [];
      for (const { partition, errorCode, records, highWatermark } of answers) {
        if (errorCode === OFFSET_OUT_OF_RANGE) continue;
        if (errorCode !== 0) throw createErrorFromCode(errorCode);
        const offset = offsets.get(partition) ?? 0;
        // Empty although there are records: the answer was full before it reached this partition.
        const isFull = records.length === 0 && offset < highWatermark;
        const print = isFull ? 'cut' : fingerprintAt(records, offset, { topic, partition });
        if (print === 'cut') cutShort.push(partition);
        else if (print !== undefined) found.set(partition, print);
      }
      // The first partition in a request is returned whole, so each round settles at least one.
      wanted = cutShort.length < wanted.length ? cutShort : cutShort.slice(1);
    }
  });
  return found;
}

function fingerprintAt(
  buffer: Buffer,
  offset: number,
  { topic, partition }: { topic: string; partition: number },
): RecordFingerprint | Failure | 'cut' | undefined {
  try {
    const record = findRecord(buffer, offset);
    return record === undefined || record === 'cut' ? record : fingerprintOf(record);
  } catch (error) {
    if (error instanceof BadBatchError) return badBatch(topic, partition, error);
    throw error;
  }
}

function findRecord(buffer: Buffer, offset: number): BrokerRecord | 'cut' | undefined {
  const header = buffer.length === 0 ? undefined : readHeader(buffer, 0);
  if (header === undefined) return buffer.length > 0 ? 'cut' : undefined;
  if (header.isControl || header.baseOffset > offset || header.count === 0) return undefined;
  const records: BrokerRecord[] = [];
  new BatchRecords(buffer, 0, header).readInto(records, offset, 1);
  return records[0]?.offset === offset ? records[0] : undefined;
}
