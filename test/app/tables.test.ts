import { describe, expect, it } from 'vitest';
import { readEditLog, type EditedRow } from '../../src/app/tables/edit-log.ts';
import { planImport } from '../../src/app/tables/import-plan.ts';
import { undone } from '../../src/app/tables/undo.ts';
import type { LoggedEdit } from '../../src/domain/edit.ts';
import type { Movement } from '../../src/domain/movement.ts';
import type { Item, User } from '../../src/domain/tables.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

const item = (name: string, quantity: number, more: Partial<Item> = {}): Item => ({
  item: name,
  quantity,
  name: null,
  price: null,
  reorderLevel: null,
  extra: {},
  ...more,
});
const PEN = item('pen', 50, { price: '1.20', name: 'Pen', extra: { shelf: 'A' } });
const BOOK = item('book', 10);
const ALICE: User = { user: 'alice', status: 'paid', extra: {} };

describe('a list is laid over a table', () => {
  const plan = (lines: string[], replace = false, table: 'users' | 'inventory' = 'inventory') => {
    const [header = [], ...rows] = lines.map((line) => line.split(';'));
    const sheet = {
      file: 'list.csv',
      line: 1,
      header,
      hasDecimalComma: true,
      rows: rows.map((cells, at) => ({ line: at + 2, cells })),
    };
    const current = table === 'users' ? [ALICE] : [PEN, BOOK];
    return planImport(table, { columns: [], rows: current }, sheet, { replace });
  };

  it('by the columns that it has; the others stay', () => {
    const { rows, edits, unchanged } = plan(['ITEM;Price', 'book;12,5', 'pen;1.2']);
    expect(rows).toEqual([PEN, { ...BOOK, price: '12.50' }]);
    expect(edits).toHaveLength(1);
    expect(unchanged).toBe(1);
    expect(plan(['item;Reorder Level;quantity', 'pen;;7']).rows[0]).toEqual({ ...PEN, quantity: 7 });
    expect(plan(['item;name;price', 'pen;;']).rows[0]).toEqual({ ...PEN, name: null, price: null });
    expect(plan(['item;shelf;constructor', 'pen;B;x']).rows[0]?.extra).toEqual({
      shelf: 'B',
      constructor: 'x',
    });
  });

  it('adding rows, and removing those that it lacks only when it replaces all', () => {
    const list = ['item;quantity', 'cup;3', 'pen;50'];
    expect(plan(list).rows.map((row) => 'item' in row && row.item)).toEqual(['pen', 'book', 'cup']);
    const { rows, edits } = plan(list, true);
    expect(rows).toEqual([PEN, item('cup', 3)]);
    expect(edits.map(({ before, after }) => [before === null, after === null])).toEqual([
      [false, true],
      [true, false],
    ]);
  });

  it('of users too', () => {
    expect(plan(['User;Status', 'alice;UNPAID', 'bob;paid'], false, 'users').rows).toEqual([
      { ...ALICE, status: 'unpaid' },
      { user: 'bob', status: 'paid', extra: {} },
    ]);
    expect(() => plan(['user;status', 'alice;gone'], false, 'users')).toThrow(
      'list.csv:2: status of user alice',
    );
  });

  it('not at all where a row is wrong: all of them are named', () => {
    const lines = [
      'item;quantity;price',
      'cup;;1',
      'pen;-1;1',
      'book;1;x',
      'b ad;1;1',
      'pen;1;1',
      'pen;1;1',
      'pen;1;1;1',
      'jug;x;y',
      'c up;x;y',
    ];
    let message = '';
    try {
      plan(lines);
    } catch (error) {
      message = String(error);
    }
    expect([...message.matchAll(/list\.csv:(\d+)/g)].map(([, line]) => Number(line))).toEqual([
      2, 3, 4, 5, 7, 8,
      // Each cell of a row that is wrong.
      9, 9, 10, 10, 10,
    ]);
    expect(() => plan(['name;price', 'pen;1'])).toThrow('no column is called item');
    expect(() => plan(['item;Price;price', 'pen;1;1'])).toThrow('two columns are called price');
    expect(() => plan(['item;quantity'], true)).toThrow('no row');
  });
});

const logged = (before: Item | null, after: Item | null, more: Partial<LoggedEdit> = {}): LoggedEdit =>
  ({
    kind: 'item',
    item: (before ?? after)?.item,
    before,
    after,
    at: 1,
    by: 'me',
    via: 'command',
    ...more,
  }) as LoggedEdit;

async function log(...edits: LoggedEdit[]): Promise<readonly EditedRow[]> {
  const read = async function* () {
    yield edits;
  };
  const none = async function* () {
    yield* [];
  };
  return readEditLog({ edits: read, movements: none, history: none }, 'inventory');
}

it('the log of edits numbers what was changed together, and says what was sold in between', async () => {
  const rows = await log(
    logged(null, PEN, { via: 'import', copy: 'a' }),
    logged(null, BOOK, { via: 'import', copy: 'a' }),
    logged({ ...PEN, quantity: 43 }, { ...PEN, quantity: 60 }),
    logged(BOOK, { ...BOOK, quantity: 11 }),
    logged({ ...PEN, quantity: 58 }, null, { via: 'file' }),
    logged({ ...BOOK, quantity: 9 }, null, { via: 'file' }),
  );
  expect(rows.map(({ number, sold }) => [number, sold])).toEqual([
    [1, null],
    [1, null],
    [3, 7],
    [4, 0],
    [5, 2],
    [5, 2],
  ]);
});

it('the log of edits says what was delivered in between, and counts it into what was sold', async () => {
  const folder = new ModelFolder(new FakeClock());
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 10 });
  const move = async (item: string, delta: number, cause: Movement['cause']): Promise<void> => {
    await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
    await store.transact({ items: [item] }, () => ({
      changes: { movements: [{ item, delta, cause, orderId: null, eventId: `E${delta}` }] },
      result: null,
    }));
  };
  await move('pen', -4, 'sale');
  await move('pen', 20, 'restock');
  await folder.edit({ kind: 'item.add', item: 'ink', quantity: 1 });
  await move('pen', -3, 'reservation');
  await move('pen', 1, 'release');
  await folder.edit({ kind: 'item.update', item: 'pen', quantity: 100 });
  await folder.edit({ kind: 'item.update', item: 'pen', quantity: 90 });
  const rows = await readEditLog(await folder.read(), 'inventory');
  expect(
    rows.map(({ edit, sold, delivered }) => [edit.kind === 'item' && edit.item, sold, delivered]),
  ).toEqual([
    ['pen', null, null],
    ['ink', null, null],
    ['pen', 6, 20],
    ['pen', 0, 0],
  ]);
});

describe('an edit is taken back', () => {
  const back = async (now: Item[], before: Item | null, after: Item | null): Promise<unknown> =>
    undone(now, await log(logged(before, after)));

  it('as the difference, so that sales since are kept', async () => {
    expect(await back([{ ...PEN, quantity: 40 }], PEN, { ...PEN, quantity: 45 })).toEqual([
      { ...PEN, quantity: 45 },
    ]);
    const dearer = { ...PEN, price: '2.00', extra: { shelf: 'B' } };
    expect(await back([{ ...dearer, quantity: 1 }], PEN, dearer)).toEqual([{ ...PEN, quantity: 1 }]);
    expect(await back([PEN, BOOK], null, PEN)).toEqual([BOOK]);
    expect(await back([BOOK], PEN, null)).toEqual([BOOK, PEN]);
  });

  it.each([
    ['stock would be below zero', [{ ...PEN, quantity: 4 }], PEN, { ...PEN, quantity: 55 }, 'invalid_value'],
    ['some of what was added is sold', [{ ...PEN, quantity: 4 }], null, PEN, 'invalid_value'],
    ['what was added has another price by now', [{ ...PEN, price: '2.00' }], null, PEN, 'changed_since'],
    [
      'the price was changed again',
      [{ ...PEN, price: '3.00' }],
      PEN,
      { ...PEN, price: '2.00' },
      'changed_since',
    ],
    ['it was removed', [], PEN, { ...PEN, quantity: 51 }, 'changed_since'],
    ['it was added again', [PEN], PEN, null, 'changed_since'],
  ])('but not where %s', async (_, now, before, after, code) => {
    await expect(back(now, before, after)).rejects.toMatchObject({ code });
  });
});
