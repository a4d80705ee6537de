import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { crc32c } from '../../../src/crc32c.ts';
import { encodeBatch, recordSizeBound } from '../../../src/adapters/kafka/protocol/encode-batch.ts';
import {
  FetchedPartition,
  type AbortedTransaction,
} from '../../../src/adapters/kafka/protocol/fetched-partition.ts';
import { fingerprintOf } from '../../../src/adapters/kafka/protocol/fingerprint.ts';
import { sameFingerprint } from '../../../src/ports/record.ts';
import { murmur2, partitionOf } from '../../../src/adapters/kafka/produce/partitioner.ts';
import { BadBatchError, readHeader } from '../../../src/adapters/kafka/protocol/record-batch.ts';
import type { SendRecord } from '../../../src/ports/broker.ts';
import { recordBatch } from '../../support/record-batches.ts';
import { lastHeader, type HeaderValue } from '../../../src/ports/record.ts';

interface Shape {
  readonly baseOffset?: number;
  readonly producerId?: number;
  readonly transactional?: boolean;
  readonly control?: 'commit' | 'abort';
  /** Records that compaction took from the tail. */
  readonly removed?: number;
}

/** A batch as a broker stores it: offset, flags and checksum set. */
function stored(values: readonly string[], shape: Shape = {}): Buffer {
  const marker = Buffer.from([0, 0, 0, shape.control === 'commit' ? 1 : 0]);
  const records: SendRecord[] =
    shape.control === undefined
      ? values.map((value) => ({ key: `key of ${value}`, value: Buffer.from(value) }))
      : [{ key: marker, value: Buffer.alloc(6) }];
  const { producerId = -1, baseOffset = 0, removed = 0 } = shape;
  const batch = encodeBatch(records, { producerId, producerEpoch: 0, baseSequence: 0, timestampMs: 1_000 });
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  const flags =
    (shape.transactional === true || shape.control !== undefined ? 0x10 : 0) |
    (shape.control === undefined ? 0 : 0x20);
  batch.writeInt16BE(flags, 21);
  batch.writeInt32BE(records.length - 1 + removed, 23);
  batch.writeUInt32BE(crc32c(batch, 21), 17);
  return batch;
}

function read(batches: readonly Buffer[], fetchOffset = 0, aborted: AbortedTransaction[] = []) {
  const fetched = new FetchedPartition({
    fetchOffset,
    highWatermark: 99,
    buffer: Buffer.concat(batches),
    aborted,
  });
  const values: string[] = [];
  let next = fetchOffset;
  for (let portion = fetched.take(); portion !== undefined; portion = fetched.take()) {
    values.push(...portion.records.map(({ value }) => Buffer.from(value ?? []).toString()));
    next = portion.next;
  }
  return { values, next, isExhausted: fetched.isExhausted };
}

describe('record batch', () => {
  const bytes = fc.oneof(fc.constant(null), fc.uint8Array({ maxLength: 200 }));
  const header = fc.oneof(fc.constant(null), fc.string(), fc.uint8Array({ maxLength: 9 }));
  const name = fc.oneof(fc.constantFrom('a', 'é', '__proto__'), fc.string());
  const record = fc.record({
    key: bytes,
    value: bytes,
    headers: fc.array(fc.tuple(name, header), { maxLength: 6 }),
  });

  it('has the same bytes where records share headers, all or some, and where each has its own', () => {
    const own = (n: number): (readonly [string, string])[] => [
      ['version', '1.0'],
      ['id', `n-${n}`],
      ['source', n % 5 === 0 ? 'b' : 'a'],
      ['long', 'x'.repeat(100_000 * (n % 2))],
    ];
    const shared = own(0);
    const records = Array.from({ length: 20 }, (_, n) => {
      const headers = own(n).map((header, place) =>
        shared[place]?.[1] === header[1] ? (shared[place] ?? header) : header,
      );
      return { key: null, value: null, headers: n % 5 === 4 ? shared : headers };
    });
    const origin = { producerId: 4, producerEpoch: 0, baseSequence: 7, timestampMs: 1 };
    const apart = records.map(({ headers, ...rest }) => ({
      ...rest,
      headers: headers.map(([name, value]) => [name, value] as const),
    }));
    expect(encodeBatch(records, origin).equals(encodeBatch(apart, origin))).toBe(true);
  });

  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 150 }), (records) => {
        const batch = encodeBatch(records, {
          producerId: 4,
          producerEpoch: 0,
          baseSequence: 7,
          timestampMs: 1_790_000_000_123,
        });
        const bound = records.reduce((sum, one) => sum + recordSizeBound(one), 61);
        expect(batch.length).toBeLessThanOrEqual(bound);
        const got = new FetchedPartition({
          fetchOffset: 0,
          highWatermark: 0,
          buffer: batch,
          aborted: [],
        }).take();
        expect(got?.next).toBe(records.length);
        got?.records.forEach((found, index) => {
          const sent = records[index];
          expect([found.offset, found.timestamp]).toEqual([index, 1_790_000_000_123]);
          for (const field of ['key', 'value'] as const) {
            const expected = sent?.[field] ?? null;
            expect(found[field] === null ? null : [...found[field]]).toEqual(
              expected === null ? null : [...expected],
            );
          }
          const hex = (value: HeaderValue | undefined) =>
            value === null || value === undefined ? value : Buffer.from(value).toString('hex');
          const headers = sent?.headers ?? [];
          expect(found.headers.map(([name, value]) => [name, hex(value)])).toEqual(
            headers.map(([name, value]) => [name, hex(value)]),
          );
          for (const name of ['a', 'é', '__proto__', 'none']) {
            expect(hex(found.lastHeader?.(name))).toBe(hex(lastHeader(headers, name)));
          }
        });
      }),
      { numRuns: 60 },
    );
  });

  it('is refused with its offset when any bit of it flips', () => {
    const batch = stored(['a', 'b'], { baseOffset: 40 });
    for (let at = 17; at < batch.length; at += 1) {
      const flipped = Buffer.from(batch);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 0x10, at);
      expect(() => readHeader(flipped, 0), `byte ${at}`).toThrow(BadBatchError);
    }
    const flipped = Buffer.from(batch);
    flipped.writeUInt8(flipped.readUInt8(70) ^ 1, 70);
    expect(() => readHeader(flipped, 0)).toThrow(expect.objectContaining({ offset: 40, next: 42 }));
  });

  it('of a format before Kafka 0.11 is refused by name', () => {
    const batch = stored(['a']);
    batch.writeInt8(1, 16);
    expect(() => readHeader(batch, 0)).toThrow(/older than Kafka 0.11/);
  });

  it('never makes the decoder read beyond it, whatever its records claim', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 60 }),
        fc.nat({ max: 2 ** 31 - 1 }),
        (garbage, count) => {
          const batch = Buffer.concat([stored(['a']).subarray(0, 61), garbage]);
          batch.writeInt32BE(batch.length - 12, 8);
          batch.writeInt32BE(count, 57);
          batch.writeUInt32BE(crc32c(batch, 21), 17);
          try {
            for (const one of read([batch]).values) expect(one.length).toBeLessThanOrEqual(60);
          } catch (error) {
            expect(error).toBeInstanceOf(BadBatchError);
          }
        },
      ),
    );
  });
});

describe('a fetched partition', () => {
  it('hands out what is whole, from the offset that was asked for, and leaves what was cut', () => {
    const batches = [stored(['a', 'b', 'c']), stored(['d', 'e'], { baseOffset: 3 })];
    const cut = stored(['f'], { baseOffset: 5 }).subarray(0, 50);
    expect(read([...batches, cut], 2)).toEqual({ values: ['c', 'd', 'e'], next: 5, isExhausted: true });
  });

  it('steps over what compaction took, also at the end', () => {
    const batches = [stored(['a'], { removed: 4 }), stored(['b'], { baseOffset: 9, removed: 1 })];
    expect(read(batches)).toEqual({ values: ['a', 'b'], next: 11, isExhausted: true });
  });

  it('shows nothing of control records, but steps behind them', () => {
    const batches = [stored([], { control: 'commit', producerId: 1 })];
    expect(read(batches)).toEqual({ values: [], next: 1, isExhausted: true });
  });

  it('leaves out aborted transactions, also when several overlap before the first record', () => {
    const batches = [
      stored(['b2'], { baseOffset: 4, producerId: 2, transactional: true }),
      stored(['a2'], { baseOffset: 5, producerId: 1, transactional: true }),
      stored(['plain'], { baseOffset: 6 }),
      stored([], { baseOffset: 7, producerId: 1, control: 'abort' }),
      stored(['b3'], { baseOffset: 8, producerId: 2, transactional: true }),
      stored([], { baseOffset: 9, producerId: 2, control: 'abort' }),
      stored(['b4'], { baseOffset: 10, producerId: 2, transactional: true }),
    ];
    const aborted = [
      { producerId: 2, firstOffset: 3 },
      { producerId: 1, firstOffset: 2 },
    ];
    expect(read(batches, 4, aborted)).toEqual({ values: ['plain', 'b4'], next: 11, isExhausted: true });
  });

  it('takes no record for an abort marker because of its key', () => {
    const looksLikeMarker = encodeBatch([{ key: Buffer.from([0, 0, 0, 0]), value: Buffer.from('never') }], {
      producerId: 1,
      producerEpoch: 0,
      baseSequence: 0,
      timestampMs: 0,
    });
    looksLikeMarker.writeInt16BE(0x10, 21);
    looksLikeMarker.writeUInt32BE(crc32c(looksLikeMarker, 21), 17);
    const batches = [
      looksLikeMarker,
      stored(['nor this'], { baseOffset: 1, producerId: 1, transactional: true }),
      stored([], { baseOffset: 2, producerId: 1, control: 'abort' }),
    ];
    expect(read(batches, 0, [{ producerId: 1, firstOffset: 0 }])).toMatchObject({ values: [], next: 3 });
  });

  it('hands out what comes before a broken batch, then says which it is', () => {
    const broken = stored(['x'], { baseOffset: 2 });
    broken.writeUInt8(1, broken.length - 1);
    const buffer = Buffer.concat([stored(['a', 'b']), broken]);
    const fetched = new FetchedPartition({ fetchOffset: 0, highWatermark: 9, buffer, aborted: [] });
    expect(fetched.take()).toMatchObject({ next: 2 });
    expect(() => fetched.take()).toThrow(expect.objectContaining({ offset: 2, next: 3 }));
  });

  it('looked at ahead, hands out the very same, and says of a broken batch only when it is taken', () => {
    const broken = stored(['x'], { baseOffset: 3_002 });
    broken.writeUInt8(1, broken.length - 1);
    const values = Array.from({ length: 3_000 }, (_, index) => String(index));
    const buffer = Buffer.concat([stored(values), stored(['a', 'b'], { baseOffset: 3_000 }), broken]);
    const fetched = new FetchedPartition({ fetchOffset: 0, highWatermark: 9, buffer, aborted: [] });
    const ahead = fetched.lookAhead();
    expect(fetched.lookAhead()).toEqual([]);
    expect(fetched.take()?.records).toBe(ahead);
    expect(fetched.next).toBe(2_000);
    const last = fetched.lookAhead();
    expect(fetched.take()).toMatchObject({ records: last, next: 3_002 });
    expect(fetched.lookAhead()).toEqual([]);
    expect(fetched.isExhausted).toBe(false);
    expect(() => fetched.take()).toThrow(expect.objectContaining({ offset: 3_002, next: 3_003 }));
  });

  it('hands out a batch of 200,000 records in portions', () => {
    const values = Array.from({ length: 200_000 }, (_, index) => String(index));
    const buffer = stored(values);
    const fetched = new FetchedPartition({ fetchOffset: 0, highWatermark: 9, buffer, aborted: [] });
    const portions = [];
    for (let portion = fetched.take(); portion !== undefined; portion = fetched.take())
      portions.push(portion);
    expect(Math.max(...portions.map(({ records }) => records.length))).toBeLessThanOrEqual(2_000);
    expect(portions.flatMap(({ records }) => records.map(({ offset }) => offset))).toEqual(
      values.map(Number),
    );
    expect(portions.at(-1)?.next).toBe(200_000);
  });
});

describe('fingerprint', () => {
  const record = { offset: 5, timestamp: 1_000, key: Buffer.from('ab'), value: Buffer.from('c') };
  it('differs by key, value, their border, null and timestamp', () => {
    const others = [
      { ...record, key: Buffer.from('a'), value: Buffer.from('bc') },
      { ...record, key: null },
      { ...record, key: Buffer.alloc(0) },
      { ...record, value: null },
      { ...record, value: Buffer.alloc(0) },
      { ...record, timestamp: 1_001 },
      { ...record, offset: 6 },
    ];
    const all = [record, ...others].map((one) => fingerprintOf(one));
    for (const [index, one] of all.entries()) {
      expect(all.findIndex((other) => sameFingerprint(one, other))).toBe(index);
    }
    expect(sameFingerprint(fingerprintOf(record), fingerprintOf({ ...record }))).toBe(true);
  });
});

describe('partitioner', () => {
  it('hashes as the Java clients do', () => {
    // From Kafka's own UtilsTest.testMurmur2.
    const known: [string, number][] = [
      ['21', -973932308],
      ['foobar', -790332482],
      ['a-little-bit-long-string', -985981536],
      ['a-little-bit-longer-string', -1486304829],
      ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
      ['abc', 479470107],
    ];
    for (const [key, hash] of known) expect(murmur2(Buffer.from(key)), key).toBe(hash);
    expect(partitionOf(Buffer.from('21'), 7)).toBe((-973932308 & 0x7fffffff) % 7);
  });

  it('puts a text where it puts its bytes', () => {
    const text = fc.oneof(fc.string({ maxLength: 300 }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(text, (key) => {
        expect(partitionOf(key, 1_000)).toBe(partitionOf(Buffer.from(key), 1_000));
      }),
    );
  });
});

describe('hostile headers', () => {
  /** The headers of the one record of a batch whose last bytes, the headers, are replaced. */
  function headersOf(tail: Buffer, name: string, value: Uint8Array): string[] {
    const batch = encodeBatch([{ key: null, value: null, headers: [[name, value]] }], {
      producerId: -1,
      producerEpoch: 0,
      baseSequence: 0,
      timestampMs: 1_000,
    });
    tail.copy(batch, batch.length - tail.length);
    batch.writeUInt32BE(crc32c(batch, 21), 17);
    const fetched = new FetchedPartition({ fetchOffset: 0, highWatermark: 1, buffer: batch, aborted: [] });
    return (fetched.take()?.records[0]?.headers ?? []).map(([, found]) => String(found));
  }

  it('that lead back to where they began end', () => {
    // 8,191 of them; a name of -2 bytes; a value of none, which begins where the name did.
    const tail = Buffer.from([0xfe, 0x7f, 0x03, 0x01, 0x00]);
    expect(headersOf(tail, 'a', Buffer.from('b'))).toEqual([]);
  });

  it('that are two bytes each are no more than so many', () => {
    const claimed = 1_000_000;
    // Count, length of the name, name, length of the value, value.
    const tail = Buffer.alloc(1 + 1 + 1 + 3 + claimed);
    Buffer.from([0xfe, 0xff, 0x7f]).copy(tail);
    expect(headersOf(tail, 'a', Buffer.alloc(claimed))).toHaveLength(10_000);
  });
});

describe('the timestamp of a record', () => {
  const timestamps = (batch: Buffer): number[] => {
    const fetched = new FetchedPartition({ fetchOffset: 0, highWatermark: 99, buffer: batch, aborted: [] });
    return (fetched.take()?.records ?? []).map(({ timestamp }) => timestamp);
  };

  it('is what the producer set, or the moment of the append where the topic says so', () => {
    const batch = recordBatch({ values: ['a', 'b', 'c'], timestamps: [1_000, 1_500, 900] });
    expect(timestamps(batch)).toEqual([1_000, 1_500, 900]);
    // message.timestamp.type=LogAppendTime: the broker sets the bit and the greatest timestamp, and leaves the deltas.
    batch.writeInt16BE(batch.readInt16BE(21) | 0x08, 21);
    batch.writeBigInt64BE(9_000n, 35);
    batch.writeUInt32BE(crc32c(batch, 21), 17);
    expect(timestamps(batch)).toEqual([9_000, 9_000, 9_000]);
  });
});
