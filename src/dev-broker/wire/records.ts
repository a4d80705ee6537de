import { gunzipSync } from 'node:zlib';

import { BATCH_HEADER_BYTES, COMPRESSION, type BatchHeader } from './record-batch.ts';

/** Limit for a decompressed gzip batch, against bombs. */
const MAX_UNPACKED_BYTES = 64 << 20;

export interface RecordPlace {
  readonly offset: number;
  readonly timestamp: number;
}

interface SeenRecord extends RecordPlace {
  readonly hasKey: boolean;
}

/**
 * Offsets and timestamps of the records in a whole batch, for look-ups by time.
 *
 * @returns undefined when the records cannot be read: Node has no decoder for their compression
 */
export function recordPlaces(batch: Buffer, header: BatchHeader): RecordPlace[] | undefined {
  return recordsIn(batch, header)?.map(({ offset, timestamp }) => ({ offset, timestamp }));
}

/** Indexes of the records without a key in a whole batch; empty where the records cannot be read. */
export function keylessRecords(batch: Buffer, header: BatchHeader): number[] {
  return (recordsIn(batch, header) ?? []).flatMap(({ hasKey }, index) => (hasKey ? [] : [index]));
}

function recordsIn(batch: Buffer, header: BatchHeader): SeenRecord[] | undefined {
  const { baseOffset, baseTimestamp, maxTimestamp, isAppendTime, count } = header;
  const records = unpacked(batch.subarray(BATCH_HEADER_BYTES), header.compression);
  if (records === undefined) return undefined;
  const places: SeenRecord[] = [];
  const varints = new Varints(records);
  while (places.length < count && varints.at < records.length) {
    const length = varints.next();
    const end = varints.at + length;
    if (length < 0) return undefined;
    varints.at += 1; // attributes: none are defined
    const timestampDelta = varints.next();
    const offset = baseOffset + varints.next();
    const timestamp = isAppendTime ? maxTimestamp : baseTimestamp + timestampDelta;
    // An absent key has length −1.
    places.push({ offset, timestamp, hasKey: varints.next() >= 0 });
    varints.at = end;
  }
  return places;
}

function unpacked(records: Buffer, compression: number): Buffer | undefined {
  if (compression === COMPRESSION.none) return records;
  if (compression !== COMPRESSION.gzip) return undefined;
  try {
    return gunzipSync(records, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch {
    return undefined; // not checked here: the batch is stored as it arrived
  }
}

/** Reads successive zigzag numbers. */
class Varints {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Exact up to 2^53. */
  next(): number {
    let raw = 0;
    for (let factor = 1, read = 0; read < 10; factor *= 128, read += 1) {
      const byte = this.#bytes[this.at++] ?? 0;
      raw += (byte & 0x7f) * factor;
      if (byte < 0x80) break;
    }
    return raw % 2 === 1 ? -(raw + 1) / 2 : raw / 2;
  }
}
