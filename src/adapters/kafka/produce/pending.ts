import type { SendRecord } from '../../../ports/broker.ts';
import { recordSizeBound } from '../protocol/encode-batch.ts';
import { partitionOf } from './partitioner.ts';

/** Below Kafka's default of 1 MiB for `max.message.bytes`, which limits a whole batch. */
const BATCH_BYTES = 900_000;

/** Records of one partition that go in one batch, in order. */
export interface Pending {
  readonly partition: number;
  /** Indexes into the records of the send. */
  readonly indexes: readonly number[];
  /** Encoded, with its sequence numbers, once it was sent. */
  bytes: Buffer | undefined;
  isUnderWay: boolean;
  /** The leaders must be read before it is sent again. */
  waits: boolean;
  /** A request with it got no answer, or one from a leader that may have stored it: only a later answer shows which. */
  perhapsStored: boolean;
}

function pendingOf(partition: number, indexes: readonly number[]): Pending {
  const state = { bytes: undefined, isUnderWay: false, waits: false, perhapsStored: false };
  return { partition, indexes, ...state };
}

/** The batches of each partition, in order. */
export function queuesOf(
  records: readonly SendRecord[],
  partitions: number,
  /** The partition of a record without a key. */
  next: (partitions: number) => number,
): Map<number, Pending[]> {
  const batches = new Map<number, { sizeBytes: number; readonly all: number[][] }>();
  records.forEach((record, index) => {
    const { key } = record;
    const partition = key === null ? next(partitions) : partitionOf(key, partitions);
    let of = batches.get(partition);
    if (of === undefined) batches.set(partition, (of = { sizeBytes: 0, all: [] }));
    const sizeBytes = recordSizeBound(record);
    const last = of.all.at(-1);
    if (last === undefined || of.sizeBytes + sizeBytes > BATCH_BYTES) {
      of.all.push([index]);
      of.sizeBytes = sizeBytes;
    } else {
      last.push(index);
      of.sizeBytes += sizeBytes;
    }
  });
  return new Map(
    [...batches].map(([partition, { all }]) => [
      partition,
      all.map((indexes) => pendingOf(partition, indexes)),
    ]),
  );
}

/** Splits a batch that is too large; returns none for a single record. */
export function halve({ partition, indexes }: Pending): Pending[] {
  if (indexes.length < 2) return [];
  const middle = Math.ceil(indexes.length / 2);
  return [pendingOf(partition, indexes.slice(0, middle)), pendingOf(partition, indexes.slice(middle))];
}
