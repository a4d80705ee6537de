import { batchEndOffset, readBatchHeader } from '../wire/record-batch.ts';
import { recordPlaces, type RecordPlace } from '../wire/records.ts';
import type { Segment } from './segment.ts';

/**
 * The first record from `startOffset` on with at least `timestamp`. In batches that cannot be read (compressed other
 * than by gzip) it is the first record of the first batch that contains such a record: early, never late.
 */
export function firstAtTime(
  segments: readonly Segment[],
  timestamp: number,
  startOffset: number,
): RecordPlace | undefined {
  let after = startOffset;
  for (const segment of segments) {
    if (segment.maxTimestamp < timestamp) continue;
    for (;;) {
      const batch = segment.findByTime(timestamp, after);
      if (batch === undefined) break;
      const header = readBatchHeader(batch);
      const places = recordPlaces(batch, header) ?? [
        { offset: Math.max(header.baseOffset, after), timestamp: header.maxTimestamp },
      ];
      const first = places.find((one) => one.timestamp >= timestamp && one.offset >= after);
      if (first !== undefined) return first;
      // The matching records of this batch were deleted.
      after = batchEndOffset(batch, 0);
    }
  }
  return undefined;
}

/** The record with the highest timestamp; the last of its batch where the batch cannot be read. */
export function latestByTime(segments: readonly Segment[], startOffset: number): RecordPlace | undefined {
  const latest = segments.reduce<Segment | undefined>(
    (found, segment) => (found === undefined || segment.maxTimestamp > found.maxTimestamp ? segment : found),
    undefined,
  );
  const batch = latest?.findByTime(latest.maxTimestamp, startOffset);
  if (batch === undefined) return undefined;
  const header = readBatchHeader(batch);
  const last = { offset: batchEndOffset(batch, 0) - 1, timestamp: header.maxTimestamp };
  return recordPlaces(batch, header)?.find(({ timestamp }) => timestamp >= header.maxTimestamp) ?? last;
}
