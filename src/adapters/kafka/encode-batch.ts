import type { SendRecord } from '../../ports/broker.ts';
import { crc32c } from './crc32c.ts';
import { BATCH_HEADER_BYTES } from './record-batch.ts';

export interface BatchOrigin {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Sequence number of the first record within its partition. */
  readonly baseSequence: number;
  /** Milliseconds since the epoch, of every record. */
  readonly timestampMs: number;
}

/** Greatest length of what stands around key, value and headers: length, attributes, deltas, lengths, count. */
const RECORD_OVERHEAD_BYTES = 32;

/** At least the bytes that the record takes in a batch. */
export function recordSizeBound(record: SendRecord): number {
  let sizeBytes = RECORD_OVERHEAD_BYTES + lengthOf(record.key) + lengthOf(record.value);
  for (const [name, value] of headerEntries(record))
    sizeBytes += 10 + Buffer.byteLength(name) + lengthOf(value);
  return sizeBytes;
}

/** Records of one partition as a record batch (magic 2), uncompressed. See record-batch.ts for the layout. */
export function encodeBatch(records: readonly SendRecord[], origin: BatchOrigin): Buffer {
  let bound = BATCH_HEADER_BYTES;
  for (const record of records) bound += recordSizeBound(record);
  const buffer = Buffer.allocUnsafe(bound);
  const writer = new Writer(buffer, BATCH_HEADER_BYTES);
  records.forEach((record, delta) => {
    writer.record(record, delta);
  });
  const bytes = buffer.subarray(0, writer.at);
  bytes.writeBigInt64BE(0n, 0); // the broker gives the offset
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt32BE(-1, 12);
  bytes.writeInt8(2, 16);
  bytes.writeInt16BE(0, 21);
  bytes.writeInt32BE(records.length - 1, 23);
  bytes.writeBigInt64BE(BigInt(origin.timestampMs), 27);
  bytes.writeBigInt64BE(BigInt(origin.timestampMs), 35);
  bytes.writeBigInt64BE(BigInt(origin.producerId), 43);
  bytes.writeInt16BE(origin.producerEpoch, 51);
  bytes.writeInt32BE(origin.baseSequence, 53);
  bytes.writeInt32BE(records.length, 57);
  bytes.writeUInt32BE(crc32c(bytes, 21), 17);
  return bytes;
}

type Bytes = Uint8Array | string | null;

function lengthOf(bytes: Bytes): number {
  if (bytes === null) return 0;
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}

function headerEntries(record: SendRecord): [string, Uint8Array | string][] {
  return Object.entries(record.headers ?? {}).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return Array.isArray(value)
      ? value.map((one): [string, Uint8Array | string] => [name, one])
      : [[name, value] as [string, Uint8Array | string]];
  });
}

class Writer {
  readonly #buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.at = at;
  }

  record(record: SendRecord, delta: number): void {
    const headers = headerEntries(record);
    let length =
      2 + varintSize(delta) + sizeOf(record.key) + sizeOf(record.value) + varintSize(headers.length);
    for (const [name, value] of headers) length += sizeOf(name) + sizeOf(value);
    this.varint(length);
    this.#buffer.writeInt16BE(0, this.at); // attributes and timestamp delta
    this.at += 2;
    this.varint(delta);
    this.bytes(record.key);
    this.bytes(record.value);
    this.varint(headers.length);
    for (const [name, value] of headers) {
      this.bytes(name);
      this.bytes(value);
    }
  }

  bytes(bytes: Bytes): void {
    if (bytes === null) {
      this.varint(-1);
      return;
    }
    this.varint(lengthOf(bytes));
    if (typeof bytes === 'string') {
      this.at += this.#buffer.write(bytes, this.at);
    } else {
      this.#buffer.set(bytes, this.at);
      this.at += bytes.length;
    }
  }

  varint(value: number): void {
    let left = ((value << 1) ^ (value >> 31)) >>> 0;
    while (left >= 0x80) {
      this.#buffer[this.at++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.#buffer[this.at++] = left;
  }
}

function sizeOf(bytes: Bytes): number {
  return bytes === null ? 1 : varintSize(lengthOf(bytes)) + lengthOf(bytes);
}

function varintSize(value: number): number {
  let left = ((value << 1) ^ (value >> 31)) >>> 0;
  let size = 1;
  for (; left >= 0x80; left >>>= 7) size += 1;
  return size;
}
