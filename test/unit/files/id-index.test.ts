import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { openIdIndex, type IdIndex } from '../../../src/adapters/files/ids/index.ts';
import { type IdPlace, IdTable, type IdHash } from '../../../src/adapters/files/ids/table.ts';
import { factsAt, renderFact } from '../../../src/adapters/files/logs/fact-lines.ts';
import { LogView } from '../../../src/adapters/files/logs/log.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { tries } from '../../support/effort.ts';

const work = fs.mkdtempSync(path.join(os.tmpdir(), 'id-index-test-'));
afterAll(() => fs.rmSync(work, { recursive: true, force: true }));

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(work, 'f-'));
});

const open = (runs: readonly string[] = []): IdIndex => openIdIndex(realFileSystem, folder, runs);
const id = (n: number): string => `ORD-01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`;
const place = (n: number): IdPlace => ({
  log: n % 3 === 0 ? 1 : 0,
  position: n % 5 === 0 ? 2 ** 53 - 1 - n : n * 317,
});

async function fill(index: IdIndex, from: number, to: number): Promise<readonly string[]> {
  for (let n = from; n < to; n += 1) index.add(id(n), place(n));
  return await index.seal();
}

/** As the checkpoint that names `named` does. */
function drop(index: IdIndex, named: readonly string[]): void {
  for (const name of index.unused(named)) fs.rmSync(path.join(folder, name));
}

function expectAll(index: IdIndex, to: number): void {
  // Thousands of expectations would take longer than what they are about.
  const isRight = (n: number): boolean => isDeepStrictEqual(index.find(id(n)), n < to ? [place(n)] : []);
  expect(Array.from({ length: to + 2_000 }, (_, n) => n).filter((n) => !isRight(n))).toEqual([]);
}

describe('the index of ids', () => {
  it('finds what was added: in memory, sealed, merged, and by another process', async () => {
    const index = open();
    let names: readonly string[] = [];
    for (let n = 0; n < 9; n += 1) {
      names = await fill(index, n * 700, (n + 1) * 700);
      expect(index.pending).toBe(0);
    }
    for (let n = 6_300; n < 7_000; n += 1) index.add(id(n), place(n));
    expect(index.pending).toBe(700);
    expectAll(index, 7_000);
    expect(names).toHaveLength(9);

    const reader = open(names);
    await index.mergeIfDue();
    const merged = await index.seal();
    expect(merged.length).toBeLessThan(names.length);
    drop(index, merged);
    expect(fs.readdirSync(folder).sort()).toEqual([...merged].sort());
    expectAll(index, 7_000);
    expectAll(reader, 6_300); // its files are unlinked, and open
    expectAll(open(merged), 7_000);
    index.close();
  });

  it('agrees with a plain map over random adding, sealing, merging and opening again', async () => {
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ kind: fc.constant('add' as const), count: fc.integer({ min: 1, max: 900 }) }),
      },
      { weight: 4, arbitrary: fc.constant({ kind: 'seal' as const }) },
      { weight: 3, arbitrary: fc.constant({ kind: 'merge' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        folder = fs.mkdtempSync(path.join(work, 'f-'));
        let index = open();
        let total = 0;
        for (const taken of steps) {
          if (taken.kind === 'add')
            for (let n = 0; n < taken.count; n += 1) index.add(id(total), place(total++));
          else if (taken.kind === 'seal') drop(index, await index.seal());
          else if (taken.kind === 'merge') await Promise.all([index.mergeIfDue(), index.seal()]);
          else {
            const names = await index.seal();
            index.close();
            index = open(names);
          }
        }
        expectAll(index, total);
        index.close();
      }),
      { numRuns: tries(15, 3) },
    );
  });

  it('keeps what is added while it seals, and never drops a run that is being written', async () => {
    const index = open();
    for (let n = 0; n < 20_000; n += 1) index.add(id(n), place(n));
    const sealed = index.seal();
    for (let n = 20_000; n < 20_500; n += 1) index.add(id(n), place(n));
    drop(index, []);
    expect(index.find(id(5))).toEqual([place(5)]);
    await sealed;
    expect(index.pending).toBe(500);
    expectAll(open(await index.seal()), 20_500);
  });

  it('never writes over, and later removes, a run that a crash left unnamed', async () => {
    fs.writeFileSync(path.join(folder, 'ids.4'), 'half');
    const index = open();
    const names = await fill(index, 0, 10);
    expect(names).toEqual(['ids.5']);
    drop(index, names);
    expect(fs.readdirSync(folder)).toEqual(['ids.5']);
  });

  it('leaves the largest run alone while the small ones can be merged, and what a checkpoint names until the next', async () => {
    const index = open();
    const [largest = ''] = await fill(index, 0, 5_000);
    let names: readonly string[] = [];
    for (let n = 0; n < 6; n += 1) names = await fill(index, 5_000 + n * 100, 5_100 + n * 100);
    await index.mergeIfDue();
    drop(index, names);
    expectAll(open(names), 5_600);
    const merged = await index.seal();
    expect(merged).toHaveLength(2);
    expect(merged).toContain(largest);
    drop(index, merged);
    expect(fs.readdirSync(folder).sort()).toEqual([...merged].sort());
  });

  it('gives both candidates when two ids have one hash, across blocks and after a merge', async () => {
    const table = new IdTable();
    const hash: IdHash = { high: 0xfffffff0, low: 7 };
    for (let n = 0; n < 700; n += 1) table.add(hash, { log: 0, position: n });
    const found: IdPlace[] = [];
    table.find(hash, found);
    expect(found).toHaveLength(700);

    const index = open();
    for (let round = 0; round < 8; round += 1) {
      for (let n = 0; n < 300; n += 1) index.add('same', { log: 0, position: round * 300 + n });
      await fill(index, round * 100, (round + 1) * 100);
    }
    await index.mergeIfDue();
    const reopened = open(await index.seal());
    for (const each of [index, reopened]) {
      const positions = each.find('same').map(({ position }) => position);
      expect(positions.sort((a, b) => a - b)).toEqual(Array.from({ length: 2_400 }, (_, n) => n));
    }
  });
});

describe('a damaged index', () => {
  const failureOf = (act: () => unknown): Failure => {
    try {
      act();
    } catch (error) {
      expect(error).toBeInstanceOf(Failure);
      return error as Failure;
    }
    throw new Error('nothing failed');
  };

  it('is corrupt_state naming the file, wherever a bit is flipped or the file ends', async () => {
    const [name = ''] = await fill(open(), 0, 2_000);
    const file = path.join(folder, name);
    const whole = fs.readFileSync(file);
    const use = (): void => {
      const index = open([name]);
      for (let n = 0; n < 2_000; n += 1) index.find(id(n));
      index.close();
    };
    use();
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.nat(7), fc.boolean(), (at, bit, cut) => {
        const bad = Buffer.from(whole);
        bad[at] = (bad[at] ?? 0) ^ (1 << bit);
        fs.writeFileSync(file, cut ? whole.subarray(0, at) : bad);
        const failure = failureOf(use);
        expect(failure.code).toBe('corrupt_state');
        expect(failure.context.file).toBe(file);
        expect(failure.fix).toContain('rebuilds');
      }),
      { numRuns: tries(150, 25) },
    );
    fs.rmSync(file);
    expect(failureOf(use)).toMatchObject({ code: 'corrupt_state' });
  });
});

it('finds all lines of a key that has many, and those of its neighbours', () => {
  const table = new IdTable();
  const hash: IdHash = { high: 0x80000000, low: 7 };
  const others = Array.from({ length: 2_000 }, (_, n): IdHash => ({ high: 0x80000000 + n * 7, low: n }));
  for (let n = 0; n < 30_000; n++) {
    table.add(hash, { log: 2, position: n * 10 });
    const other = others[n];
    if (other !== undefined) table.add(other, { log: 3, position: n });
  }
  const found: IdPlace[] = [];
  table.find(hash, found);
  expect(found.map(({ position }) => position)).toEqual(Array.from({ length: 30_000 }, (_, n) => n * 10));
  for (const [n, other] of others.entries()) {
    const one: IdPlace[] = [];
    table.find(other, one);
    expect(one).toEqual([{ log: 3, position: n }]);
  }
  const sizes = Array.from(table.sorted(), ({ length }) => length / 4);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(32_000);
});

/** Asks for facts at places of a log of these lines. */
function factsIn(lines: readonly string[], places: readonly number[]): unknown[] {
  const name = path.join(folder, 'steps.jsonl');
  fs.writeFileSync(name, lines.join(''));
  const fd = fs.openSync(name, 'r');
  const sizeBytes = fs.fstatSync(fd).size;
  try {
    return factsAt(new LogView(realFileSystem, [{ fd, at: 0, position: 0, sizeBytes }]), places, 'id', 'A');
  } finally {
    fs.closeSync(fd);
  }
}

function startsOf(lines: readonly string[]): number[] {
  let position = 0;
  return lines.map((line) => (position += Buffer.byteLength(line)) - Buffer.byteLength(line));
}

it('a fact that two entries name is read once', () => {
  const lines = [1, 2].map((step) => renderFact({ id: 'A', step }, 'id', step));
  const [, second = 0] = startsOf(lines);
  expect(factsIn(lines, [second, 0, second, 3, 10_000])).toEqual([1, 2].map((step) => ({ id: 'A', step })));
});

it('facts side by side are what each line says, whatever lies between them', () => {
  // Their texts look like the beginning of a line, or are longer than what is read at a time.
  const texts = ['{"seq":1,', 'é\u2028\n{"seq":7,', 'x'.repeat(700), 'y'.repeat(70_000), ''];
  const facts = Array.from({ length: 400 }, (_, n) => ({
    id: n % 50 < 40 ? 'A' : 'B',
    text: texts[n % 7] ?? n,
  }));
  const lines = facts.map((fact, n) => renderFact(fact, 'id', n));
  const ofA = facts.filter(({ id }) => id === 'A');
  expect(factsIn(lines, startsOf(lines))).toEqual(ofA);
  expect(
    factsIn(
      lines,
      startsOf(lines).filter((_, n) => facts[n]?.id === 'A'),
    ),
  ).toEqual(ofA);
});

it.each([
  ['is cut off', '{"seq":2,"id":"A","te'],
  ['has no number', '{"id":"A","text":2}'],
  ['holds two', '{"seq":2,"id":"A","text":2},{"id":"A","text":9}'],
  ['goes on in the next', '{"seq":2,"id":"A","text":[2,'],
])('a line that %s is no fact, and hides none beside it', (_, damaged) => {
  const lines = [1, 2, 3, 4].map((text) => renderFact({ id: 'A', text }, 'id', text));
  lines[1] = `${damaged}\n`;
  expect(factsIn(lines, startsOf(lines))).toEqual([1, 3, 4].map((text) => ({ id: 'A', text })));
});
