import { setTimeout as sleep } from 'node:timers/promises';

import { Failure, isFailure } from '../../../domain/failure.ts';
import type { RecordChunk, RecordRange } from '../../../ports/broker.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { badBatch, isConnectionError, topicMissing, unreachable } from '../protocol/errors.ts';
import { fingerprintIn } from '../protocol/fingerprint.ts';
import { FetchedPartition } from '../protocol/fetched-partition.ts';
import { createErrorFromCode, OFFSET_OUT_OF_RANGE, type BrokerNode } from '../protocol/kafkajs.ts';
import { leaders, listRanges } from './offsets.ts';
import { BadBatchError, isCutShort, readInt64 } from '../protocol/record-batch.ts';
import { fetchRecords, type FetchedData } from '../protocol/requests/fetch.ts';
import type { Leader } from '../protocol/requests/metadata.ts';

const FETCH_BYTES = 4 * 1024 * 1024;
/** How long a broker holds a request that it cannot answer; it is asked only for offsets that it has reported. */
const MAX_WAIT_MS = 500;

/** Reads ranges of a topic without a group; for the contract, see `BrokerAdmin.records`. */
export async function* readRanges(
  client: KafkaClient,
  topic: string,
  ranges: readonly RecordRange[],
  signal?: AbortSignal,
): AsyncGenerator<RecordChunk> {
  const reader = new RangeReader(client, topic, signal);
  try {
    const present = await reader.ranges();
    for (const range of ranges) {
      const found = present.get(range.partition);
      if (found === undefined) throw noPartition(topic, range.partition, present.size);
      yield* reader.read({ ...range, to: Math.min(range.to, found.end) });
    }
  } catch (error) {
    throw isFailure(error, 'not_found') && error.context.partition === undefined
      ? topicMissing(topic, client.addresses, error)
      : error;
  }
}

class RangeReader {
  readonly #client: KafkaClient;
  readonly #topic: string;
  readonly #signal: AbortSignal | undefined;
  /** Undefined when the leaders must be read again. */
  #leaderOf: ReadonlyMap<number, Leader> | undefined;

  constructor(client: KafkaClient, topic: string, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#topic = topic;
    this.#signal = signal;
  }

  /** The readable offsets of each partition now, up to the last stable offset. */
  async ranges(): Promise<Map<number, { start: number; end: number }>> {
    const listed = await this.#retry(async () =>
      listRanges(this.#client, this.#topic, await leaders(this.#client, this.#topic), true),
    );
    return new Map(listed.map((range) => [range.partition, range]));
  }

  async *read({ partition, from, to }: RecordRange): AsyncGenerator<RecordChunk> {
    let next = from;
    let stalledSince: number | undefined;
    while (next < to) {
      const fetched = await this.#retry(() => this.#fetch(partition, next));
      this.#signal?.throwIfAborted();
      if (fetched === undefined) {
        // A new leader may learn a moment later than its predecessor how far the log is committed.
        stalledSince ??= performance.now();
        await this.#stalled(partition, next, to, stalledSince);
        continue;
      }
      stalledSince = undefined;
      for (const chunk of this.#chunks(partition, fetched, to)) {
        next = chunk.next;
        yield chunk;
        this.#signal?.throwIfAborted();
      }
    }
  }

  *#chunks(partition: number, fetched: FetchedPartition, to: number): Generator<RecordChunk> {
    for (;;) {
      const portion = this.#take(partition, fetched);
      if (portion === undefined) return;
      const { next } = portion;
      const isLast = next >= to;
      const records = isLast ? portion.records.filter(({ offset }) => offset < to) : portion.records;
      yield { partition, records, next: isLast ? to : next, fingerprint: fingerprintIn(records) };
      if (isLast) return;
    }
  }

  #take(partition: number, fetched: FetchedPartition): ReturnType<FetchedPartition['take']> {
    try {
      return fetched.take();
    } catch (error) {
      if (error instanceof BadBatchError) throw badBatch(this.#topic, partition, error);
      throw error;
    }
  }

  /** @returns undefined when the broker has nothing at that offset yet */
  async #fetch(partition: number, offset: number): Promise<FetchedPartition | undefined> {
    let node: BrokerNode | undefined;
    try {
      this.#leaderOf ??= await leaders(this.#client, this.#topic);
      const leader = this.#leaderOf.get(partition);
      node = await this.#client.node(leader?.nodeId ?? -1);
      const [answer] = await fetchRecords(node, {
        partitions: [{ topic: this.#topic, partition, offset, leaderEpoch: leader?.epoch ?? -1 }],
        maxWaitMs: MAX_WAIT_MS,
        maxBytes: FETCH_BYTES,
        maxPartitionBytes: FETCH_BYTES,
        readCommitted: true,
      });
      return answer === undefined ? undefined : await this.#opened(answer, offset);
    } catch (error) {
      this.#leaderOf = undefined;
      // Whatever it still sends would be taken for the answer to the next request.
      if (node !== undefined && isConnectionError(error)) this.#client.forget(node);
      throw error;
    }
  }

  async #opened(answer: FetchedData, offset: number): Promise<FetchedPartition | undefined> {
    const { partition, errorCode, highWatermark, logStart, aborted, records } = answer;
    if (errorCode === OFFSET_OUT_OF_RANGE) {
      const leaderOf = await leaders(this.#client, this.#topic);
      const listed = await listRanges(this.#client, this.#topic, leaderOf, false);
      const range = listed.find((candidate) => candidate.partition === partition);
      throw offsetsGone(this.#topic, partition, offset, range ?? { start: 0, end: 0 });
    }
    if (errorCode !== 0) throw createErrorFromCode(errorCode);
    if (isCutShort(records, 0)) return undefined;
    // A jump made by compaction is within the log; one over deleted records is a gap.
    if (logStart > offset && readInt64(records, 0) > offset) {
      throw offsetsGone(this.#topic, partition, offset, { start: logStart, end: highWatermark });
    }
    return new FetchedPartition({ fetchOffset: offset, highWatermark, buffer: records, aborted });
  }

  async #stalled(partition: number, next: number, to: number, since: number): Promise<void> {
    if (performance.now() - since >= this.#client.connectTimeoutMs) {
      throw unreachable(
        this.#client.addresses,
        `${this.#topic}/${partition} returns no records at offset ${next}, although it extends to offset ${to}`,
      );
    }
    this.#leaderOf = undefined;
    await sleep(100, undefined, this.#signal === undefined ? {} : { signal: this.#signal }).catch(
      () => undefined,
    );
    this.#signal?.throwIfAborted();
  }

  #retry<T>(action: () => Promise<T>): Promise<T> {
    return this.#client.retry(
      {
        doing: `read topic ${this.#topic}`,
        context: { topic: this.#topic },
        ...(this.#signal === undefined ? {} : { signal: this.#signal }),
      },
      action,
    );
  }
}

function noPartition(topic: string, partition: number, count: number): Failure {
  return new Failure('not_found', `topic ${topic} has no partition ${partition}`, {
    fix: `use one of its ${count} partitions: 0 to ${count - 1}`,
    context: { topic, partition },
  });
}

function offsetsGone(
  topic: string,
  partition: number,
  offset: number,
  { start, end }: { start: number; end: number },
): Failure {
  const left = start === end ? `it is empty at ${start}` : `it holds ${start} to ${end - 1}`;
  return new Failure('offsets_gone', `${topic}/${partition}@${offset} is no longer in the topic: ${left}`, {
    fix: 'try again: reading starts at the first record that is left',
    context: { topic, partition, offset },
  });
}
