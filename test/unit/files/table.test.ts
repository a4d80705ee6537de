import fc from 'fast-check';
import { expect, it } from 'vitest';
import { INVENTORY, USERS } from '../../../src/adapters/files/tables/columns.ts';
import { Table } from '../../../src/adapters/files/tables/table.ts';
import type { Item } from '../../../src/domain/tables.ts';
import { tries } from '../../support/effort.ts';

/*
 * A table held against the plainest one there is: a map of rows, copied whenever something is to be remembered.
 */

const NAMES = ['a', 'b', 'c', 'd', 'e'] as const;
const name = fc.constantFrom(...NAMES);
const item = fc.record({
  quantity: fc.nat(9),
  price: fc.constantFrom(null, '1.00'),
  extra: fc.constantFrom({}, { shelf: 'x' }, JSON.parse('{"__proto__":"y"}') as Record<string, string>),
});

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('sell' as const), name, quantity: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), name, item }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), name }) },
  fc.record({ kind: fc.constant('order' as const), names: fc.shuffledSubarray([...NAMES]) }),
  fc.record({ kind: fc.constant('version' as const), remembered: fc.subarray([...NAMES]) }),
  fc.record({ kind: fc.constant('freeze' as const) }),
  fc.record({ kind: fc.constant('render' as const) }),
);

type Rows = ReadonlyMap<string, Item>;
const NOTHING = new Map<string, Item | null>();

/** Rows as they were, by what is remembered of them. */
function undone(rows: Rows, undo: Iterable<[string, Item | null]>): Map<string, Item> {
  const before = new Map(rows);
  for (const [key, row] of undo) {
    if (row === null) before.delete(key);
    else before.set(key, row);
  }
  return before;
}

it('holds rows in order, and knows what they were when the file was written and when rendering began', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 40, size: 'max' }), (steps) => {
      const table = new Table(INVENTORY);
      let rows = new Map<string, Item>();
      /** What the file says; undefined: there is none. */
      let file: Rows | undefined;
      let rendered: Rows | undefined;
      const frozen: { was: Rows; file: Rows | undefined; now: ReturnType<Table<Item>['frozen']> }[] = [];
      for (const what of steps) {
        if (what.kind === 'sell') {
          const [row, place] = [rows.get(what.name), table.rows.placeOf(what.name)];
          if (row !== undefined) rows.set(what.name, { ...row, quantity: what.quantity });
          if (place !== undefined) table.setValueAt(place, what.quantity);
        } else if (what.kind === 'set') {
          const row: Item = { item: what.name, name: null, reorderLevel: null, ...what.item };
          rows.set(what.name, row);
          table.set(what.name, row);
        } else if (what.kind === 'remove') {
          rows.delete(what.name);
          table.set(what.name, null);
        } else if (what.kind === 'order') {
          const names = new Set([...what.names, ...rows.keys()]);
          rows = new Map([...names].flatMap((key) => [...rows].filter(([found]) => found === key)));
          table.reorder(what.names);
        } else if (what.kind === 'version') {
          // A file that lacks some of the rows.
          table.versionIs({ sizeBytes: 1, crc32: 1 });
          for (const key of what.remembered) table.remember(key, null);
          file = undone(
            rows,
            what.remembered.map((key) => [key, null]),
          );
        } else if (what.kind === 'freeze') frozen.push({ was: new Map(rows), file, now: table.frozen() });
        else {
          if (rendered !== undefined) expect(undone(rows, table.endRender())).toEqual(rendered);
          table.beginRender();
          rendered = new Map(rows);
        }
        expect([...table.rows]).toEqual([...rows]);
        expect([...table.rows.values()]).toEqual([...rows.values()]);
        expect(table.rows.size).toBe(rows.size);
        if (file !== undefined) expect(undone(rows, table.undo())).toEqual(file);
        if (file === undefined) expect(table.undo()).toEqual(NOTHING);
      }
      for (const { was, file: then, now } of frozen) {
        expect([...now.rows.values()]).toEqual([...was.values()]);
        if (then !== undefined) expect(undone(was, now.undo)).toEqual(then);
      }
    }),
    { numRuns: tries(500, 150) },
  );
});

it('is behind its file when a row differs from it, or when there is none yet', () => {
  const table = new Table(USERS);
  expect(table.isBehind).toBe(false);
  table.set('alice', { user: 'alice', status: 'paid', extra: {} });
  expect(table.isBehind).toBe(true);
  table.versionIs({ sizeBytes: 1, crc32: 1 });
  expect(table.isBehind).toBe(false);
  table.set('alice', { user: 'alice', status: 'unpaid', extra: {} });
  expect(table.isBehind).toBe(true);
  expect(table.rows.get('alice')).toEqual({ user: 'alice', status: 'unpaid', extra: {} });
});
