import { crc32c } from '../../crc32c.ts';

/**
 * A record batch (magic 2, https://kafka.apache.org/documentation/#recordbatch) is stored as it arrived. Only its
 * header is read: baseOffset int64, length int32 (of what follows it), leaderEpoch int32, magic int8,
 * crc uint32 (of what follows it), attributes int16, lastOffsetDelta int32, baseTimestamp int64,
 * maxTimestamp int64, producerId int64, producerEpoch int16, baseSequence int32, count int32, records.
 */
export const BATCH_HEADER_BYTES = 61;
/** baseOffset and length: what must be read to know where the next batch begins. */
export const BATCH_PREFIX_BYTES = 12;

const AT = {
  baseOffset: 0,
  length: 8,
  leaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
} as const;

const COMPRESSION_BITS = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

export const COMPRESSION = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

export interface BatchHeader {
  readonly baseOffset: number;
  /** Of the whole batch, including its prefix. */
  readonly sizeBytes: number;
  readonly magic: number;
  readonly compression: number;
  readonly isAppendTime: boolean;
  readonly isTransactional: boolean;
  readonly isControl: boolean;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** -1 for a producer that is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly count: number;
}

/** @returns the header at `at`, unchecked; `BATCH_HEADER_BYTES` must be present */
export function readBatchHeader(bytes: Buffer, at = 0): BatchHeader {
  const attributes = bytes.readInt16BE(at + AT.attributes);
  return {
    baseOffset: readInt64(bytes, at + AT.baseOffset),
    sizeBytes: batchSizeBytes(bytes, at),
    magic: bytes.readInt8(at + AT.magic),
    compression: attributes & COMPRESSION_BITS,
    isAppendTime: (attributes & LOG_APPEND_TIME) !== 0,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    isControl: (attributes & CONTROL) !== 0,
    lastOffsetDelta: bytes.readInt32BE(at + AT.lastOffsetDelta),
    baseTimestamp: readInt64(bytes, at + AT.baseTimestamp),
    maxTimestamp: readInt64(bytes, at + AT.maxTimestamp),
    producerId: readInt64(bytes, at + AT.producerId),
    producerEpoch: bytes.readInt16BE(at + AT.producerEpoch),
    baseSequence: bytes.readInt32BE(at + AT.baseSequence),
    count: bytes.readInt32BE(at + AT.count),
  };
}

export function batchSizeBytes(bytes: Buffer, at: number): number {
  return BATCH_PREFIX_BYTES + bytes.readInt32BE(at + AT.length);
}

export function batchBaseOffset(bytes: Buffer, at: number): number {
  return readInt64(bytes, at + AT.baseOffset);
}

/** The offset after the batch, of which `BATCH_HEADER_BYTES` must be present. */
export function batchEndOffset(bytes: Buffer, at: number): number {
  return batchBaseOffset(bytes, at) + bytes.readInt32BE(at + AT.lastOffsetDelta) + 1;
}

export function batchMaxTimestamp(bytes: Buffer, at: number): number {
  return readInt64(bytes, at + AT.maxTimestamp);
}

export function batchCompression(bytes: Buffer, at: number): number {
  return bytes.readInt16BE(at + AT.attributes) & COMPRESSION_BITS;
}

/** Whether the checksum of the batch in `bytes[at, end)` is right. */
export function checksumHolds(bytes: Buffer, at: number, end: number): boolean {
  return bytes.readUInt32BE(at + AT.crc) === crc32c(bytes, at + AT.attributes, end);
}

/** Writes the batch's place in the log, which the checksum does not cover. */
export function placeBatch(batch: Buffer, baseOffset: number, leaderEpoch: number): void {
  writeInt64(batch, baseOffset, AT.baseOffset);
  batch.writeInt32BE(leaderEpoch, AT.leaderEpoch);
}

/** Makes `timestamp` that of all its records (message.timestamp.type=LogAppendTime). */
export function stampBatch(batch: Buffer, timestamp: number): void {
  batch.writeInt16BE(batch.readInt16BE(AT.attributes) | LOG_APPEND_TIME, AT.attributes);
  writeInt64(batch, timestamp, AT.maxTimestamp);
  batch.writeUInt32BE(crc32c(batch, AT.attributes, batch.length), AT.crc);
}

/**
 * The batch of one record that ends a transaction. Key: version int16, type int16; value: version, coordinatorEpoch.
 */
export function endTransactionBatch(
  producerId: number,
  producerEpoch: number,
  committed: boolean,
  timestamp: number,
): Buffer {
  // Lengths are zigzag varints: 4 is 8, 6 is 12, 16 is 32.
  const record = Buffer.from([32, 0, 0, 0, 8, 0, 0, 0, committed ? 1 : 0, 12, 0, 0, 0, 0, 0, 0, 0]);
  const batch = Buffer.alloc(BATCH_HEADER_BYTES + record.length);
  batch.writeInt32BE(batch.length - BATCH_PREFIX_BYTES, AT.length);
  batch.writeInt8(2, AT.magic);
  batch.writeInt16BE(TRANSACTIONAL | CONTROL, AT.attributes);
  writeInt64(batch, timestamp, AT.baseTimestamp);
  writeInt64(batch, timestamp, AT.maxTimestamp);
  writeInt64(batch, producerId, AT.producerId);
  batch.writeInt16BE(producerEpoch, AT.producerEpoch);
  batch.writeInt32BE(-1, AT.baseSequence);
  batch.writeInt32BE(1, AT.count);
  record.copy(batch, BATCH_HEADER_BYTES);
  batch.writeUInt32BE(crc32c(batch, AT.attributes, batch.length), AT.crc);
  return batch;
}

/** @returns whether the control batch at `at` commits (true), aborts (false) or is of another kind (undefined) */
export function endsTransaction(batch: Buffer, at: number): boolean | undefined {
  const type = batch.readInt16BE(at + BATCH_HEADER_BYTES + 7);
  return type === 1 ? true : type === 0 ? false : undefined;
}

function readInt64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}

function writeInt64(bytes: Buffer, value: number, at: number): void {
  const high = Math.floor(value / 2 ** 32);
  bytes.writeInt32BE(high, at);
  bytes.writeUInt32BE(value - high * 2 ** 32, at + 4);
}
