import { gunzipSync } from 'node:zlib';

import { Decompress } from 'fzstd';
import { decompressFrameSync } from 'lz4-napi';
import { uncompressSync } from 'snappy';

/**
 * Most bytes that one record batch may decompress to: 64 times Kafka's default limit for a batch as it is sent, and
 * small enough that two copies at the same time stay far below a consumer's memory limit.
 */
export const MAX_DECOMPRESSED_BYTES = 64 * 1024 * 1024;

/** Thrown when bytes cannot be decompressed, or would yield more bytes than allowed. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
}

/** By the low three bits of a record batch's attributes. */
const CODECS: Readonly<Record<number, { name: string; decompress: (bytes: Buffer, cap: number) => Buffer }>> =
  {
    1: { name: 'gzip', decompress: gunzip },
    2: { name: 'snappy', decompress: unsnappy },
    3: { name: 'lz4', decompress: unlz4 },
    4: { name: 'zstd', decompress: unzstd },
  };

/**
 * Decompresses the records of a batch. Synchronous, because the result is usually a few MiB at most.
 *
 * @param codec number as in the batch's attributes: 1 gzip, 2 snappy, 3 lz4, 4 zstd
 * @throws CodecError unknown codec, garbage, or more than `cap` bytes
 */
export function decompress(codec: number, bytes: Buffer, cap = MAX_DECOMPRESSED_BYTES): Buffer {
  const known = CODECS[codec];
  if (known === undefined) throw new CodecError(`compression codec ${codec} is unknown`);
  try {
    return known.decompress(bytes, cap);
  } catch (error) {
    if (error instanceof CodecError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new CodecError(`${known.name} data cannot be decompressed (${why})`);
  }
}

function tooLarge(name: string, cap: number): CodecError {
  return new CodecError(`${name} data would yield more than ${cap} bytes`);
}

function gunzip(bytes: Buffer, cap: number): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: cap });
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge('gzip', cap);
    throw error;
  }
}

/** The framing of xerial's snappy-java, which Java producers write: magic, two versions, then length and block. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

function unsnappy(bytes: Buffer, cap: number): Buffer {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    if (snappyLength(bytes) > cap) throw tooLarge('snappy', cap);
    return uncompressSync(bytes, { asBuffer: true }) as Buffer;
  }
  const blocks: Buffer[] = [];
  let total = 0;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    const length = bytes.readInt32BE(at);
    if (length < 0 || at + 4 + length > bytes.length) throw new CodecError('snappy data is cut short');
    const block = bytes.subarray(at + 4, at + 4 + length);
    total += snappyLength(block);
    if (total > cap) throw tooLarge('snappy', cap);
    blocks.push(uncompressSync(block, { asBuffer: true }) as Buffer);
    at += 4 + length;
  }
  return Buffer.concat(blocks);
}

/** A raw block starts with its decompressed length, as a varint of at most 32 bits. */
function snappyLength(block: Buffer): number {
  let length = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = block[index];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return length;
  }
  throw new CodecError('snappy data has no length');
}

function unlz4(bytes: Buffer, cap: number): Buffer {
  if (lz4Bound(bytes) > cap) throw tooLarge('lz4', cap);
  return decompressFrameSync(bytes);
}

const LZ4_MAGIC = 0x184d2204;
/** A byte of an LZ4 block expands to at most 255 bytes. */
const LZ4_MAX_RATIO = 255;

/**
 * The most bytes that a frame can expand to, by its block lengths and without touching the data, since the library
 * has no limit of its own. See the LZ4 frame format, version 1.6.
 */
function lz4Bound(bytes: Buffer): number {
  if (bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new CodecError('lz4 data has no frame header');
  const flags = bytes.readUInt8(4);
  const blockMax = 2 ** (8 + 2 * ((bytes.readUInt8(5) >> 4) & 7));
  const checksumBytes = (flags & 0x10) !== 0 ? 4 : 0;
  let at = 7 + ((flags & 0x08) !== 0 ? 8 : 0) + ((flags & 0x01) !== 0 ? 4 : 0);
  let bound = 0;
  for (;;) {
    const header = bytes.readUInt32LE(at);
    if (header === 0) return bound;
    const length = header & 0x7fffffff;
    const stored = header >= 0x80000000;
    bound += stored ? length : Math.min(blockMax, length * LZ4_MAX_RATIO);
    at += 4 + length + checksumBytes;
  }
}

const ZSTD_MAGIC = 0xfd2fb528;
/** The largest window that zstd's own tools accept by default. */
const ZSTD_MAX_WINDOW_BYTES = 128 * 1024 * 1024;

function unzstd(bytes: Buffer, cap: number): Buffer {
  if (zstdWindow(bytes) > Math.min(cap, ZSTD_MAX_WINDOW_BYTES)) throw tooLarge('zstd', cap);
  const chunks: Uint8Array[] = [];
  let total = 0;
  const stream = new Decompress((chunk) => {
    total += chunk.length;
    if (total > cap) throw tooLarge('zstd', cap);
    chunks.push(chunk);
  });
  // In steps, so that a decompression bomb is noticed before all of it is expanded.
  const stepBytes = 64 * 1024;
  for (let at = 0; at < bytes.length; at += stepBytes) {
    stream.push(bytes.subarray(at, at + stepBytes), at + stepBytes >= bytes.length);
  }
  return Buffer.concat(chunks, total);
}

/** The memory that a frame requires before it yields anything (RFC 8878, 3.1.1.1). */
function zstdWindow(bytes: Buffer): number {
  if (bytes.readUInt32LE(0) !== ZSTD_MAGIC) throw new CodecError('zstd data has no frame header');
  const descriptor = bytes.readUInt8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  if (!singleSegment) {
    const window = bytes.readUInt8(5);
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  const at = 5 + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  switch (descriptor >> 6) {
    case 0:
      return bytes.readUInt8(at);
    case 1:
      return bytes.readUInt16LE(at) + 256;
    case 2:
      return bytes.readUInt32LE(at);
    default:
      return Number(bytes.readBigUInt64LE(at));
  }
}
