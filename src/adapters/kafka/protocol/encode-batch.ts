import type { SendRecord } from '../../../ports/broker.ts';
import type { Headers } from '../../../ports/record.ts';
import { crc32c } from '../../../crc32c.ts';
import { BATCH_HEADER_BYTES } from './record-batch.ts';

export interface BatchOrigin {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Sequence number of the first record within its partition. */
  readonly baseSequence: number;
  /** Milliseconds since the epoch, of every record. */
  readonly timestampMs: number;
}

/** Greatest length of what surrounds key, value and headers: length, attributes, deltas, lengths. */
const RECORD_OVERHEAD_BYTES = 32;

/**
 * The headers of records as they stand in a batch, their number first: encoded once for each object, which records
 * that are sent together may share. For one send: the objects must not change meanwhile.
 */
export class HeaderEncoder {
  readonly #known = new Map<Headers, Uint8Array>();

  encode({ headers }: SendRecord): Uint8Array {
    if (headers === undefined) return NO_HEADERS;
    let bytes = this.#known.get(headers);
    if (bytes === undefined) this.#known.set(headers, (bytes = headerBytes(headers)));
    return bytes;
  }
}

const NO_HEADERS = Uint8Array.of(0);

function headerBytes(headers: Headers): Uint8Array {
  let bound = 10;
  for (const [name, value] of headers) {
    bound += 10 + 3 * name.length + (typeof value === 'string' ? 3 * value.length : (value?.length ?? 0));
  }
  const buffer = Buffer.allocUnsafe(bound);
  const writer = new Writer(buffer, 0);
  writer.varint(headers.length);
  for (const [name, value] of headers) {
    writer.bytes(name);
    writer.bytes(value);
  }
  return buffer.subarray(0, writer.at);
}

/** At least the bytes that the record takes in a batch. */
export function recordSizeBound(record: SendRecord, headers = new HeaderEncoder()): number {
  return (
    RECORD_OVERHEAD_BYTES + lengthOf(record.key) + lengthOf(record.value) + headers.encode(record).length
  );
}

/** Records of one partition as a record batch (magic 2), uncompressed. See record-batch.ts for the layout. */
export function encodeBatch(
  records: readonly SendRecord[],
  origin: BatchOrigin,
  headers = new HeaderEncoder(),
): Buffer {
  let bound = BATCH_HEADER_BYTES;
  for (const record of records) bound += recordSizeBound(record, headers);
  const buffer = Buffer.allocUnsafe(bound);
  const writer = new Writer(buffer, BATCH_HEADER_BYTES);
  records.forEach((record, delta) => {
    writer.record(record, delta, headers.encode(record));
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

class Writer {
  readonly #buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.at = at;
  }

  record({ key, value }: SendRecord, delta: number, headers: Uint8Array): void {
    this.varint(2 + varintSize(delta) + sizeOf(key) + sizeOf(value) + headers.length);
    this.#buffer.writeInt16BE(0, this.at); // attributes and timestamp delta
    this.at += 2;
    this.varint(delta);
    this.bytes(key);
    this.bytes(value);
    this.#buffer.set(headers, this.at);
    this.at += headers.length;
  }

  bytes(bytes: Bytes): void {
    if (bytes === null) {
      this.varint(-1);
      return;
    }
    if (typeof bytes === 'string' && this.#shortText(bytes)) return;
    this.varint(lengthOf(bytes));
    if (typeof bytes === 'string') {
      this.at += this.#buffer.write(bytes, this.at);
    } else {
      this.#buffer.set(bytes, this.at);
      this.at += bytes.length;
    }
  }

  /** Names and values of most headers are short and ASCII: a call of Buffer would cost more than writing them. */
  #shortText(text: string): boolean {
    const { length } = text;
    if (length > 128) return false;
    const start = this.at + varintSize(length);
    for (let index = 0; index < length; index++) {
      const unit = text.charCodeAt(index);
      if (unit >= 0x80) return false;
      this.#buffer[start + index] = unit;
    }
    this.varint(length);
    this.at = start + length;
    return true;
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
