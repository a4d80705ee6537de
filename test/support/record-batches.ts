import { gzipSync } from 'node:zlib';

import { crc32c } from '../../src/crc32c.ts';
import { readBatchHeader, type BatchHeader } from '../../src/dev-broker/wire/record-batch.ts';

export interface BatchOptions {
  readonly values: readonly string[];
  /** No header unless one is given. */
  readonly keys?: readonly (string | null)[];
  /** One for all records, or one for each. */
  readonly timestamps?: number | readonly number[];
  readonly producerId?: number;
  readonly epoch?: number;
  readonly sequence?: number;
  readonly transactional?: boolean;
  /** For lz4 and zstd only the attribute is set: nothing here reads the records. */
  readonly compression?: keyof typeof ATTRIBUTES;
}

const ATTRIBUTES = { none: 0, gzip: 1, lz4: 3, zstd: 4 };
const TRANSACTIONAL = 0x10;
const HEADER_BYTES = 61;

/**
 * A batch as a producer sends it, written from Kafka's description of the format: only the CRC is the broker's own
 * code.
 */
export function recordBatch(options: BatchOptions): Buffer {
  const { values, timestamps = 1_000, producerId = -1, epoch = -1, sequence = -1 } = options;
  const times = values.map((_, index) =>
    typeof timestamps === 'number' ? timestamps : (timestamps[index] ?? 0),
  );
  const first = times[0] ?? 0;
  const plain = Buffer.concat(
    values.map((value, index) =>
      record(value, options.keys?.[index] ?? null, index, (times[index] ?? 0) - first),
    ),
  );
  const compression = options.compression ?? 'none';
  const records = compression === 'gzip' ? gzipSync(plain) : plain;
  const batch = Buffer.alloc(HEADER_BYTES + records.length);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt32BE(-1, 12);
  batch.writeInt8(2, 16);
  batch.writeInt16BE(ATTRIBUTES[compression] | (options.transactional === true ? TRANSACTIONAL : 0), 21);
  batch.writeInt32BE(values.length - 1, 23);
  batch.writeBigInt64BE(BigInt(first), 27);
  batch.writeBigInt64BE(BigInt(Math.max(...times)), 35);
  batch.writeBigInt64BE(BigInt(producerId), 43);
  batch.writeInt16BE(epoch, 51);
  batch.writeInt32BE(sequence, 53);
  batch.writeInt32BE(values.length, 57);
  records.copy(batch, HEADER_BYTES);
  return sealed(batch);
}

/** Corrects the checksum after a change. */
export function sealed(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch, 21, batch.length), 17);
  return batch;
}

export interface StoredBatch extends BatchHeader {
  /** The records of uncompressed batches. */
  readonly values: readonly string[];
}

/** The batches in bytes that a broker stored or sent, with their values. */
export function batchesIn(bytes: Buffer): StoredBatch[] {
  const found: StoredBatch[] = [];
  for (let at = 0; at < bytes.length;) {
    const header = readBatchHeader(bytes, at);
    const records = bytes.subarray(at + HEADER_BYTES, at + header.sizeBytes);
    found.push({ ...header, values: header.compression === 0 && !header.isControl ? valuesIn(records) : [] });
    at += header.sizeBytes;
  }
  return found;
}

export function valuesOf(bytes: Buffer): string[] {
  return batchesIn(bytes).flatMap(({ values }) => values);
}

function record(value: string, key: string | null, offsetDelta: number, timestampDelta: number): Buffer {
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(timestampDelta),
    varint(offsetDelta),
    ...(key === null ? [varint(-1)] : [varint(Buffer.byteLength(key)), Buffer.from(key)]),
    varint(Buffer.byteLength(value)),
    Buffer.from(value),
    varint(0), // headers
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function varint(value: number): Buffer {
  let left = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
  const bytes: number[] = [];
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(left)]);
}

function valuesIn(records: Buffer): string[] {
  const values: string[] = [];
  let at = 0;
  const next = () => {
    let raw = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = records[at++] ?? 0;
      raw |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return Number((raw >> 1n) ^ -(raw & 1n));
    }
  };
  while (at < records.length) {
    const end = next() + at;
    at += 1;
    next(); // timestamp
    next(); // offset
    const keyLength = next();
    at += Math.max(keyLength, 0);
    const length = next();
    values.push(records.toString('utf8', at, at + length));
    at = end;
  }
  return values;
}
