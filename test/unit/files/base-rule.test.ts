import { describe, expect, it } from 'vitest';
import { chooseBase, type FileClues } from '../../../src/adapters/files/edits/base-rule.ts';
import type { HandSave, Undo } from '../../../src/adapters/files/edits/known-version.ts';
import { parseTable } from '../../../src/adapters/files/csv/parse.ts';
import { INVENTORY, type CsvTable } from '../../../src/adapters/files/tables/columns.ts';
import { sameRow } from '../../../src/adapters/files/edits/merge-rows.ts';
import type { Item } from '../../../src/domain/tables.ts';

/* Each clause of the rule, in the smallest table that shows it. */

const NOW = 1_800_000_000_000;
const MINUTE = 60_000;

interface Version {
  readonly rows: string;
  readonly minutesAgo: number;
  readonly read?: boolean;
  /** How many versions before it its base is. */
  readonly savedFrom?: number;
}

/** `a,1 b,2` */
const table = (rows: string): CsvTable<Item> =>
  parseTable(
    INVENTORY,
    Buffer.from(`item,quantity\n${rows.split(' ').filter(Boolean).join('\n')}\n`),
    'inventory.csv',
  );

function undoOf(newer: CsvTable<Item>, older: CsvTable<Item>): Undo<Item> {
  const names = new Set([...newer.rows.keys(), ...older.rows.keys()]);
  return new Map(
    [...names].flatMap((name) => {
      const [is, was] = [newer.rows.get(name) ?? null, older.rows.get(name) ?? null];
      return sameRow(is, was) ? [] : [[name, was] as const];
    }),
  );
}

/** @param versions newest first, the newest as it is in force @returns the place of the base, or why there is none */
function baseOf(file: string, versions: readonly Version[], clues: Partial<FileClues> = {}): number | string {
  const tables = versions.map(({ rows }) => table(rows));
  const [current = table('')] = tables;
  const known = versions.map(({ minutesAgo, read = true, savedFrom }, index) => {
    const at = NOW - minutesAgo * MINUTE;
    const hand: HandSave | null = savedFrom === undefined ? null : { back: savedFrom, savedMs: at };
    const undo = undoOf(tables[index - 1] ?? current, tables[index] ?? current);
    return { undo, at, unread: !read && hand === null, hand };
  });
  const all = { nowMs: NOW, savedMs: NOW, isEnded: true, isComplete: true, ...clues };
  const choice = chooseBase(table(file), current, known, all);
  return choice.kind === 'base' ? choice.index : choice.why;
}

describe('the base of a hand edit', () => {
  it('is the version with the most cells left alone, not that with the fewest rows changed', () => {
    const versions = [
      { rows: 'a,900 b,1000 c,1000 d,5 e,5', minutesAgo: 1 },
      { rows: 'a,1000 b,1000 c,1000', minutesAgo: 20 },
    ];
    // Two rows deleted, against one number changed.
    expect(baseOf('a,900 b,1000 c,1000', versions)).toBe(0);
  });

  it('is one that somebody has read, where others fit as well', () => {
    const versions = [
      { rows: 'a,7 b,50', minutesAgo: 1, read: false },
      { rows: 'a,8 b,50', minutesAgo: 2, read: false },
      { rows: 'a,9 b,50', minutesAgo: 3 },
    ];
    expect(baseOf('a,29 b,50', versions)).toBe(2);
    expect(
      baseOf(
        'a,29 b,50',
        versions.map((version) => ({ ...version, read: true })),
      ),
    ).toBe('ambiguous');
  });

  it('is one that nobody seems to have read only when it fits far better', () => {
    const rows = 'a,9 b,8 c,7 d,6 e,5 f,4';
    const versions = [
      { rows, minutesAgo: 1, read: false },
      { rows: 'a,1 b,2 c,3 d,4 e,5 f,4', minutesAgo: 30 },
    ];
    expect(baseOf(rows.replace('f,4', 'f,9'), versions)).toBe(0);
    const near = [versions[0] as Version, { rows: 'a,1 b,2 c,7 d,6 e,5 f,4', minutesAgo: 30 }];
    expect(baseOf(rows.replace('f,4', 'f,9'), near)).toBe('ambiguous');
  });

  it('does not matter where every merge comes to the same', () => {
    const versions = [
      { rows: 'a,7 b,50', minutesAgo: 1 },
      { rows: 'a,8 b,50', minutesAgo: 2 },
    ];
    expect(baseOf('a,7 b,60', versions)).toBe(0);
    expect(baseOf('a,7 b,50 c,1', versions)).toBe(0);
    // A row that is gone by now, and that the file does not have.
    const before = { rows: 'a,7 b,50 z,1', minutesAgo: 2 };
    expect(baseOf('a,7 b,60', [versions[0] as Version, before])).toBe(0);
  });

  it('is not one that fits worse by a quarter of the cells in which the two differ', () => {
    const best = { rows: 'a,1 b,1 c,1 d,1 e,1 f,1 g,1 h,1', minutesAgo: 1 };
    const other = { rows: 'a,2 b,2 c,2 d,2 e,2 f,2 g,2 h,2', minutesAgo: 2 };
    // Two of eight cells tell them apart, then one.
    expect(baseOf('a,1 b,1 c,30 d,40 e,50 f,60 g,70 h,80', [best, other])).toBe(0);
    expect(baseOf('a,1 b,20 c,30 d,40 e,50 f,60 g,70 h,80', [best, other])).toBe('ambiguous');
  });

  it('of those that fit alike is the own save of the last half hour, unless a newer one fits too', () => {
    const save = { rows: 'a,8 b,50', minutesAgo: 5, savedFrom: 1 };
    const before = { rows: 'a,9 b,50', minutesAgo: 30 };
    const sold = { rows: 'a,7 b,50', minutesAgo: 1 };
    expect(baseOf('a,29 b,50', [save, before])).toBe(0);
    expect(baseOf('a,29 b,50', [{ ...sold, read: false }, save, before])).toBe(1);
    expect(baseOf('a,29 b,50', [sold, save, before])).toBe('ambiguous');
    expect(baseOf('a,29 b,50', [{ ...sold, read: false }, { ...save, minutesAgo: 31 }, before])).toBe(1);
    const short = { ...before, minutesAgo: 40 };
    expect(
      baseOf('a,29 b,50', [{ ...sold, minutesAgo: 31, read: false }, { ...save, minutesAgo: 32 }, short]),
    ).toBe('ambiguous');
  });

  it('of those that fit alike is the newest, once that has stood for ten minutes', () => {
    const older = { rows: 'a,9 b,50', minutesAgo: 60 };
    expect(baseOf('a,29 b,50', [{ rows: 'a,8 b,50', minutesAgo: 10 }, older])).toBe(0);
    expect(baseOf('a,29 b,50', [{ rows: 'a,8 b,50', minutesAgo: 9 }, older])).toBe('ambiguous');
  });

  it('is the own last save when the file is what that was made from: it was taken back', () => {
    const versions = [
      { rows: 'a,60 b,50', minutesAgo: 5, savedFrom: 1 },
      { rows: 'a,10 b,50', minutesAgo: 20 },
    ];
    expect(baseOf('a,10 b,50', versions)).toBe(0);
    expect(baseOf('a,10 b,50', versions, { savedMs: NOW - 6 * MINUTE })).toBe(1);
    const later = versions.map((version) => ({ ...version, minutesAgo: version.minutesAgo + 26 }));
    expect(baseOf('a,10 b,50', later)).toBe(1);
  });

  it('is a version that came after the own save, where that says the same as what the save was made from', () => {
    const versions = [
      { rows: 'a,48 b,50', minutesAgo: 1 },
      { rows: 'a,50 b,50', minutesAgo: 4 },
      { rows: 'a,53 b,50', minutesAgo: 5, savedFrom: 1 },
      { rows: 'a,50 b,50', minutesAgo: 20 },
    ];
    expect(baseOf('a,50 b,50', versions)).toBe(1);
    // Only what nobody has read cannot be what was saved again, and then nobody can tell.
    const unread = versions.map((version, at) => ({ ...version, read: at !== 1 }));
    expect(baseOf('a,50 b,50', unread)).toBe('ambiguous');
  });

  it('is found by the same number added to all', () => {
    const versions = [
      { rows: 'a,3 b,2 c,17 d,4', minutesAgo: 1 },
      { rows: 'a,7 b,9 c,18 d,4', minutesAgo: 2 },
      { rows: 'a,8 b,9 c,28 d,6', minutesAgo: 3 },
    ];
    // The newest has one cell in common with it by chance.
    expect(baseOf('a,17 b,19 c,28 d,14', versions)).toBe(1);
  });

  it('may be forgotten: then nothing is concluded', () => {
    const versions = [
      { rows: 'a,8 b,50', minutesAgo: 15 },
      { rows: 'a,9 b,50', minutesAgo: 60 },
    ];
    expect(baseOf('a,29 b,50', versions, { isComplete: false })).toBe('forgotten');
    // What is clearly behind is older than the base, and nobody keeps a file open for more than a day.
    expect(baseOf('a,8 b,60', versions, { isComplete: false })).toBe(0);
    const old = versions.map((version) => ({ ...version, minutesAgo: version.minutesAgo + 24 * 60 }));
    expect(baseOf('a,29 b,50', old, { isComplete: false })).toBe(0);
  });
});

describe('a file from which much is missing', () => {
  const versions = [{ rows: 'a,10 b,20 c,30 d,40', minutesAgo: 30 }];
  const notEnded = { isEnded: false };

  it('is set aside when that is more than half', () => {
    expect(baseOf('a,10 b,20', versions)).toBe(0);
    expect(baseOf('c,30', versions)).toBe('rows_missing');
    expect(baseOf('', versions)).toBe('rows_missing');
    expect(baseOf('a,10', versions, notEnded)).toBe('rows_missing');
    // Many new rows do not make up for them.
    expect(baseOf('a,10 x,1', versions)).toBe('rows_missing');
  });

  it('is set aside when it is the end, and the last line is not ended', () => {
    expect(baseOf('a,10 b,20 c,30', versions, notEnded)).toBe('half_saved');
    expect(baseOf('a,10 b,20 c,3', versions, notEnded)).toBe('half_saved');
    expect(baseOf('a,10 b,20 c,30 d,4', versions, notEnded)).toBe('half_saved');
    expect(baseOf('a,10 b,20 c,30', versions)).toBe(0);
    expect(baseOf('a,10 c,30 d,40', versions, notEnded)).toBe(0);
    expect(baseOf('a,10 b,20 c,30 d,50', versions, notEnded)).toBe(0);
    expect(baseOf('a,10 b,20 c,30 d,40 e,5', versions, notEnded)).toBe(0);
  });
});
