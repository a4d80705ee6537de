import { describe, expect, it } from 'vitest';
import type { KnownVersion } from '../../../src/adapters/files/edits/known-version.ts';
import { mergeHandEdit } from '../../../src/adapters/files/edits/hand-edits.ts';
import { parseTable } from '../../../src/adapters/files/csv/parse.ts';
import { INVENTORY, type CsvTable } from '../../../src/adapters/files/tables/columns.ts';
import type { Item } from '../../../src/domain/tables.ts';

/*
 * A user saves twice from one editor that loaded the file before sales: the second save is a difference to the first,
 * also where the first could not be done whole.
 */

const NOW = 1_800_000_000_000;

function table(rows: Readonly<Record<string, number>>): CsvTable<Item> {
  const lines = Object.entries(rows).map(([item, quantity]) => `${item},${quantity}\n`);
  return parseTable(INVENTORY, Buffer.from(`item,quantity\n${lines.join('')}`), 'inventory.csv');
}

function undo(from: CsvTable<Item>, to: CsvTable<Item>): Map<string, Item | null> {
  const names = new Set([...from.rows.keys(), ...to.rows.keys()]);
  return new Map([...names].map((name) => [name, to.rows.get(name) ?? null]));
}

/** What is in force after both saves; `set_aside` where the second one is. */
function saveTwice(saves: {
  loaded: Record<string, number>;
  sold: Record<string, number>;
  first: Record<string, number>;
  second: Record<string, number>;
}): Record<string, number> | 'set_aside' {
  const [loaded, current, first] = [table(saves.loaded), table(saves.sold), table(saves.first)];
  const base: KnownVersion<Item> = {
    undo: undo(current, loaded),
    at: NOW - 60_000,
    unread: false,
    hand: null,
  };
  const clues = { nowMs: NOW, savedMs: NOW, isEnded: true, isComplete: true };
  const edit = mergeHandEdit(first, current, [base], clues);
  if (edit.kind === 'set_aside') throw new Error('the first save is clear');
  const after = applied(current, edit.edits);
  const own: KnownVersion<Item> = {
    undo: undo(after, first),
    at: NOW,
    unread: false,
    hand: { back: 1, savedMs: NOW, owed: edit.owed },
  };
  const later = { ...clues, nowMs: NOW + 5_000, savedMs: NOW + 5_000 };
  const again = mergeHandEdit(
    table(saves.second),
    after,
    [own, { ...base, undo: undo(first, loaded) }],
    later,
  );
  if (again.kind === 'set_aside') return 'set_aside';
  const rows = [...applied(after, again.edits).rows];
  return Object.fromEntries(rows.map(([name, { quantity }]) => [name, quantity]));
}

function applied(to: CsvTable<Item>, edits: Iterable<{ name: string; after: Item | null }>): CsvTable<Item> {
  const rows = new Map(to.rows);
  for (const { name, after } of edits) {
    if (after === null) rows.delete(name);
    else rows.set(name, after);
  }
  return { ...to, rows };
}

const loaded = { book: 100, pen: 50, cup: 7 };

describe('a second save from one editor', () => {
  it('undoes a quantity that was too low: what was sold stays sold', () => {
    const sold = { ...loaded, book: 3 };
    const first = { ...loaded, book: 50 };
    expect(saveTwice({ loaded, sold, first, second: loaded })).toEqual({ ...sold });
  });

  it('types on from a quantity that was too low', () => {
    const sold = { ...loaded, book: 40 };
    const [first, second] = [
      { ...loaded, book: 15 },
      { ...loaded, book: 150 },
    ];
    expect(saveTwice({ loaded, sold, first, second })).toEqual({ ...loaded, book: 90 });
  });

  it('puts back a row that it deleted: with what was there, not with what was loaded', () => {
    const first = { pen: 50, cup: 7 };
    expect(saveTwice({ loaded, sold: { ...loaded, book: 30 }, first, second: loaded })).toEqual({
      ...first,
      book: 30,
    });
  });

  it('is kept aside when a deleted row comes back beside another change', () => {
    const first = { pen: 50, cup: 7 };
    const second = { ...loaded, pen: 60 };
    expect(saveTwice({ loaded, sold: { ...loaded, book: 30 }, first, second })).toBe('set_aside');
  });
});
