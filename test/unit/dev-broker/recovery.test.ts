import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

import { Partition, type LogSettings } from '../../../src/dev-broker/log/partition.ts';
import { CorruptLogError } from '../../../src/dev-broker/log/recovery.ts';
import { readBatchHeader } from '../../../src/dev-broker/wire/record-batch.ts';
import { batchesIn, recordBatch, valuesOf } from '../../support/record-batches.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SETTINGS: LogSettings = {
  maxMessageBytes: 1_000_000,
  segmentBytes: 250,
  segmentMs: 1e12,
  retentionMs: -1,
  retentionBytes: -1,
  timestampAheadMs: 1e15,
  isAppendTime: false,
  deletes: true,
};

const folder = temporaryFolder();

function using<T>(dir: string, use: (partition: Partition) => T): T {
  const partition = new Partition('t', 0, dir, 0, () => SETTINGS);
  try {
    return use(partition);
  } finally {
    partition.close();
  }
}

function append(partition: Partition, sequence: number, transactional = false): number {
  const batch = recordBatch({
    values: [`value ${sequence}`],
    producerId: 3,
    epoch: 0,
    sequence,
    transactional,
  });
  return partition.append(batch, readBatchHeader(batch), 1).baseOffset;
}

function everything(partition: Partition): string[] {
  const values: string[] = [];
  for (let offset = partition.startOffset; offset < partition.endOffset;) {
    const bytes = partition.read({ offset, maxBytes: 1e6, atLeastOne: true, committedOnly: false });
    const last = batchesIn(bytes).at(-1);
    if (last === undefined) break;
    values.push(...valuesOf(bytes));
    offset = last.baseOffset + 1;
  }
  return values;
}

/** A log of ten batches in several segments. */
function filled(): { dir: string; active: string; values: string[] } {
  const dir = folder();
  using(dir, (partition) => {
    for (let sequence = 0; sequence < 10; sequence += 1) append(partition, sequence);
  });
  const logs = fs.readdirSync(dir).filter((name) => name.endsWith('.log'));
  expect(logs.length).toBeGreaterThan(2);
  const active = path.join(dir, logs.sort().at(-1) ?? '');
  return { dir, active, values: Array.from({ length: 10 }, (_, index) => `value ${index}`) };
}

describe('recovery of a log', () => {
  it('cuts off the torn end of the last write, wherever it was torn, and writes on', () => {
    const { dir, active, values } = filled();
    const before = fs.readFileSync(active);
    using(dir, (partition) => append(partition, 10));
    const whole = fs.readFileSync(active);
    expect(whole.length).toBeGreaterThan(before.length);
    for (let size = before.length; size < whole.length; size += 1) {
      fs.writeFileSync(active, whole.subarray(0, size));
      using(dir, (partition) => {
        expect(partition.tornBytes).toBe(size - before.length);
        expect(everything(partition)).toEqual(values);
        expect(append(partition, 10), `torn at ${size}`).toBe(10);
      });
      expect(fs.readFileSync(active)).toEqual(whole);
    }
  });

  it('cuts off a last batch whose bytes are not those of its checksum, and zeros', () => {
    const { dir, active, values } = filled();
    const before = fs.readFileSync(active);
    using(dir, (partition) => append(partition, 10));
    const whole = fs.readFileSync(active);
    const flipped = Buffer.from(whole);
    flipped[whole.length - 1] = 1 ^ (whole.at(-1) ?? 0);
    for (const bytes of [flipped, Buffer.concat([before, Buffer.alloc(500)])]) {
      fs.writeFileSync(active, bytes);
      expect(using(dir, everything)).toEqual(values);
      expect(fs.readFileSync(active)).toEqual(before);
    }
  });

  it('refuses what is damaged with whole batches behind it, names the place, and leaves it alone', () => {
    const { dir, active } = filled();
    using(dir, (partition) => append(partition, 10));
    const whole = fs.readFileSync(active);
    // Each field of the first batch of the segment, but for leaderEpoch, which nothing depends on.
    for (const at of [0, 7, 8, 10, 11, 16, 17, 21, 26, 40, 60, 65]) {
      const bytes = Buffer.from(whole);
      bytes[at] = 0x40 ^ (whole[at] ?? 0);
      fs.writeFileSync(active, bytes);
      expect(() => using(dir, everything), `byte ${at}`).toThrow(CorruptLogError);
      expect(() => using(dir, everything)).toThrow(active);
      expect(fs.readFileSync(active)).toEqual(bytes);
    }
  });

  it('refuses a log in which a segment is missing', () => {
    const { dir } = filled();
    const [, second] = fs.readdirSync(dir).filter((name) => name.endsWith('.log'));
    fs.rmSync(path.join(dir, second ?? ''));
    expect(() => using(dir, everything)).toThrow(/follows it/);
  });

  it.each(['.seal', '.index', '.producers'])('does without its %s files, and with torn ones', (extension) => {
    const { dir, values } = filled();
    const files = fs.readdirSync(dir).filter((name) => name.endsWith(extension));
    expect(files.length).toBeGreaterThan(0);
    for (const content of [undefined, '{"torn', '']) {
      for (const file of files) {
        if (content === undefined) fs.rmSync(path.join(dir, file));
        else fs.writeFileSync(path.join(dir, file), content);
      }
      using(dir, (partition) => {
        expect(everything(partition)).toEqual(values);
        // Its producers are known: the repetition of a batch is, and so is a gap.
        expect(append(partition, 9)).toBe(9);
        expect(() => append(partition, 11)).toThrow(expect.objectContaining({ code: 45 }));
      });
    }
  });

  it('checks the batches of a sealed segment whose seal is lost', () => {
    const { dir } = filled();
    const [first] = fs.readdirSync(dir).filter((name) => name.endsWith('.log'));
    const file = path.join(dir, first ?? '');
    const bytes = fs.readFileSync(file);
    bytes[70] = 1 ^ (bytes[70] ?? 0);
    fs.writeFileSync(file, bytes);
    fs.rmSync(file.replace('.log', '.seal'));
    expect(() => using(dir, everything)).toThrow(CorruptLogError);
  });

  it('knows after any crash while a segment is sealed what was written, and who wrote it', () => {
    // A crash before the last of several files appeared: the files of the moment before, in any combination.
    const { dir, values } = filled();
    const newest =
      fs
        .readdirSync(dir)
        .filter((name) => name.endsWith('.log'))
        .sort()
        .at(-1) ?? '';
    using(dir, (partition) => {
      append(partition, 10, true);
      partition.roll();
    });
    const stem = newest.replace('.log', '');
    const next = '00000000000000000011';
    const left = [`${stem}.seal`, `${stem}.index`, `${next}.producers`, `${next}.log`];
    const saved = new Map(left.map((name) => [name, fs.readFileSync(path.join(dir, name))]));
    // In the order in which they come: producers, index, seal, log.
    const order = [`${next}.producers`, `${stem}.index`, `${stem}.seal`, `${next}.log`];
    for (let made = 0; made < order.length; made += 1) {
      for (const name of left) fs.rmSync(path.join(dir, name), { force: true });
      for (const name of order.slice(0, made)) fs.writeFileSync(path.join(dir, name), saved.get(name) ?? '');
      using(dir, (partition) => {
        expect(everything(partition)).toEqual([...values, 'value 10']);
        expect(partition.stableOffset).toBe(10);
        expect(append(partition, 10, true)).toBe(10);
      });
    }
  });
});
