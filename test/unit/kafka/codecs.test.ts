import { gzipSync } from 'node:zlib';

import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { describe, expect, it } from 'vitest';

import {
  CodecError,
  decompress,
  MAX_DECOMPRESSED_BYTES,
} from '../../../src/adapters/kafka/protocol/codecs.ts';

const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;

const text = Buffer.from('{"order_id":"ORD-1","user":"alice"}\n'.repeat(400));

/** snappy-java's framing, as Java producers write it. */
function xerial(...blocks: Buffer[]): Buffer {
  const header = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]);
  const framed = blocks.flatMap((block) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    return [length, block];
  });
  return Buffer.concat([header, ...framed]);
}

/** A zstd frame of run-length blocks: `count` bytes each stand in four (RFC 8878, 3.1.1.2). */
function zstdRuns(runs: readonly { byte: number; count: number }[], windowLog = 20): Buffer {
  const blocks = runs.map(({ byte, count }, index) => {
    const block = Buffer.alloc(4);
    block.writeUIntLE((index === runs.length - 1 ? 1 : 0) | (1 << 1) | (count << 3), 0, 3);
    block.writeUInt8(byte, 3);
    return block;
  });
  const header = Buffer.alloc(6);
  header.writeUInt32LE(0xfd2fb528, 0);
  header.writeUInt8(0, 4);
  header.writeUInt8((windowLog - 10) << 3, 5);
  return Buffer.concat([header, ...blocks]);
}

describe('decompress', () => {
  it('reads gzip, snappy raw and in blocks, lz4 and zstd', () => {
    expect(decompress(GZIP, gzipSync(text)).equals(text)).toBe(true);
    expect(decompress(SNAPPY, compressSync(text)).equals(text)).toBe(true);
    const halves = [text.subarray(0, 5_000), text.subarray(5_000)].map((half) => compressSync(half));
    expect(decompress(SNAPPY, xerial(...halves)).equals(text)).toBe(true);
    expect(decompress(LZ4, compressFrameSync(text)).equals(text)).toBe(true);
    const runs = zstdRuns([
      { byte: 97, count: 3 },
      { byte: 98, count: 2 },
    ]);
    expect(decompress(ZSTD, runs).toString()).toBe('aaabb');
  });

  it('reads what came to nothing', () => {
    const nothing = Buffer.alloc(0);
    expect(decompress(GZIP, gzipSync(nothing)).length).toBe(0);
    expect(decompress(SNAPPY, xerial()).length).toBe(0);
    expect(decompress(LZ4, compressFrameSync(nothing)).length).toBe(0);
  });

  it('stops bombs of each codec before they fill the memory', () => {
    const zeros = Buffer.alloc(MAX_DECOMPRESSED_BYTES + 1);
    const bombs: [number, Buffer][] = [
      [GZIP, gzipSync(zeros)],
      [SNAPPY, compressSync(zeros)],
      [
        SNAPPY,
        xerial(
          compressSync(zeros.subarray(0, zeros.length / 2)),
          compressSync(zeros.subarray(0, 40_000_000)),
        ),
      ],
      [LZ4, compressFrameSync(zeros)],
      [ZSTD, zstdRuns(Array.from({ length: 600 }, () => ({ byte: 0, count: 120_000 })))],
    ];
    for (const [codec, bomb] of bombs) {
      expect(() => decompress(codec, bomb), `codec ${codec}`).toThrow(/would yield more than 67108864 bytes/);
    }
  });

  it('does not believe a length that is only claimed', () => {
    // A snappy block that claims 4 GiB, and a zstd frame that asks for a window of 2 TiB.
    expect(() => decompress(SNAPPY, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0]))).toThrow(/would yield/);
    expect(() => decompress(ZSTD, zstdRuns([{ byte: 0, count: 1 }], 41))).toThrow(/would yield/);
  });

  it('refuses garbage and data cut short as an error of its own', () => {
    const garbage = Buffer.from('no codec wrote this, whatever it may look like to one of them');
    const samples: [number, Buffer][] = [
      [GZIP, gzipSync(text)],
      [SNAPPY, compressSync(text)],
      [SNAPPY, xerial(compressSync(text))],
      [LZ4, compressFrameSync(text)],
    ];
    for (const [codec, whole] of samples) {
      expect(() => decompress(codec, garbage), `codec ${codec}`).toThrow(CodecError);
      expect(() => decompress(codec, Buffer.alloc(0)).length, `codec ${codec}`).toThrow(CodecError);
      const cut = whole.subarray(0, whole.length - 9);
      expect(() => decompress(codec, cut), `codec ${codec}`).toThrow(CodecError);
    }
    expect(() => decompress(ZSTD, garbage)).toThrow(CodecError);
    expect(() => decompress(7, garbage)).toThrow(/codec 7 is unknown/);
  });
});
