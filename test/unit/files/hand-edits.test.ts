import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTable } from '../../../src/adapters/files/csv/parse.ts';
import { INVENTORY, USERS, type CsvTable } from '../../../src/adapters/files/tables/columns.ts';
import { renderTable } from '../../../src/adapters/files/csv/render.ts';
import type { FileClues } from '../../../src/adapters/files/edits/base-rule.ts';
import type { KnownVersion, Undo } from '../../../src/adapters/files/edits/known-version.ts';
import {
  mergeFrom,
  mergeHandEdit,
  NamedChanges,
  type HandEdit,
} from '../../../src/adapters/files/edits/hand-edits.ts';
import { sameRow } from '../../../src/adapters/files/edits/merge-rows.ts';
import { encodeRead, encodeVersion, readVersions } from '../../../src/adapters/files/csv/versions.ts';
import { fingerprintFile } from '../../../src/adapters/files/tables/fingerprint.ts';
import { Failure } from '../../../src/domain/failure.ts';
import type { Item, User } from '../../../src/domain/tables.ts';
import { tries } from '../../support/effort.ts';

type Table = CsvTable<Item>;
const items = (text: string): Table => parseTable(INVENTORY, Buffer.from(text), 'inventory.csv');
const users = (text: string): CsvTable<User> => parseTable(USERS, Buffer.from(text), 'users.csv');

/** From `newer` to `older`. */
function undoOf<Row extends User | Item>(newer: CsvTable<Row>, older: CsvTable<Row>): Undo<Row> {
  const names = new Set([...newer.rows.keys(), ...older.rows.keys()]);
  const undo = new Map<string, Row | null>();
  for (const name of names) {
    const [row, was] = [newer.rows.get(name) ?? null, older.rows.get(name) ?? null];
    if (!sameRow(row, was)) undo.set(name, was);
  }
  return undo;
}

/** What the store makes of a merge, as text. */
function applied(current: Table, edit: HandEdit<Item>): string {
  if (edit.kind === 'set_aside') return 'set aside';
  const rows = new Map(current.rows);
  for (const { name, before, after } of edit.edits) {
    expect(rows.get(name) ?? null).toEqual(before);
    if (after === null) rows.delete(name);
    else rows.set(name, after);
  }
  const ordered = new Map((edit.order ?? [...rows.keys()]).map((name) => [name, rows.get(name)]));
  expect([...ordered.keys()].sort()).toEqual([...rows.keys()].sort());
  const table = { kind: INVENTORY, columns: edit.columns, rows: ordered as Map<string, Item> };
  return Buffer.concat([...renderTable(table)]).toString();
}

const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const CLUES: FileClues = { nowMs: NOW, savedMs: NOW, isEnded: true, isComplete: true };

/** Each stood for an hour, and was read. @param undos newest first */
function known<Row extends User | Item>(...undos: Undo<Row>[]): KnownVersion<Row>[] {
  return undos.map((undo, at) => ({ undo, at: NOW - (at + 1) * HOUR, unread: false, hand: null }));
}

/** Versions from the oldest to the current one; the file is an edit of one of them. */
function merged(file: string, ...versions: string[]): string {
  const tables = versions.map(items);
  const current = tables[tables.length - 1] ?? items('item,quantity\n');
  const undos = tables.slice(0, -1).map((older, at) => undoOf(tables[at + 1] ?? current, older));
  return applied(current, mergeHandEdit(items(file), current, known(...undos.reverse()), CLUES));
}

const START = 'item,quantity\nbook,10\npen,50\nnotebook,20\n';

describe('a hand edit', () => {
  it('counts a quantity as the difference to the version it was made from, and undoes no sale', () => {
    const sold = 'item,quantity\nbook,7\npen,49\nnotebook,20\n';
    expect(merged('item,quantity\nbook,30\npen,50\nnotebook,20\n', START, sold)).toBe(
      'item,quantity\nbook,27\npen,49\nnotebook,20\n',
    );
    const more = 'item,quantity\nbook,4\npen,48\nnotebook,9\n';
    expect(merged('item,quantity\nbook,10\npen,60\nnotebook,20\n', START, sold, more)).toBe(
      'item,quantity\nbook,4\npen,58\nnotebook,9\n',
    );
  });

  it('removes what the file lacks, adds what is new where it stands, and follows a new order', () => {
    const now = 'item,quantity\nbook,9\npen,50\nnotebook,20\nlamp,3\n';
    expect(merged('item,quantity\nnotebook,20\ncup,4\nbook,10\n', START, now)).toBe(
      'item,quantity\nnotebook,20\nlamp,3\ncup,4\nbook,9\n',
    );
  });

  it('lets the file win where a command has added the same row, or removed a row that the file changes', () => {
    const now = 'item,quantity\nbook,10\nnotebook,20\ncup,9\n';
    expect(merged('item,quantity\nbook,10\npen,51\nnotebook,20\ncup,4\n', START, now)).toBe(
      'item,quantity\nbook,10\npen,51\nnotebook,20\ncup,4\n',
    );
    expect(merged(START, START, now)).toBe(now);
  });

  it('stops at zero and says what it would have been', () => {
    const current = items('item,quantity\nbook,2\npen,50\nnotebook,20\n');
    const edit = mergeHandEdit(
      items('item,quantity\nbook,5\npen,50\nnotebook,20\n'),
      current,
      known(undoOf(current, items(START))),
      CLUES,
    );
    expect(edit).toMatchObject({ kind: 'merged', clamped: [{ item: 'book', wanted: -3 }] });
    expect(applied(current, edit)).toContain('book,0\n');
  });

  it('raises stock that stores took below zero, keeps it, and takes it no lower', () => {
    const start = 'item,quantity,price\nbook,-3,1.00\npen,50,\nink,20,\n';
    const now = 'item,quantity,price\nbook,-5,1.00\npen,50,\nink,20,\n';
    const saved = (row: string) => merged(`item,quantity,price\n${row}\npen,50,\nink,20,\n`, start, now);
    expect(saved('book,7,1.00')).toContain('book,5,1.00\n');
    expect(saved('book,-3,2.00')).toContain('book,-5,2.00\n');
    expect(saved('book,-4,1.00')).toContain('book,-5,1.00\n');
    const edit = mergeFrom(
      items('item,quantity\nbook,-4\nnew,-1\n'),
      items('item,quantity\nbook,-5\n'),
      (name) =>
        name === 'book'
          ? { item: 'book', quantity: -3, name: null, price: null, reorderLevel: null, extra: {} }
          : null,
    );
    expect(edit.clamped).toEqual([
      { item: 'book', wanted: -6, left: -5 },
      { item: 'new', wanted: -1, left: 0 },
    ]);
    expect(edit.owed).toEqual(
      new Map([
        ['book', 1],
        ['new', 1],
      ]),
    );
  });

  it('keeps columns and cells that others changed meanwhile, and takes over those of the file', () => {
    const start = 'item,quantity,price,shelf\nbook,10,1.00,a\npen,5,2.00,b\n';
    const now = 'item,quantity,price,shelf\nbook,8,3.00,a\npen,5,2.00,c\n';
    expect(merged('item,quantity,price,shelf\nbook,10,1.00,z\npen,5,2.50,b\n', start, now)).toBe(
      'item,quantity,price,shelf\nbook,8,3.00,z\npen,5,2.50,c\n',
    );
  });

  it('finds its base also when it adds or drops a column', () => {
    const sold = 'item,quantity\nbook,7\npen,49\nnotebook,20\n';
    expect(
      merged(
        'item,quantity,price,note\nbook,10,2.50,x\npen,50,1.00,y\nnotebook,20,3.00,z\n',
        START,
        sold,
        sold,
      ),
    ).toBe('item,quantity,price,note\nbook,7,2.50,x\npen,49,1.00,y\nnotebook,20,3.00,z\n');
    const start = 'item,quantity,shelf\nbook,10,a\npen,50,b\n';
    const now = 'item,quantity,shelf\nbook,6,a\npen,49,b\n';
    expect(merged('item,quantity\nbook,10\npen,50\n', start, now, now)).toBe(
      'item,quantity\nbook,6\npen,49\n',
    );
  });

  it('is set aside when the file is a stranger, but not when rows are pasted into a short table', () => {
    const stranger = items('item,quantity\na,1\nb,2\nc,3\nbook,10\n');
    const versions = known<Item>(new Map(), new Map());
    expect(mergeHandEdit(stranger, items(START), versions, CLUES)).toEqual({
      kind: 'set_aside',
      why: 'stranger',
    });
    expect(
      merged(
        'item,quantity\nbook,10\na,1\nb,2\nc,3\n',
        'item,quantity\nbook,10\n',
        'item,quantity\nbook,9\n',
      ),
    ).toBe('item,quantity\nbook,9\na,1\nb,2\nc,3\n');
    // An empty version of long ago relates nothing.
    expect(merged('item,quantity\na,1\nb,2\n', 'item,quantity\n', START, START)).toBe('set aside');
  });

  it('adds everything when no version is known', () => {
    const current = items('item,quantity\nbook,1\nlamp,2\n');
    expect(applied(current, mergeHandEdit(items(START), current, [], CLUES))).toBe(
      'item,quantity\nbook,10\nlamp,2\npen,50\nnotebook,20\n',
    );
  });

  it('keeps each cell that was changed meanwhile: level, price, name, column', () => {
    const header = 'item,quantity,name,price,reorder_level,shelf\n';
    const start = `${header}book,10,Book,1.00,3,a\npen,50,Pen,2.00,5,b\n`;
    const now = `${header}book,9,Buch,1.10,4,c\npen,50,Pen,2.00,5,b\n`;
    const [book, pen] = ['book,10,Book,1.00,3,a\n', 'pen,50,Pen,2.00,5,b\n'];
    const edits: [string, string][] = [
      ['book,10,Book,1.00,8,a\n', 'book,9,Buch,1.10,8,c\n'],
      ['book,10,Book,7.00,3,a\n', 'book,9,Buch,7.00,4,c\n'],
      ['book,10,"B ""1"", x\ry",1.00,3,a\n', 'book,9,"B ""1"", x\ry",1.10,4,c\n'],
      ['book,10,"x\ry",1.00,3,a\n', 'book,9,"x\ry",1.10,4,c\n'],
      ['book,10,Book,1.00,3,z\n', 'book,9,Buch,1.10,4,z\n'],
      ['book,10,,1.00,,a\n', 'book,9,,1.10,,c\n'],
    ];
    for (const [saved, expected] of edits) {
      expect(merged(`${header}${saved}${pen}`, start, now)).toBe(`${header}${expected}${pen}`);
    }
    expect(merged(`${header}${book}pen,50,Pen,2.00,6,b\n`, start, now)).toBe(
      `${header}book,9,Buch,1.10,4,c\npen,50,Pen,2.00,6,b\n`,
    );
  });

  it('changes a status and keeps one that was changed meanwhile', () => {
    const before = users('user,status\nalice,paid\nbob,unpaid\n');
    const now = users('user,status\nalice,paid\nbob,paid\n');
    const file = users('user,status\nalice,unpaid\nbob,unpaid\n');
    const edit = mergeHandEdit(file, now, known(undoOf(now, before)), CLUES);
    expect(edit).toMatchObject({
      edits: [{ name: 'alice', before: { status: 'paid' }, after: { status: 'unpaid' } }],
    });
  });
});

describe('any hand edit of any known version', () => {
  const name = fc.integer({ min: 0, max: 11 }).map((n) => `i${n}`);
  const quantities = fc.dictionary(name, fc.integer({ min: 1_000, max: 2_000 }), { minKeys: 4 });
  const sale = fc.array(fc.tuple(name, fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 4 });
  const change = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), name, quantity: fc.integer({ min: 500, max: 3_000 }) }),
    fc.record({ kind: fc.constant('remove' as const), name }),
    fc.record({
      kind: fc.constant('add' as const),
      name: fc.integer({ min: 20, max: 25 }).map((n) => `i${n}`),
    }),
  );

  const toTable = (rows: Map<string, number>): Table =>
    items(`item,quantity\n${[...rows].map(([item, quantity]) => `${item},${quantity}\n`).join('')}`);

  it('changes the current table by its difference to a version that fits best, or is set aside', () => {
    fc.assert(
      fc.property(
        quantities,
        fc.array(sale, { maxLength: 6 }),
        fc.array(change, { maxLength: 3 }),
        fc.nat(),
        (start, sales, changes, pick) => {
          const versions = [new Map(Object.entries(start))];
          for (const sold of sales) {
            const next = new Map(versions[0]);
            for (const [item, count] of sold) {
              const had = next.get(item);
              if (had !== undefined) next.set(item, had - count);
            }
            versions.unshift(next);
          }
          const file = new Map(versions[pick % versions.length]);
          for (const each of changes) {
            if (each.kind === 'remove') file.delete(each.name);
            else if (each.kind === 'add') file.set(each.name, 7);
            else if (file.has(each.name)) file.set(each.name, each.quantity);
          }
          const scoreOf = (base: Map<string, number>): number => {
            const changes = [...file].flatMap(([item, is]) => {
              const was = base.get(item);
              return was === undefined ? [] : [is - was];
            });
            const equal = changes.filter((by) => by === 0).length;
            // The same number added to most of the rows is one change.
            const alike = Math.max(
              0,
              ...changes.map((by) => (by === 0 ? 0 : changes.filter((other) => other === by).length)),
            );
            return equal + (alike >= Math.max(3, file.size / 2) ? alike - 1 : 0);
          };
          const [current = new Map<string, number>(), ...older] = versions;
          const bases = older.length === 0 ? [current] : older;
          const tables = [current, ...bases].map(toTable);
          const undos = tables.slice(1).map((each, at) => undoOf(tables[at] ?? each, each));
          const edit = mergeHandEdit(toTable(file), tables[0] ?? toTable(current), known(...undos), CLUES);
          const missing = [...current.keys()].filter((item) => !file.has(item)).length;
          const shared = current.size - missing;
          if (shared * 2 < Math.min(file.size, current.size) || missing * 2 > current.size) {
            expect(edit.kind).toBe('set_aside');
            return;
          }
          if (edit.kind === 'set_aside') {
            expect(edit.why).toBe('ambiguous');
            return;
          }
          const base = bases[edit.base ?? -1] ?? new Map<string, number>();
          expect(scoreOf(base)).toBe(Math.max(...bases.map(scoreOf)));

          const expected = new Map<string, number>();
          for (const [item, quantity] of current) if (file.has(item)) expected.set(item, quantity);
          for (const [item, quantity] of file) {
            const was = base.get(item);
            expected.set(item, was === undefined ? quantity : (current.get(item) ?? 0) + quantity - was);
          }

          const text = applied(tables[0] ?? toTable(current), edit);
          const got = new Map([...items(text).rows].map(([item, row]) => [item, row.quantity]));
          expect(new Map([...got].sort())).toEqual(new Map([...expected].sort()));
          expect([...got.keys()]).toEqual([...file.keys()]);
        },
      ),
      { numRuns: tries(1_000, 300) },
    );
  });
});

describe('the log of versions', () => {
  const first = items('item,quantity,name,price,reorder_level,x\nbook,10,"A ""b""",1.00,3,é\npen,5,,,,\n');
  const second = items('item,quantity\nbook,8\nlamp,1\n');

  it('gives back what was written, newest first, and reads no further than it has to', () => {
    const fingerprints = ['a', 'bb'].map((text) => fingerprintFile(Buffer.from(text)));
    const [one, two] = fingerprints;
    if (one === undefined || two === undefined) throw new Error('unreachable');
    const undo = undoOf(second, first);
    const lines = [
      Buffer.concat(
        encodeVersion({ fingerprint: one, undo: new Map(), at: 7, hand: null, isFormerUnread: false }),
      ),
      Buffer.concat(
        encodeVersion({
          fingerprint: two,
          undo,
          at: 8,
          isFormerUnread: true,
          hand: { back: 1, savedMs: 7.5 },
        }),
      ),
    ];
    const bytes = Buffer.concat([...lines, Buffer.from('[1,2,[["half')]);
    const log = (sizeBytes: number) => ({
      sizeBytes,
      read: (into: Uint8Array, position: number) => bytes.copy(into, 0, position, sizeBytes),
    });
    const sizeBytes = lines.reduce((sum, line) => sum + line.length, 0);
    const newest = { fingerprint: two, undo, at: 8, unread: false, hand: { back: 1, savedMs: 7.5 } };
    const oldest = { fingerprint: one, undo: new Map(), at: 7, unread: true, hand: null };
    expect(readVersions<Item>(log(sizeBytes))).toEqual({ versions: [newest, oldest], isComplete: true });
    expect(readVersions<Item>(log(0))).toEqual({ versions: [], isComplete: false });
    // Read after all, at the last moment.
    const read = Buffer.concat([...lines, ...encodeRead(one)]);
    const readLog = {
      sizeBytes: read.length,
      read: (into: Uint8Array, at: number) => read.copy(into, 0, at),
    };
    expect(readVersions<Item>(readLog).versions).toEqual([newest, { ...oldest, unread: false }]);
    // Without what was before it, and as an older program has written it.
    const later = Buffer.concat(lines.slice(1));
    const laterLog = {
      sizeBytes: later.length,
      read: (into: Uint8Array, at: number) => later.copy(into, 0, at),
    };
    expect(readVersions<Item>(laterLog).isComplete).toBe(false);
    const old = Buffer.from('[3,4,[["book",8]]]\n');
    const oldLog = { sizeBytes: old.length, read: (into: Uint8Array, at: number) => old.copy(into, 0, at) };
    expect(readVersions<Item>(oldLog).versions).toMatchObject([{ at: 0, unread: false, hand: null }]);
    for (const wrong of [sizeBytes + 5, sizeBytes + 500]) {
      expect(() => readVersions<Item>(log(wrong))).toThrow(Failure);
    }
  });
});

it('of many changes the rows that were removed are named, however late they come', () => {
  const named = new NamedChanges();
  const edits = [
    ...['a', 'b', 'c', 'd'].map((name) => ({ name, before: {}, after: {} })),
    { name: 'new', before: null, after: {} },
    { name: 'gone', before: {}, after: null },
  ];
  expect([...named.of(edits)]).toEqual(edits);
  expect(named.first).toEqual([
    { name: 'gone', change: 'removed' },
    { name: 'a', change: 'changed' },
    { name: 'b', change: 'changed' },
  ]);
});
