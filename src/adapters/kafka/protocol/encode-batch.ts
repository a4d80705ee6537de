import type { SendRecord } from '../../../ports/broker.ts';
import type { Headers } from '../../../ports/record.ts';
import { crc32c } from '../../../crc32c.ts';
import { BATCH_HEADER_BYTES } from './record-batch.ts';

export interface BatchOrigin {
  readonly producerId: number;
  readonly producerEpoch: number;
  /** Sequence number of the first record within its partition. */
  readonly baseSequence: number;
  /** Timestamp of every record, in milliseconds since the epoch. */
  readonly timestampMs: number;
}

/** Most bytes of what surrounds key, value and headers: length, attributes, deltas, lengths. */
const RECORD_OVERHEAD_BYTES = 32;

const NUMBER_BYTES = 10;
/** A UTF-16 unit takes at most three bytes in UTF-8. */
const BYTES_PER_UNIT = 3;

/** An upper bound for the bytes that the record takes in a batch. */
export function recordSizeBound({ key, value, headers = NO_HEADERS }: SendRecord): number {
  let bound = RECORD_OVERHEAD_BYTES + boundOf(key) + boundOf(value);
  for (const header of headers) {
    bound += 2 * NUMBER_BYTES + BYTES_PER_UNIT * header[0].length + boundOf(header[1]);
  }
  return bound;
}

const NO_HEADERS: Headers = [];
/** Of no place: for the compiler. */
const NO_HEADER: Headers[number] = ['', null];

/** Encodes records of one partition as a record batch (magic 2), uncompressed. See record-batch.ts for the layout. */
export function encodeBatch(records: readonly SendRecord[], origin: BatchOrigin): Buffer {
  let bound = BATCH_HEADER_BYTES;
  for (const record of records) bound += recordSizeBound(record);
  const writer = new Writer(Buffer.allocUnsafe(bound), BATCH_HEADER_BYTES);
  records.forEach((record, delta) => {
    writer.record(record, delta);
  });
  const bytes = writer.bytes.subarray(0, writer.at);
  bytes.writeBigInt64BE(0n, 0); // the broker assigns the offset
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

function boundOf(bytes: Bytes): number {
  if (bytes === null) return 0;
  return typeof bytes === 'string' ? BYTES_PER_UNIT * bytes.length : bytes.length;
}

function lengthOf(bytes: Uint8Array | string): number {
  return typeof bytes === 'string' ? Buffer.byteLength(bytes) : bytes.length;
}

/** The header last written at a given place among a record's headers. */
interface Written {
  header: Headers[number];
  from: number;
  to: number;
}

class Writer {
  readonly bytes: Buffer;
  at: number;
  /** The headers of the previous record: where the same objects follow, their bytes are copied. */
  readonly #written: Written[] = [];
  /** Size of the length of the previous record: for most records it is the same. */
  #sizeBytes = 2;

  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  record({ key, value, headers = NO_HEADERS }: SendRecord, delta: number): void {
    const start = this.at;
    const body = start + this.#sizeBytes;
    this.at = body;
    this.bytes[this.at++] = 0; // attributes
    this.bytes[this.at++] = 0; // timestamp delta
    this.varint(delta);
    this.put(key);
    this.put(value);
    this.varint(headers.length);
    for (let place = 0; place < headers.length;) place = this.#headers(headers, place);
    this.#prefix(start, body);
  }

  /** Writes a record's length in front of it. */
  #prefix(start: number, body: number): void {
    const end = this.at;
    const sizeBytes = varintSize(end - body);
    if (start + sizeBytes !== body) {
      this.bytes.copyWithin(start + sizeBytes, body, end);
      // Their bytes have moved.
      this.#written.length = 0;
      this.#sizeBytes = sizeBytes;
    }
    this.at = start;
    this.varint(end - body);
    this.at += end - body;
  }

  /** Writes one header, or all from its place on that are those of the record before. @returns the place after them */
  #headers(headers: Headers, place: number): number {
    const from = this.at;
    const written = this.#written[place];
    const header = headers[place] ?? NO_HEADER;
    if (written?.header === header) {
      // They stand side by side, so that one copy is enough.
      let { to } = written;
      let next = place + 1;
      for (; next < headers.length; next++) {
        const following = this.#written[next];
        if (following === undefined || following.header !== headers[next] || following.from !== to) break;
        ({ to } = following);
      }
      this.bytes.copyWithin(from, written.from, to);
      this.at += to - written.from;
      return next;
    }
    this.put(header[0]);
    this.put(header[1]);
    if (written === undefined) this.#written[place] = { header, from, to: this.at };
    else {
      written.header = header;
      written.from = from;
      written.to = this.at;
    }
    return place + 1;
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

  /** Most header names and values are short and ASCII: calling Buffer would cost more than writing them here. */
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

function varintSize(value: number): number {
  let left = ((value << 1) ^ (value >> 31)) >>> 0;
  let size = 1;
  for (; left >= 0x80; left >>>= 7) size += 1;
  return size;
}
