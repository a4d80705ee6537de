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

const CHUNK_BYTES = 64 * 1024;
const NUMBER_BYTES = 10;

/** A header as it was encoded last at its place among those of a record, and where. */
interface Encoded {
  header: Headers[number];
  bytes: Buffer;
  from: number;
  to: number;
}

/**
 * The headers of records as they stand in a batch, their number first: encoded once for each object, which records
 * that are sent together may share, be that the list or single headers of it. For one send: the objects must not change
 * meanwhile.
 */
export class HeaderEncoder {
  readonly #known = new Map<Headers, Uint8Array>();
  readonly #last: Encoded[] = [];
  /** Of many records: a buffer for each would cost more than the encoding. */
  #chunk = new Writer(Buffer.alloc(0), 0);

  encode({ headers }: SendRecord): Uint8Array {
    if (headers === undefined) return NO_HEADERS;
    let bytes = this.#known.get(headers);
    if (bytes === undefined) this.#known.set(headers, (bytes = this.#encoded(headers)));
    return bytes;
  }

  #encoded(headers: Headers): Uint8Array {
    let bound = NUMBER_BYTES;
    for (const [name, value] of headers) {
      bound += 2 * NUMBER_BYTES + 3 * name.length;
      if (value !== null) bound += typeof value === 'string' ? 3 * value.length : value.length;
    }
    if (this.#chunk.at + bound > this.#chunk.bytes.length) {
      this.#chunk = new Writer(Buffer.allocUnsafeSlow(Math.max(CHUNK_BYTES, bound)), 0);
    }
    const writer = this.#chunk;
    const start = writer.at;
    writer.varint(headers.length);
    for (let place = 0; place < headers.length; place++) {
      const header = headers[place];
      if (header !== undefined) this.#write(header, place, writer);
    }
    return writer.bytes.subarray(start, writer.at);
  }

  #write(header: Headers[number], place: number, writer: Writer): void {
    const last = this.#last[place];
    if (last?.header === header) {
      writer.at += last.bytes.copy(writer.bytes, writer.at, last.from, last.to);
      return;
    }
    const from = writer.at;
    writer.put(header[0]);
    writer.put(header[1]);
    const { bytes, at: to } = writer;
    if (last === undefined) this.#last[place] = { header, bytes, from, to };
    else Object.assign(last, { header, bytes, from, to });
  }
}

const NO_HEADERS = Uint8Array.of(0);

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
  readonly bytes: Buffer;
  at: number;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  record({ key, value }: SendRecord, delta: number, headers: Uint8Array): void {
    this.varint(2 + varintSize(delta) + sizeOf(key) + sizeOf(value) + headers.length);
    this.bytes.writeInt16BE(0, this.at); // attributes and timestamp delta
    this.at += 2;
    this.varint(delta);
    this.put(key);
    this.put(value);
    this.bytes.set(headers, this.at);
    this.at += headers.length;
  }

  put(bytes: Bytes): void {
    if (bytes === null) {
      this.varint(-1);
      return;
    }
    if (typeof bytes === 'string' && this.#shortText(bytes)) return;
    this.varint(lengthOf(bytes));
    if (typeof bytes === 'string') {
      this.at += this.bytes.write(bytes, this.at);
    } else {
      this.bytes.set(bytes, this.at);
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
      this.bytes[start + index] = unit;
    }
    this.varint(length);
    this.at = start + length;
    return true;
  }

  varint(value: number): void {
    let left = ((value << 1) ^ (value >> 31)) >>> 0;
    while (left >= 0x80) {
      this.bytes[this.at++] = (left & 0x7f) | 0x80;
      left >>>= 7;
    }
    this.bytes[this.at++] = left;
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
