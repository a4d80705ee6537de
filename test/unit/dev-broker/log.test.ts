import fs from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';

import { checkBatch, type BatchLimits } from '../../../src/dev-broker/log/incoming-batch.ts';
import { Partition, type LogSettings } from '../../../src/dev-broker/log/partition.ts';
import { outlived } from '../../../src/dev-broker/log/retention.ts';
import { SparseIndex } from '../../../src/dev-broker/log/sparse-index.ts';
import { readBatchHeader } from '../../../src/dev-broker/wire/record-batch.ts';
import { batchesIn, recordBatch, sealed, valuesOf, type BatchOptions } from '../../support/record-batches.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SETTINGS: LogSettings = {
  maxMessageBytes: 1_000_000,
  segmentBytes: 1_000_000,
  segmentMs: 1e12,
  retentionMs: -1,
  retentionBytes: -1,
  timestampAheadMs: 1e15,
  isAppendTime: false,
  deletes: true,
};

const folder = temporaryFolder();
const open: Partition[] = [];
afterEach(() => {
  for (const partition of open.splice(0)) partition.close();
});

function partitionIn(dir: string, settings: Partial<LogSettings> = {}, startOffset = 0): Partition {
  const partition = new Partition('t', 0, dir, startOffset, () => ({ ...SETTINGS, ...settings }));
  open.push(partition);
  return partition;
}

function append(partition: Partition, options: BatchOptions, nowMs = 1): number {
  const batch = recordBatch(options);
  return partition.append(batch, readBatchHeader(batch), nowMs).baseOffset;
}

function read(partition: Partition, offset: number, options: Partial<Parameters<Partition['read']>[0]> = {}) {
  return partition.read({ offset, maxBytes: 1e6, atLeastOne: true, committedOnly: false, ...options });
}

/** All values from an offset on, by as many reads as it takes. */
function readAll(partition: Partition, offset = partition.startOffset, maxBytes = 300): string[] {
  const values: string[] = [];
  while (offset < partition.endOffset) {
    const bytes = read(partition, offset, { maxBytes });
    const last = batchesIn(bytes).at(-1);
    if (last === undefined) throw new Error(`nothing at ${offset}`);
    values.push(...valuesOf(bytes));
    offset = last.baseOffset + last.lastOffsetDelta + 1;
  }
  return values;
}

const logFiles = (dir: string) => fs.readdirSync(dir).filter((name) => name.endsWith('.log'));
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `value ${index}`);

describe('reading', () => {
  it('gives batches as they came, at their offsets', () => {
    const partition = partitionIn(folder());
    const sent = recordBatch({ values: ['a', 'b'] });
    const copy = Buffer.from(sent);
    expect(partition.append(sent, readBatchHeader(sent), 1)).toEqual({ baseOffset: 0, appendTimeMs: -1 });
    append(partition, { values: ['c'], compression: 'gzip' });
    append(partition, { values: ['d'] });
    const got = read(partition, 0);
    expect(got.subarray(16, copy.length)).toEqual(copy.subarray(16));
    expect(batchesIn(got).map(({ baseOffset }) => baseOffset)).toEqual([0, 2, 3]);
    // From the middle of a batch on: the batch as a whole.
    expect(valuesOf(read(partition, 1))).toEqual(['a', 'b', 'd']);
    expect(read(partition, 4)).toHaveLength(0);
    for (const offset of [-1, 5])
      expect(() => read(partition, offset)).toThrow(expect.objectContaining({ code: 1 }));
  });

  it('keeps to the limit of bytes, but for the first batch where one has to be given', () => {
    const partition = partitionIn(folder());
    for (const value of ['x'.repeat(50), 'y'.repeat(5_000), 'z']) append(partition, { values: [value] });
    const sizes = batchesIn(read(partition, 0)).map(({ sizeBytes }) => sizeBytes);
    for (const maxBytes of [0, -1e6]) {
      expect(read(partition, 0, { maxBytes })).toHaveLength(sizes[0] ?? 0);
      expect(read(partition, 0, { maxBytes, atLeastOne: false })).toHaveLength(0);
    }
    expect(read(partition, 1, { maxBytes: 10 })).toHaveLength(sizes[1] ?? 0);
    expect(read(partition, 1, { maxBytes: 10, atLeastOne: false })).toHaveLength(0);
    expect(read(partition, 0, { maxBytes: 1_000 })).toHaveLength(sizes[0] ?? 0);
    expect(read(partition, 0, { maxBytes: 5_200 })).toHaveLength((sizes[0] ?? 0) + (sizes[1] ?? 0));
  });

  it('finds every offset in a log of many segments, large and small batches, and after a restart', () => {
    const dir = folder();
    const partition = partitionIn(dir, { segmentBytes: 20_000 });
    const values = numbered(2_000);
    for (let at = 0; at < values.length;) {
      const count = at % 7 === 0 ? 40 : 1;
      append(partition, { values: values.slice(at, at + count) });
      at += count;
    }
    expect(logFiles(dir).length).toBeGreaterThan(2);
    partition.close();
    for (const log of [partition, partitionIn(dir, { segmentBytes: 20_000 })]) {
      expect(readAll(log)).toEqual(values);
      for (let offset = 0; offset < values.length; offset += 13) {
        const [first] = batchesIn(read(log, offset, { maxBytes: 1 }));
        expect(first?.values[offset - first.baseOffset]).toBe(values[offset]);
      }
    }
  });

  it('finds its way without an index that is missing or damaged, more slowly', () => {
    const dir = folder();
    const partition = partitionIn(dir, { segmentBytes: 20_000 });
    for (const value of numbered(2_000)) append(partition, { values: [value] });
    for (const name of fs.readdirSync(dir).filter((one) => one.endsWith('.index'))) {
      fs.writeFileSync(`${dir}/${name}`, 'no index');
    }
    expect(valuesOf(read(partition, 700, { maxBytes: 1 }))).toEqual(['value 700']);
  });
});

describe('the sparse index', () => {
  it('leads to the last entry at or before what is looked for', () => {
    const index = new SparseIndex();
    // A batch every 5,000 bytes and 10 offsets, a millisecond later each: one in four becomes an entry.
    for (let batch = 0; batch < 1_000; batch += 1) index.add(batch * 10, batch * 5_000, batch - 1);
    for (let batch = 0; batch < 1_000; batch += 1) {
      const entry = Math.floor(batch / 4) * 20_000;
      expect(index.positionOf(batch * 10 + 9)).toBe(entry);
      expect(index.positionOfTime(batch)).toBe(entry);
    }
    const file = `${folder()}/index`;
    const checksum = index.save(file);
    expect(SparseIndex.load(file, checksum).positionOf(4_005)).toBe(2_000_000);
    expect(SparseIndex.load(file, checksum ^ 1).positionOf(4_005)).toBe(0);
  });
});

describe('time', () => {
  const at = (partition: Partition, timestamp: number) => partition.firstAtTime(timestamp)?.offset;

  it('finds the first record that is late enough, in whichever segment', () => {
    const partition = partitionIn(folder(), { segmentBytes: 20_000 });
    for (let index = 0; index < 1_000; index += 2) {
      append(partition, { values: ['a', 'b'], timestamps: [index * 10, index * 10 + 10] });
    }
    for (const wanted of [0, 1, 10, 15, 4_999, 5_000, 9_990]) {
      expect(at(partition, wanted), `at ${wanted}`).toBe(Math.ceil(wanted / 10));
    }
    expect(at(partition, 9_991)).toBeUndefined();
    expect(partition.latestByTime()).toEqual({ offset: 999, timestamp: 9_990 });
  });

  it('looks into gzip, and is early rather than late where it cannot look', () => {
    const partition = partitionIn(folder());
    append(partition, { values: ['a', 'b'], timestamps: [10, 20], compression: 'gzip' });
    append(partition, { values: ['c', 'd'], timestamps: [30, 40], compression: 'lz4' });
    expect([15, 20, 21, 35, 40].map((wanted) => at(partition, wanted))).toEqual([1, 1, 2, 2, 2]);
    expect(partition.latestByTime()).toEqual({ offset: 3, timestamp: 40 });
  });

  it('is not in order: what matters is which comes first', () => {
    const partition = partitionIn(folder());
    for (const timestamp of [50, 10, 70, 20]) append(partition, { values: ['x'], timestamps: timestamp });
    expect([10, 51, 71].map((wanted) => at(partition, wanted))).toEqual([0, 2, undefined]);
    expect(partition.latestByTime()?.offset).toBe(2);
  });

  it('does not find what was deleted', () => {
    const partition = partitionIn(folder());
    append(partition, { values: ['a', 'b'], timestamps: [90, 10] });
    append(partition, { values: ['c'], timestamps: 95 });
    partition.deleteBefore(1);
    expect(at(partition, 5)).toBe(1);
    expect(at(partition, 50)).toBe(2);
  });

  it('is that of the broker where the topic says so', () => {
    const partition = partitionIn(folder(), { isAppendTime: true });
    const batch = recordBatch({ values: ['a', 'b'], timestamps: [1, 2] });
    expect(partition.append(batch, readBatchHeader(batch), 77)).toEqual({ baseOffset: 0, appendTimeMs: 77 });
    const stored = read(partition, 0);
    expect(batchesIn(stored)[0]).toMatchObject({ isAppendTime: true, maxTimestamp: 77 });
    // The checksum is that of the changed bytes.
    expect(checkBatch(stored, { ...SETTINGS, isAppendTime: true, compacts: false }, 77).count).toBe(2);
    expect(partition.firstAtTime(3)).toEqual({ offset: 0, timestamp: 77 });
  });
});

describe('transactions', () => {
  const transaction = { producerId: 5, epoch: 0, transactional: true };

  it('hide what is open from who reads committed records only, and name what was aborted', () => {
    const dir = folder();
    const partition = partitionIn(dir);
    append(partition, { values: ['before'] });
    append(partition, { values: ['a', 'b'], sequence: 0, ...transaction });
    append(partition, { values: ['after'] });
    const committed = (log: Partition, offset = 0) => valuesOf(read(log, offset, { committedOnly: true }));
    expect(committed(partition)).toEqual(['before']);
    expect(partition.stableOffset).toBe(1);
    expect(committed(partition, 1)).toEqual([]);
    expect(valuesOf(read(partition, 0))).toEqual(['before', 'a', 'b', 'after']);
    expect(partition.endTransaction(5, 0, false)).toBe(4);
    append(partition, { values: ['c'], sequence: 2, ...transaction });
    expect(partition.endTransaction(5, 0, true)).toBe(6);
    partition.close();
    const aborted = [{ producerId: 5, firstOffset: 1, lastOffset: 4, lastStableOffset: 5 }];
    for (const log of [partition, partitionIn(dir)]) {
      expect(log.stableOffset).toBe(7);
      expect(log.abortedBetween(0, 7)).toEqual(aborted);
      expect(log.abortedBetween(4, 5)).toEqual(aborted);
      expect(log.abortedBetween(0, 1)).toEqual([]);
      expect(log.abortedBetween(5, 7)).toEqual([]);
    }
    const marker = batchesIn(read(partition, 4)).find(({ isControl }) => isControl);
    expect(marker).toMatchObject({ baseOffset: 4, count: 1, isTransactional: true, producerId: 5 });
  });

  it('are still open after a restart, and named from sealed segments', () => {
    const dir = folder();
    const settings = { segmentBytes: 400 };
    const partition = partitionIn(dir, settings);
    for (let round = 0; round < 6; round += 1) {
      append(partition, { values: ['x'.repeat(100)], sequence: round, ...transaction });
      append(partition, { values: ['y'.repeat(100)] });
      partition.endTransaction(5, 0, round % 2 === 0);
    }
    append(partition, { values: ['z'], sequence: 6, ...transaction });
    append(partition, { values: ['y'.repeat(300)] });
    append(partition, { values: ['y'.repeat(300)] });
    partition.close();
    expect(logFiles(dir).length).toBeGreaterThan(3);
    const again = partitionIn(dir, settings);
    expect(again.stableOffset).toBe(18);
    expect(again.abortedBetween(0, 18).map(({ firstOffset }) => firstOffset)).toEqual([3, 9, 15]);
    expect(again.abortedBetween(4, 6).map(({ firstOffset }) => firstOffset)).toEqual([3]);
    again.endTransaction(5, 0, true);
    expect(again.stableOffset).toBe(again.endOffset);
  });
});

describe('deletion', () => {
  it('forgets records on request, at once and for good, and never reuses an offset', () => {
    const dir = folder();
    const settings = { segmentBytes: 300 };
    const partition = partitionIn(dir, settings);
    for (const value of numbered(20)) append(partition, { values: [value.padEnd(50)] });
    const files = logFiles(dir).length;
    partition.deleteBefore(7);
    expect(partition.startOffset).toBe(7);
    expect(logFiles(dir).length).toBeLessThan(files);
    expect(() => read(partition, 6)).toThrow(expect.objectContaining({ code: 1 }));
    expect(readAll(partition, 7).at(-1)?.trim()).toBe('value 19');
    for (const offset of [6, 21]) {
      expect(() => partition.deleteBefore(offset)).toThrow(expect.objectContaining({ code: 1 }));
    }
    partition.deleteBefore(20);
    expect(partition.sizeBytes).toBe(0);
    partition.close();
    const again = partitionIn(dir, settings, 20);
    expect([again.startOffset, again.endOffset]).toEqual([20, 20]);
    expect(append(again, { values: ['next'] })).toBe(20);
  });

  it('goes by the topic’s retention of time, the active segment included', () => {
    const dir = folder();
    const partition = partitionIn(dir, { segmentBytes: 300, retentionMs: 1_000 });
    for (let index = 0; index < 20; index += 1) {
      append(partition, { values: ['x'.repeat(50)], timestamps: index * 100 });
    }
    partition.applyRetention(1_900);
    // Segments hold two batches each: those of 800 and 900 stay, because of the latter.
    expect(partition.startOffset).toBe(8);
    partition.applyRetention(5_000);
    expect([partition.startOffset, partition.endOffset, partition.sizeBytes]).toEqual([20, 20, 0]);
    partition.close();
    expect(append(partitionIn(dir), { values: ['next'] })).toBe(20);
  });

  it('counts which segments have outlived the retention', () => {
    const segments = [100, 200, 300].map((maxTimestamp) => ({ sizeBytes: 10, maxTimestamp }));
    const limits = { deletes: true, retentionMs: -1, retentionBytes: -1 };
    expect(outlived(segments, limits, 1e9)).toBe(0);
    expect(outlived(segments, { ...limits, retentionMs: 50 }, 255)).toBe(2);
    expect(outlived(segments, { ...limits, retentionMs: 50, deletes: false }, 255)).toBe(0);
    expect(
      [31, 30, 21, 20, 11, 10, 0].map((retentionBytes) =>
        outlived(segments, { ...limits, retentionBytes }, 0),
      ),
    ).toEqual([0, 0, 0, 1, 1, 2, 3]);
    // Never a younger one before an older one, and none without a timestamp.
    const mixed = [300, 100].map((maxTimestamp) => ({ sizeBytes: 10, maxTimestamp }));
    expect(outlived(mixed, { ...limits, retentionMs: 50 }, 255)).toBe(0);
    expect(outlived([{ sizeBytes: 10, maxTimestamp: -1 }], { ...limits, retentionMs: 50 }, 255)).toBe(0);
  });
});

describe('a batch that comes in', () => {
  const check =
    (batch: Buffer, limits: Partial<BatchLimits> = {}, nowMs = 0) =>
    () =>
      checkBatch(batch, { ...SETTINGS, compacts: false, ...limits }, nowMs);
  const changed = (change: (batch: Buffer) => void, seal = true) => {
    const batch = recordBatch({ values: ['a', 'b'] });
    change(batch);
    return seal ? sealed(batch) : batch;
  };

  it('is taken as it is', () => {
    expect(check(recordBatch({ values: ['a', 'b'] }))()).toMatchObject({ count: 2, magic: 2 });
  });

  it.each([
    ['any flipped bit', changed((batch) => batch.writeUInt8(1, 64), false), 2],
    ['a length beyond the bytes', changed((batch) => batch.writeInt32BE(1e6, 8)), 2],
    ['a negative length', changed((batch) => batch.writeInt32BE(-20, 8)), 2],
    ['no batch at all', Buffer.from('hello'), 2],
    ['an old message format', changed((batch) => batch.writeInt8(1, 16)), 43],
    ['two batches', Buffer.concat([recordBatch({ values: ['a'] }), recordBatch({ values: ['b'] })]), 87],
    ['a wrong count', changed((batch) => batch.writeInt32BE(3, 57)), 87],
    ['no records', changed((batch) => batch.writeInt32BE(0, 57)), 87],
    ['a count that cannot be in its bytes', changed(countOf(1e6)), 87],
    ['a control batch', changed((batch) => batch.writeInt16BE(0x20, 21)), 87],
    ['a compression that is none', changed((batch) => batch.writeInt16BE(7, 21)), 87],
    ['a transaction of nobody', recordBatch({ values: ['a'], transactional: true }), 87],
    ['a producer without sequence', recordBatch({ values: ['a'], producerId: 1, epoch: 0 }), 87],
    ['a time of arrival where the topic has none', changed((batch) => batch.writeInt16BE(0x08, 21)), 32],
  ])('is refused for %s', (_, batch, code) => {
    expect(check(batch)).toThrow(expect.objectContaining({ code }));
  });

  it('is refused above the topic’s size, and far ahead of the clock', () => {
    const batch = recordBatch({ values: ['a'], timestamps: 5_000 });
    expect(check(batch, { maxMessageBytes: batch.length })).not.toThrow();
    expect(check(batch, { maxMessageBytes: batch.length - 1 })).toThrow(
      expect.objectContaining({ code: 10 }),
    );
    expect(check(batch, { timestampAheadMs: 1_000 }, 4_000)).not.toThrow();
    expect(check(batch, { timestampAheadMs: 1_000 }, 3_999)).toThrow(expect.objectContaining({ code: 32 }));
  });
});

function countOf(count: number) {
  return (batch: Buffer) => {
    batch.writeInt32BE(count - 1, 23);
    batch.writeInt32BE(count, 57);
  };
}
