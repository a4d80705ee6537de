import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { folderLists } from '../../src/adapters/files/csv/list-file.ts';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { realFileSystem } from '../../src/adapters/files/fs.ts';
import { processes } from '../../src/adapters/files/owner/processes.ts';
import { folderAdmin } from '../../src/adapters/files/whole/admin.ts';
import { openPostgres } from '../../src/adapters/postgres/open.ts';
import { postgresLists } from '../../src/adapters/postgres/rows/lists.ts';
import { postgresAdmin } from '../../src/adapters/postgres/whole/admin.ts';
import { audit } from '../../src/app/audit/audit.ts';
import { readPast } from '../../src/app/history/past-tables.ts';
import { itemChangesPage } from '../../src/app/history/item-changes.ts';
import { keptView } from '../../src/app/intake/shared-reader.ts';
import { copyStore } from '../../src/app/store/copy.ts';
import { eraseUser } from '../../src/app/store/erase.ts';
import { systemClock } from '../../src/compose.ts';
import { CHECKOUT } from '../../src/domain/checkout/facts.ts';
import type { Effect } from '../../src/domain/effects.ts';
import { newFact } from '../../src/domain/facts.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { StoreAdmin } from '../../src/ports/whole/store-admin.ts';
import { wholeTransactions } from '../../src/ports/whole/store-copy.ts';
import type { ListRow, Lists } from '../../src/ports/whole/lists.ts';
import type { HistoryLine, OutgoingRecord } from '../../src/ports/store.ts';
import { ask, startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { accepted, collect, order, rejected } from './store.suite.ts';

const makeFolder = temporaryFolder();
let server: TestPostgres;
beforeAll(async () => {
  server = await startTestPostgres();
});
afterAll(() => server[Symbol.asyncDispose]());

const onNotice = (): void => undefined;
const SMALL = { name: 'cursors' };
const LETTERS = ['1', '2', '3'].map((at): OutgoingRecord => {
  return {
    kind: 'record',
    id: `orders/0@${at}`,
    topic: 'orders.dlq',
    key: Buffer.from([255]),
    value: null,
    headers: [],
  };
});
const EFFECT: Effect = {
  id: 'e-1',
  kind: 'charge',
  key: 'k',
  fields: { a: 1 },
  state: 'due',
  dueAt: 5,
  attempts: 0,
  firstTriedAt: null,
};

async function all<T>(of: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const one of of) found.push(one);
  return found;
}

/** Some of all that a store holds. */
async function fill(access: StoreAccess): Promise<void> {
  const how = { via: 'command', onNotice } as const;
  await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
  await access.edit({ kind: 'user.add', user: 'bob', status: 'unpaid' }, { ...how, why: 'new' });
  await access.edit({ kind: 'item.add', item: 'book', quantity: 100, price: '1.50' }, how);
  await access.edit({ kind: 'item.add', item: 'gone', quantity: 1 }, how);
  await access.edit({ kind: 'item.remove', item: 'gone' }, how);
  await using store = await access.own({ purpose: 'test', via: 'consume', onNotice });
  const step = {
    order_id: 'W-1',
    at: '2026-11-28T10:00:00.000Z',
    topic: 't',
    partition: 0,
    offset: 1,
  } as const;
  const source = { processor: 'orders', topic: 'orders', partition: 3 } as const;
  for (let n = 0; n < 30; n++) {
    await store.transact(
      {
        users: ['alice', 'bob'],
        items: ['book'],
        orders: [`O-${n}`, `R-${n}`],
        effects: ['e-1'],
        facts: new Map([[CHECKOUT, ['W-1']]]),
        positions: [source],
      },
      (state) => ({
        changes: {
          decisions: [
            accepted(order(`O-${n}`), [state.quantity('book') ?? 0], 2 * n),
            rejected(order(`R-${n}`), 2 * n + 1),
          ],
          movements:
            n % 5 === 0 ? [{ item: 'book', delta: 3, cause: 'restock', orderId: null, eventId: null }] : [],
          facts: n === 7 ? [newFact(CHECKOUT, { ...step, step: 'charge_owed', amount: '3.00' })] : [],
          small: [{ table: SMALL, key: `k${n % 3}`, value: { n } }],
          positions: [{ ...source, next: 2 * n + 2, last: null, clusterId: 'c' }],
          outgoing: n === 3 ? LETTERS : [],
          effects: n === 9 ? [{ id: 'e-1', effect: EFFECT }] : [],
        },
        result: null,
      }),
    );
  }
  const [first] = LETTERS;
  // One is refused for good, and kept; the others wait.
  await store.drain('orders.dlq', async (unsent) => {
    return unsent.length > 0 && first !== undefined ? [first] : [];
  });
  await store.transact({}, () => ({ changes: { outgoing: LETTERS.slice(1) }, result: null }));
  await access.edit({ kind: 'item.update', item: 'book', by: 20 }, { ...how, why: 'delivery' });
}

/** Changes at the same moment are all there, a row that is made again is one, and a change that fails is none. */
async function expectLists(lists: Lists): Promise<void> {
  const row = (day: number, total_sales: string): ListRow => ({
    report_date: `2026-11-${day + 10}`,
    time_zone: 'UTC',
    total_sales,
    top_sellers: JSON.stringify([{ product_id: 'a "b", c' }]),
    low_stock: '[]',
  });
  const put = (one: ListRow): Promise<void> =>
    lists.change('reports', (rows) =>
      [...rows.filter(({ report_date }) => report_date !== one.report_date), one].sort((a, b) =>
        (a.report_date ?? '') < (b.report_date ?? '') ? -1 : 1,
      ),
    );
  await Promise.all(Array.from({ length: 20 }, (_, day) => put(row(day, '1.10'))));
  await put(row(3, '-7.00'));
  const failing = lists.change('reports', () => {
    throw new Error('no');
  });
  await expect(failing).rejects.toThrow('no');
  const rows = await lists.rows('reports');
  expect(rows).toEqual(Array.from({ length: 20 }, (_, day) => row(day, day === 3 ? '-7.00' : '1.10')));
  await lists.change('reports', (all) => all.filter(({ report_date }) => report_date !== '2026-11-10'));
  expect(await lists.rows('reports')).toEqual(rows.slice(1));
  await lists.change('reports', () => rows);
}

/** All of it, as its readers see it. */
async function contentOf(access: StoreAccess): Promise<Record<string, unknown>> {
  await using reader = await access.read();
  await using inspection = await access.inspect();
  const result = await audit(access, { topic: null, repair: false, onNotice });
  return {
    storeId: reader.storeId,
    users: [...(await reader.users())],
    items: [...(await reader.items())],
    history: await collect(reader.history([CHECKOUT])),
    positions: await reader.positions(),
    small: [...(await reader.small(SMALL))].sort(),
    effects: await reader.effects(),
    unsent: await all(inspection.allUnsent()),
    undelivered: await all(reader.undelivered()),
    // The one step of an order that there is says that others are missing.
    audit: { checked: result.checked, differences: result.differences.map(({ kind }) => kind) },
  };
}

test('a folder is copied to a database and back, each time whole, though it is interrupted; the source is sealed', async () => {
  const made = makeFolder();
  const [first, last] = [path.join(made, 'first'), path.join(made, 'last')];
  const folder = (at: string): StoreAccess => openFolder({ folder: at, clock: systemClock, user: 'tester' });
  const target = { url: server.url, password: null, clock: systemClock, processes };
  const database = openPostgres({ ...target, user: 'tester' });
  await fill(folder(first));
  const listsIn = (at: string): Lists =>
    folderLists({ files: realFileSystem, folder: at, clock: systemClock });
  const supplier = { supplier_id: 'SUP-1', name: 'Paper, Ltd', contact: '' };
  await listsIn(first).change('suppliers', () => [supplier]);
  await expectLists(listsIn(first));
  const expected = await contentOf(folder(first));
  expect(expected.audit).toMatchObject({
    checked: { orders: 30, rejections: 30 },
    differences: ['step_missing', 'effect_missing'],
  });
  expect(expected.undelivered).toHaveLength(1);

  const copy = async (from: StoreAdmin, to: StoreAdmin): Promise<void> => {
    const signal = new AbortController().signal;
    await expect(
      copyStore(from, to, {
        signal,
        onLines: () => {
          throw new Error('killed');
        },
      }),
    ).rejects.toThrow('killed');
    expect(await copyStore(from, to, { signal, onLines: () => undefined })).toMatchObject({
      isContinued: true,
    });
  };
  await copy(folderAdmin({ folder: first, clock: systemClock }), postgresAdmin(target));
  expect(await contentOf(database)).toEqual(expected);
  expect(await postgresLists(target).rows('suppliers')).toEqual([supplier]);
  await expectLists(postgresLists(target));
  await expect(listsIn(first).change('suppliers', () => [])).rejects.toMatchObject({ code: 'folder_in_use' });
  const how = { via: 'command', onNotice } as const;
  const edit = { kind: 'user.update', user: 'bob', status: 'paid' } as const;
  await expect(folder(first).edit(edit, how)).rejects.toMatchObject({ code: 'folder_in_use' });
  await expect(
    copyStore(folderAdmin({ folder: first, clock: systemClock }), postgresAdmin(target), {
      signal: new AbortController().signal,
      onLines: () => undefined,
    }),
  ).rejects.toMatchObject({ code: 'already_exists' });
  await refuseCopy(folderAdmin({ folder: first, clock: systemClock }), `was copied to ${server.url}`);

  await database.edit(edit, how);
  const changed = await contentOf(database);
  await copy(postgresAdmin(target), folderAdmin({ folder: last, clock: systemClock }));
  expect(await contentOf(folder(last))).toEqual(changed);
  expect(await listsIn(last).rows('suppliers')).toEqual([supplier]);
  expect(await listsIn(last).rows('reports')).toHaveLength(20);
  await expect(database.edit(edit, how)).rejects.toMatchObject({ code: 'folder_in_use' });
  await refuseCopy(postgresAdmin(target), `was copied to ${last}`);
  await folder(last).edit({ kind: 'user.remove', user: 'bob' }, how);
  expect(fs.readFileSync(path.join(last, 'users.csv'), 'utf8')).toBe('user,status\nalice,paid\n');
});

/** A store that goes on elsewhere is not made to go on in a third place. */
async function refuseCopy(from: StoreAdmin, why: string): Promise<void> {
  const third = path.join(makeFolder(), 'third');
  await expect(
    copyStore(from, folderAdmin({ folder: third, clock: systemClock }), {
      signal: new AbortController().signal,
      onLines: () => undefined,
    }),
  ).rejects.toMatchObject({ code: 'folder_in_use', message: expect.stringContaining(why) as string });
  expect(fs.existsSync(third)).toBe(false);
}

test('half a copy is not copied', async () => {
  const made = makeFolder();
  const admin = (name: string): StoreAdmin =>
    folderAdmin({ folder: path.join(made, name), clock: systemClock });
  await fill(openFolder({ folder: path.join(made, 'first'), clock: systemClock, user: 'tester' }));
  const signal = new AbortController().signal;
  const onLines = (): void => {
    throw new Error('killed');
  };
  await expect(copyStore(admin('first'), admin('half'), { signal, onLines })).rejects.toThrow('killed');
  await expect(
    copyStore(admin('half'), admin('third'), { signal, onLines: () => undefined }),
  ).rejects.toMatchObject({
    code: 'folder_in_use',
    message: expect.stringContaining('incomplete copy') as string,
  });
});

const ALICE = { user: 'alice', status: 'paid', extra: {} } as const;
/** As format 2 has them: 100 pens, 10 sold, set to 50, 5 sold, set to 60. */
const UNNUMBERED: readonly HistoryLine[] = [
  {
    kind: 'edit',
    seq: null,
    at: 0,
    edit: { ...edited(0), kind: 'user', user: 'alice', before: null, after: ALICE },
  },
  set(1000, null, 100),
  sold(2000, 10, 100),
  set(3000, 90, 50),
  sold(4000, 5, 50),
  set(5000, 45, 60),
];

async function* none() {
  yield* [];
}

function edited(at: number) {
  return { at, by: 'x', via: 'command' } as const;
}

function pens(quantity: number) {
  return { item: 'pen', quantity, name: null, price: null, reorderLevel: null, extra: {} };
}

function set(at: number, before: number | null, after: number): HistoryLine {
  const rows = { before: before === null ? null : pens(before), after: pens(after) };
  return { kind: 'edit', seq: null, at, edit: { ...edited(at), kind: 'item', item: 'pen', ...rows } };
}

function sold(at: number, quantity: number, stock: number): HistoryLine {
  const items = [{ item: 'pen', quantity, unitPrice: null }];
  const decided = accepted({ orderId: `O-${at}`, user: 'alice', items, createdAt: at }, [stock], at);
  return { kind: 'decision', seq: null, at, decided: { ...decided, decidedAt: at } };
}

test('lines without a number stay where their times place them, copied or rewritten', async () => {
  await ask(server.url, 'DROP SCHEMA IF EXISTS orderctl CASCADE');
  const made = makeFolder();
  const target = { url: server.url, password: null, clock: systemClock, processes };
  const [one, two, three] = [
    opened(path.join(made, 'first')),
    { admin: postgresAdmin(target), access: openPostgres({ ...target, user: 'tester' }) },
    opened(path.join(made, 'last')),
  ];
  {
    await using first = await one.admin.target({ storeId: 'S', from: 'old', factLogs: [] });
    await first.add(UNNUMBERED);
    await first.finish({
      users: [ALICE],
      items: [pens(60)],
      positions: [],
      small: new Map(),
      effects: [],
      unsent: [],
      undelivered: none(),
      lists: { suppliers: [], reports: [] },
    });
    await first.open();
  }
  const copied = { signal: new AbortController().signal, onLines: () => undefined };
  await expectInOrder(one.access);
  await eraseUser(one.admin, { user: 'alice', pseudonym: 'erased-0123456789ab', execute: true });
  await expectInOrder(one.access);
  await copyStore(one.admin, two.admin, copied);
  await expectInOrder(two.access);
  await eraseUser(two.admin, {
    user: 'erased-0123456789ab',
    pseudonym: 'erased-0123456789cd',
    execute: true,
  });
  await copyStore(two.admin, three.admin, copied);
  const history = await expectInOrder(three.access);
  expect(JSON.stringify(history)).not.toMatch(/alice|6789ab/);
});

function opened(folder: string): { readonly admin: StoreAdmin; readonly access: StoreAccess } {
  const options = { folder, clock: systemClock };
  return { admin: folderAdmin(options), access: openFolder(options) };
}

async function expectInOrder(access: StoreAccess): Promise<readonly HistoryLine[]> {
  await using reader = await access.read();
  const history = await collect(reader.history([]));
  expect(history.map(({ kind, seq, at }) => ({ kind, seq, at }))).toEqual(
    UNNUMBERED.map(({ kind, seq, at }) => ({ kind, seq, at })),
  );
  expect((await readPast(reader, { kind: 'time', ms: 4500 })).items).toMatchObject([{ quantity: 45 }]);
  const { changes } = await itemChangesPage(await keptView(access), 'pen', { limit: 9, mark: null });
  expect(changes.map(({ after }) => after)).toEqual([60, 45, 50, 90, 100]);
  return history;
}

test('a transaction is in one piece, and pieces begin behind those that were copied', async () => {
  const line = (seq: number | null): HistoryLine => ({ seq }) as HistoryLine;
  const seqs = [null, null, ...Array.from({ length: 12_000 }, (_, n) => 1 + Math.floor(n / 7))];
  async function* history() {
    for (let at = 0; at < seqs.length; at += 900) yield seqs.slice(at, at + 900).map(line);
  }
  const pieces = await all(wholeTransactions(history(), 0));
  expect(pieces.flat().map(({ seq }) => seq)).toEqual(seqs);
  for (const [at, piece] of pieces.entries())
    expect(piece[0]?.seq).not.toBe(pieces[at - 1]?.at(-1)?.seq ?? -1);
  const rest = await all(wholeTransactions(history(), 1_000));
  expect(rest[0]?.[0]?.seq).toBe(1_001);
});
