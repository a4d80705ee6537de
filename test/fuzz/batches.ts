import { gzipSync } from 'node:zlib';
import { compressFrameSync } from 'lz4-napi';
import { compressSync } from 'snappy';
import { crc32c } from '../../src/crc32c.ts';
import { encodeBatch } from '../../src/adapters/kafka/protocol/encode-batch.ts';
import { FetchedPartition } from '../../src/adapters/kafka/protocol/fetched-partition.ts';
import { BadBatchError, BATCH_HEADER_BYTES } from '../../src/adapters/kafka/protocol/record-batch.ts';
import type { BrokerRecord } from '../../src/ports/broker.ts';
import { draws, type Draw } from './hostile-records.ts';

/*
 * Record batches as a broken or hostile broker may send them: flipped, cut, of all four codecs, and small ones that
 * claim to become huge. Each is read, or refused as a bad batch.
 */

const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTD = 4;
const BOMB_BYTES = 200 * 2 ** 20;
/** The cap on what a batch may yield, twice over, and what the process itself takes. */
const MAX_RSS_GROWTH_BYTES = 600 * 2 ** 20;

export interface BatchCounts {
  batches: number;
  bombs: number;
  refused: number;
}

export function noBatchCounts(): BatchCounts {
  return { batches: 0, bombs: 0, refused: 0 };
}

/** @throws Error what was found, naming seed and batch */
export function fuzzBatches(seed: number, batches: number, counts: BatchCounts): void {
  const before = process.memoryUsage().rss;
  for (const bomb of bombs()) {
    counts.bombs += 1;
    if (take(bomb, counts) > 0) throw new Error('a bomb was read as records');
  }
  for (let index = 0; index < batches; index++) {
    const draw = draws(seed * 1_000_003 + index);
    try {
      take(makeBatch(draw), counts);
    } catch (error) {
      throw new Error(`seed ${seed}, batch ${index}`, { cause: error });
    }
  }
  const growth = process.memoryUsage().rss - before;
  if (growth > MAX_RSS_GROWTH_BYTES) throw new Error(`memory has grown by ${growth} bytes`);
}

/** @returns how many records were read */
function take(buffer: Buffer, counts: BatchCounts): number {
  counts.batches += 1;
  const fetched = new FetchedPartition({ fetchOffset: 0, highWatermark: 100, buffer, aborted: [] });
  let read = 0;
  try {
    for (let portion = fetched.take(); portion !== undefined; portion = fetched.take()) {
      for (const record of portion.records) touch(record);
      read += portion.records.length;
      if (portion.next % 2 === 0) fetched.lookAhead();
      if (read > 1_000_000) throw new Error('records come without end');
    }
  } catch (error) {
    if (!(error instanceof BadBatchError)) throw error;
    counts.refused += 1;
  }
  return read;
}

/** All that a record makes when it is asked for. */
function touch(record: BrokerRecord): void {
  const { key, value, headers, offset, timestamp } = record;
  const size = (key?.byteLength ?? 0) + (value?.byteLength ?? 0) + headers.length;
  if (!Number.isFinite(size + offset + timestamp)) throw new Error('a record is no record');
}

function makeBatch(draw: Draw): Buffer {
  const { below, bytes } = draw;
  const batch = encodeBatch(
    Array.from({ length: 1 + below(5) }, (_, index) => ({
      key: `K-${index}`,
      value: bytes(below(60)),
      headers:
        below(2) === 0
          ? [
              ['a', bytes(3)],
              ['b', null],
              ['a', bytes(2)],
            ]
          : [],
    })),
    { producerId: 1, producerEpoch: 0, baseSequence: 0, timestampMs: 1_700_000_000_000 },
  );
  const codec = below(5);
  const packed = codec === 0 || codec === ZSTD ? batch : compressed(batch, codec);
  const damaged = damage(draw, packed);
  // With its checksum put right, damage gets past the first door.
  return below(4) === 0 || damaged.length < BATCH_HEADER_BYTES ? damaged : sealed(damaged);
}

function damage({ below, bytes }: Draw, batch: Buffer): Buffer {
  const result = Buffer.from(batch);
  switch (below(4)) {
    case 0:
      return result.subarray(0, below(result.length));
    case 1: {
      bytes(1 + below(20)).copy(result, below(result.length));
      return result;
    }
    case 2:
      return result;
    default:
      for (let times = 1 + below(4); times > 0; times--) {
        const at = below(result.length);
        result[at] = (result[at] ?? 0) ^ (1 << below(8));
      }
      return result;
  }
}

function compressed(batch: Buffer, codec: number): Buffer {
  const records = batch.subarray(BATCH_HEADER_BYTES);
  const packed =
    codec === GZIP
      ? gzipSync(records)
      : codec === SNAPPY
        ? compressSync(records)
        : compressFrameSync(records);
  return packedBatch(batch, codec, packed);
}

function packedBatch(batch: Buffer, codec: number, packed: Buffer): Buffer {
  const result = Buffer.concat([batch.subarray(0, BATCH_HEADER_BYTES), packed]);
  result.writeInt16BE(codec, 21);
  return sealed(result);
}

/** Length and checksum as they should be. */
function sealed(batch: Buffer): Buffer {
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeUInt32BE(crc32c(batch, 21), 17);
  return batch;
}

/** Small batches that would become huge. */
function* bombs(): Generator<Buffer> {
  const plain = encodeBatch([{ key: null, value: null }], {
    producerId: 1,
    producerEpoch: 0,
    baseSequence: 0,
    timestampMs: 0,
  });
  const zeros = Buffer.alloc(BOMB_BYTES);
  yield packedBatch(plain, GZIP, gzipSync(zeros, { level: 1 }));
  yield packedBatch(plain, SNAPPY, compressSync(zeros));
  yield packedBatch(plain, LZ4, compressFrameSync(zeros));
  yield packedBatch(plain, ZSTD, zstdRuns(BOMB_BYTES));
  // A claim alone.
  yield packedBatch(plain, SNAPPY, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]));
  const many = Buffer.from(plain);
  many.writeInt32BE(2 ** 31 - 1, 57);
  yield sealed(many).subarray(0, BATCH_HEADER_BYTES + 3);
}

/** A zstd frame of run-length blocks of 128 KiB, four bytes each (RFC 8878, 3.1.1.2). */
function zstdRuns(sizeBytes: number): Buffer {
  const run = 128 * 1024;
  const blocks = Buffer.alloc(Math.ceil(sizeBytes / run) * 4);
  for (let at = 0; at < blocks.length; at += 4) {
    const last = at + 4 === blocks.length ? 1 : 0;
    blocks.writeUIntLE(last | (1 << 1) | (run << 3), at, 3);
  }
  const header = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (20 - 10) << 3]);
  return Buffer.concat([header, blocks]);
}
