import type { BrokerRecord, Slice } from '../../../ports/broker.ts';
import type { Headers, HeaderValue } from '../../../ports/record.ts';
import { CodecError, decompress } from './codecs.ts';
import { crc32c } from '../../../crc32c.ts';
import { findLastHeader, readHeaders } from './record-headers.ts';
import { Varints } from './varints.ts';

/**
 * Kafka's record batch (magic 2), read and written without kafkajs: its decoder makes strings of offsets, checks no
 * checksum, fails on batches of more than 130,000 records, and lets records of aborted transactions through when
 * several overlap.
 *
 * baseOffset int64, length int32, leaderEpoch int32, magic int8, crc uint32, attributes int16, lastOffsetDelta int32,
 * baseTimestamp int64, maxTimestamp int64, producerId int64, producerEpoch int16, baseSequence int32, count int32,
 * records.
 */
export const BATCH_HEADER_BYTES = 61;
/** baseOffset and length, which precede the bytes that `length` counts. */
const PREFIX_BYTES = 12;
const CRC_FROM = 21;

const COMPRESSION_BITS = 0x07;
const LOG_APPEND_TIME = 0x08;
const TRANSACTIONAL = 0x10;
const CONTROL = 0x20;

/** The bytes of a fetched batch cannot be what a producer sent. */
export class BadBatchError extends Error {
  override readonly name = 'BadBatchError';
  /** First offset of the batch, and the first one after it if its header can be trusted that far. */
  readonly offset: number;
  readonly next: number;

  constructor(message: string, offset: number, next: number) {
    super(message);
    this.offset = offset;
    this.next = next;
  }
}

export interface BatchHeader {
  readonly baseOffset: number;
  /** The offset after the batch, including records removed by compaction. */
  readonly next: number;
  readonly attributes: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly count: number;
  readonly isControl: boolean;
  readonly isTransactional: boolean;
  /** Where in the buffer the batch ends. */
  readonly end: number;
}

/**
 * Reads the header of the batch at `at` and verifies its checksum.
 *
 * @returns undefined when the rest of the buffer is a batch cut short: brokers cut at the byte limit
 * @throws BadBatchError
 */
export function readHeader(buffer: Buffer, at: number): BatchHeader | undefined {
  if (at + PREFIX_BYTES > buffer.length) return undefined;
  const baseOffset = readInt64(buffer, at);
  const length = buffer.readInt32BE(at + 8);
  const end = at + PREFIX_BYTES + length;
  if (length < 0) throw new BadBatchError('its length is negative', baseOffset, baseOffset + 1);
  if (end > buffer.length) return undefined;
  // The magic byte is at the same place in all formats.
  const magic = length < 5 ? -1 : buffer.readInt8(at + 16);
  if (magic === 0 || magic === 1) {
    throw new BadBatchError(
      'it is in a message format older than Kafka 0.11, which is not supported',
      baseOffset,
      baseOffset + 1,
    );
  }
  if (magic !== 2 || at + BATCH_HEADER_BYTES > end) {
    throw new BadBatchError(`it is not a record batch (magic ${magic})`, baseOffset, baseOffset + 1);
  }
  const next = baseOffset + buffer.readInt32BE(at + 23) + 1;
  if (buffer.readUInt32BE(at + 17) !== crc32c(buffer, at + CRC_FROM, end)) {
    throw new BadBatchError('its checksum does not match its bytes', baseOffset, next);
  }
  const attributes = buffer.readInt16BE(at + 21);
  return {
    baseOffset,
    next,
    attributes,
    baseTimestamp: readInt64(buffer, at + 27),
    maxTimestamp: readInt64(buffer, at + 35),
    producerId: readInt64(buffer, at + 43),
    count: buffer.readInt32BE(at + 57),
    isControl: (attributes & CONTROL) !== 0,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    end,
  };
}

/** Whether no complete batch starts at `at`: the end, or a batch that the broker cut at its byte limit. */
export function isCutShort(buffer: Buffer, at: number): boolean {
  return at + PREFIX_BYTES > buffer.length || at + PREFIX_BYTES + buffer.readInt32BE(at + 8) > buffer.length;
}

/** A record as a view of the batch's bytes; key, value and headers are built when they are read. */
class FetchedRecord implements BrokerRecord, Slice {
  readonly offset: number;
  readonly timestamp: number;
  readonly bytes: Buffer;
  /** Where the value is; `to` is before `from` if there is none. */
  readonly from: number;
  readonly to: number;
  readonly #keyAt: number;
  readonly #keyLength: number;

  constructor(
    offset: number,
    timestamp: number,
    bytes: Buffer,
    keyAt: number,
    keyLength: number,
    valueAt: number,
    valueLength: number,
  ) {
    this.offset = offset;
    this.timestamp = timestamp;
    this.bytes = bytes;
    this.from = valueAt;
    this.to = valueAt + valueLength;
    this.#keyAt = keyAt;
    this.#keyLength = keyLength;
  }

  get key(): Uint8Array | null {
    return this.#keyLength < 0 ? null : this.bytes.subarray(this.#keyAt, this.#keyAt + this.#keyLength);
  }

  get value(): Uint8Array | null {
    return this.to < this.from ? null : this.bytes.subarray(this.from, this.to);
  }

  get valueSlice(): Slice | null {
    return this.to < this.from ? null : this;
  }

  get headers(): Headers {
    return readHeaders(this.bytes, Math.max(this.from, this.to));
  }

  lastHeader(name: string): HeaderValue | undefined {
    return findLastHeader(this.bytes, Math.max(this.from, this.to), name);
  }
}

/** The records of one batch, read in portions: a batch of many small records would fill the memory at once. */
export class BatchRecords {
  readonly #bytes: Buffer;
  readonly #header: BatchHeader;
  #left: number;
  #at: number;

  /** @throws BadBatchError the records cannot be decompressed */
  constructor(buffer: Buffer, at: number, header: BatchHeader) {
    this.#header = header;
    this.#left = header.count;
    const codec = header.attributes & COMPRESSION_BITS;
    const stored = buffer.subarray(at + BATCH_HEADER_BYTES, header.end);
    try {
      this.#bytes = codec === 0 ? stored : decompress(codec, stored);
    } catch (error) {
      if (!(error instanceof CodecError)) throw error;
      throw new BadBatchError(`its ${error.message}`, header.baseOffset, header.next);
    }
    this.#at = 0;
  }

  get done(): boolean {
    return this.#left <= 0;
  }

  /**
   * Appends at most `limit` records whose offset is at least `from`.
   *
   * @returns the bytes of the records read
   * @throws BadBatchError a record extends beyond the batch
   */
  readInto(records: BrokerRecord[], from: number, limit: number): number {
    const { baseOffset, baseTimestamp, maxTimestamp, attributes, next } = this.#header;
    const appendTime = (attributes & LOG_APPEND_TIME) !== 0;
    const bytes = this.#bytes;
    const reader = new Varints(bytes, this.#at);
    const startedAt = this.#at;
    let taken = 0;
    while (this.#left > 0 && taken < limit) {
      const length = reader.varint();
      const end = reader.at + length;
      if (length < 0 || end > bytes.length) {
        throw new BadBatchError('a record reaches beyond its end', baseOffset, next);
      }
      reader.at += 1; // attributes: none are defined
      const timestampDelta = reader.varlong();
      const timestamp = appendTime ? maxTimestamp : baseTimestamp + timestampDelta;
      const offset = baseOffset + reader.varint();
      const keyLength = reader.varint();
      const keyAt = reader.at;
      reader.at += Math.max(keyLength, 0);
      const valueLength = reader.varint();
      const valueAt = reader.at;
      if (keyLength < -1 || valueLength < -1 || valueAt + Math.max(valueLength, 0) > end) {
        throw new BadBatchError('a field reaches beyond its record', baseOffset, next);
      }
      if (offset >= from) {
        records.push(new FetchedRecord(offset, timestamp, bytes, keyAt, keyLength, valueAt, valueLength));
        taken += 1;
      }
      reader.at = end;
      this.#left -= 1;
    }
    this.#at = reader.at;
    return this.#at - startedAt;
  }
}

/** Whether a control batch ends a transaction as aborted: its record's key is version int16, type int16; 0 = abort. */
export function isAbortMarker(buffer: Buffer, at: number, header: BatchHeader): boolean {
  const marker: BrokerRecord[] = [];
  new BatchRecords(buffer, at, header).readInto(marker, 0, 1);
  const key = marker[0]?.key;
  return key instanceof Uint8Array && key.length >= 4 && Buffer.from(key).readInt16BE(2) === 0;
}

export function readInt64(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4);
}
