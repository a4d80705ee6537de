import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { readWhole } from '../../src/adapters/files/whole-files.ts';
import { realFileSystem } from '../../src/adapters/files/fs.ts';
import { systemClock } from '../../src/compose.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { StoreNotice } from '../../src/ports/notices.ts';
import type { Store } from '../../src/ports/store.ts';
import { IS_FULL } from '../support/effort.ts';
import { waitFor } from '../support/wait.ts';

let parent: string;
let folder: string;
let access: StoreAccess;
let notices: StoreNotice[];
const onNotice = (notice: StoreNotice): void => void notices.push(notice);

beforeEach(() => {
  parent = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-csv-'));
  folder = path.join(parent, 'storage');
  access = openFolder({ folder, clock: systemClock, user: 'tester' });
  notices = [];
  fs.mkdirSync(folder);
  save('users.csv', 'user,status\nalice,paid\n');
  save('inventory.csv', 'item,quantity\nbook,10\npen,50\nnotebook,20\n');
});
afterEach(() => fs.rmSync(parent, { recursive: true }));

/** Saves as an editor does that was done a while ago. */
function save(file: string, text: string, agoMs = 60_000): void {
  const name = path.join(folder, file);
  fs.writeFileSync(`${name}~`, text);
  const past = (Date.now() - agoMs) / 1000;
  fs.utimesSync(`${name}~`, past, past);
  fs.renameSync(`${name}~`, name);
}

const load = (file: string): string => fs.readFileSync(path.join(folder, file), 'utf8');
const own = (): Promise<Store> => access.own({ purpose: 'consume topic t', via: 'consume', onNotice });
const kinds = (): string[] => notices.map(({ kind }) => kind);

async function sell(store: Store, orderId: string, item: string, quantity: number): Promise<void> {
  await store.transact({ items: [item], orders: [orderId] }, (snapshot) => {
    const order = { orderId, user: 'alice', items: [{ item, quantity, unitPrice: null }], createdAt: 0 };
    const stock = [snapshot.item(item)?.quantity ?? 0];
    const record = { topic: 'orders', partition: 0, offset: 1 };
    const decided = { order, record, outcome: { kind: 'accepted', stock }, decidedAt: snapshot.at } as const;
    return { changes: { decisions: [decided] }, result: null };
  });
}

async function stock(of: Store | StoreAccess): Promise<Record<string, number>> {
  const rows = 'items' in of ? await of.items() : await readItems(of);
  return Object.fromEntries(Array.from(rows, ({ item, quantity }) => [item, quantity]));
}

async function readItems(from: StoreAccess) {
  await using reader = await from.read();
  return [...(await reader.items())];
}

test('files that a person made are the first state, read without being taken in', async () => {
  expect(await stock(access)).toEqual({ book: 10, pen: 50, notebook: 20 });
  expect(fs.existsSync(path.join(folder, '.orderctl'))).toBe(false);
  const before = load('inventory.csv');
  await using store = await own();
  expect(await stock(store)).toEqual({ book: 10, pen: 50, notebook: 20 });
  expect(load('inventory.csv')).toBe(before);
});

test('a save of an older version counts as its difference, and undoes no sale', async () => {
  await using store = await own();
  const loaded = load('inventory.csv');
  await sell(store, 'ORD-1', 'book', 3);
  await waitFor('the file to be written', () => load('inventory.csv').includes('book,7'));
  await sell(store, 'ORD-2', 'book', 1);
  save('inventory.csv', loaded.replace('pen,50', 'pen,60'));
  expect(await stock(access)).toEqual({ book: 6, pen: 60, notebook: 20 });
  await sell(store, 'ORD-3', 'pen', 5);
  expect(await stock(store)).toEqual({ book: 6, pen: 55, notebook: 20 });
  await store[Symbol.asyncDispose]();
  expect(load('inventory.csv')).toBe('item,quantity\nbook,6\npen,55\nnotebook,20\n');
});

test('a broken file keeps the last good values and is left alone until it is mended', async () => {
  const store = await own();
  await sell(store, 'ORD-1', 'book', 3);
  save('inventory.csv', 'item,quantity\nbook,many\n');
  await sell(store, 'ORD-2', 'book', 1);
  expect(notices).toContainEqual(expect.objectContaining({ kind: 'file_broken', line: 2 }));
  await sell(store, 'ORD-3', 'book', 1);
  await store[Symbol.asyncDispose]();
  expect(kinds().filter((kind) => kind === 'file_broken')).toHaveLength(1);
  expect(load('inventory.csv')).toBe('item,quantity\nbook,many\n');

  await expect(own()).rejects.toSatisfy(
    (error) => isFailure(error, 'corrupt_file') && error.context.line === 2,
  );
  expect(await stock(access)).toEqual({ book: 5, pen: 50, notebook: 20 });
  // Mended from the version of the beginning: the sales stay.
  save('inventory.csv', 'item,quantity\nbook,10\npen,50\nnotebook,21\n');
  await using again = await own();
  expect(await stock(again)).toEqual({ book: 5, pen: 50, notebook: 21 });
});

test('a link to a file that is not there becomes a file of its own', async () => {
  {
    await using store = await own();
    await sell(store, 'ORD-1', 'book', 3);
  }
  const name = path.join(folder, 'inventory.csv');
  fs.rmSync(name);
  fs.symlinkSync(path.join(parent, 'nowhere.csv'), name);
  await (await own())[Symbol.asyncDispose]();
  expect(fs.lstatSync(name).isFile()).toBe(true);
  expect(load('inventory.csv')).toBe('item,quantity\nbook,7\npen,50\nnotebook,20\n');
  expect(fs.readdirSync(folder).filter((file) => /previous|new/.test(file))).toEqual([]);
  notices.length = 0;
  await (await own())[Symbol.asyncDispose]();
  expect(notices).toEqual([]);
});

test('a mended file is used again by the same owner', async () => {
  await using store = await own();
  save('users.csv', 'user,status\nalice,maybe\n');
  await sell(store, 'ORD-1', 'book', 1);
  save('users.csv', 'user,status\nalice,unpaid\n');
  await sell(store, 'ORD-2', 'book', 1);
  expect(kinds()).toEqual(expect.arrayContaining(['file_broken', 'file_mended', 'hand_edit_merged']));
  expect([...(await store.users())].map(({ status }) => status)).toEqual(['unpaid']);
});

test('a broken file that is removed is written again with the last good values', async () => {
  {
    await using store = await own();
    await sell(store, 'ORD-1', 'book', 1);
    save('inventory.csv', 'item,quantity\nbook,9\npen\n');
    await sell(store, 'ORD-2', 'book', 1);
    expect(kinds()).toContain('file_broken');
    fs.rmSync(path.join(folder, 'inventory.csv'));
    await sell(store, 'ORD-3', 'book', 1);
    expect(await stock(store)).toEqual({ book: 7, pen: 50, notebook: 20 });
  }
  expect(load('inventory.csv')).toBe('item,quantity\nbook,7\npen,50\nnotebook,20\n');
});

test('a stranger is kept aside and changes nothing', async () => {
  await using store = await own();
  await sell(store, 'ORD-1', 'book', 1);
  save('inventory.csv', 'item,quantity\nw,1\nx,1\ny,1\nz,1\n');
  await sell(store, 'ORD-2', 'book', 1);
  expect(kinds()).toContain('file_set_aside');
  await store[Symbol.asyncDispose]();
  expect(load('inventory.csv')).toBe('item,quantity\nbook,8\npen,50\nnotebook,20\n');
  expect(load('inventory.csv.conflict')).toContain('z,1');
});

test('a file that is taken away is written again', async () => {
  {
    await using store = await own();
    await sell(store, 'ORD-1', 'book', 1);
  }
  fs.rmSync(path.join(folder, 'inventory.csv'));
  expect(await stock(access)).toEqual({ book: 9, pen: 50, notebook: 20 });
  {
    await using store = await own();
    expect(kinds()).toContain('file_missing');
    expect(await stock(store)).toEqual({ book: 9, pen: 50, notebook: 20 });
  }
  expect(load('inventory.csv')).toBe('item,quantity\nbook,9\npen,50\nnotebook,20\n');
});

test('an edit that would take stock below zero sets zero and says so', async () => {
  await using store = await own();
  await sell(store, 'ORD-1', 'book', 8);
  save('inventory.csv', 'item,quantity\nbook,4\npen,50\nnotebook,20\n');
  await sell(store, 'ORD-2', 'pen', 1);
  expect(notices).toContainEqual({ kind: 'stock_clamped', item: 'book', wanted: -4, left: 0 });
  expect(await stock(store)).toEqual({ book: 0, pen: 49, notebook: 20 });
});

test('an edit while nobody owns the folder counts once, however often it is read', async () => {
  {
    await using store = await own();
    await sell(store, 'ORD-1', 'book', 1);
  }
  save('inventory.csv', load('inventory.csv').replace('pen,50', 'pen,40'));
  for (let round = 0; round < 3; round++) expect((await stock(access)).pen).toBe(40);
  for (let round = 0; round < 3; round++) {
    await using store = await own();
    expect(await stock(store)).toEqual({ book: 9, pen: 40, notebook: 20 });
  }
});

test('a folder that lost its .orderctl is refused, as is a shortened log', async () => {
  {
    await using store = await own();
    await sell(store, 'ORD-1', 'book', 1);
  }
  const inner = path.join(folder, '.orderctl');
  fs.renameSync(inner, `${inner}.away`);
  const refused = (error: unknown): boolean => isFailure(error, 'corrupt_state') && error.fix !== null;
  await expect(own()).rejects.toSatisfy(refused);
  await expect(access.read()).rejects.toSatisfy(refused);
  fs.rmSync(inner, { recursive: true, force: true });
  fs.renameSync(`${inner}.away`, inner);

  fs.truncateSync(path.join(folder, 'orders.jsonl'), 10);
  await expect(own()).rejects.toSatisfy(refused);
  await expect(
    access.edit({ kind: 'user.remove', user: 'alice' }, { via: 'command', onNotice }),
  ).rejects.toSatisfy(refused);
});

test('an owner that nobody asks for anything learns that its folder can no longer be written', async () => {
  const failures: Error[] = [];
  const store = await access.own({
    purpose: 'consume topic t',
    via: 'consume',
    onNotice,
    onFailure: (failure) => failures.push(failure),
  });
  fs.rmSync(folder, { recursive: true });
  await waitFor('the owner to learn of it', () => failures.length > 0);
  expect(failures).toEqual([expect.objectContaining({ code: 'write_failed' })]);
  await expect(sell(store, 'ORD-1', 'book', 1)).rejects.toBe(failures[0]);
  fs.mkdirSync(folder);
  await store[Symbol.asyncDispose]();
  expect(failures).toHaveLength(1);
});

test('files are still written when the clock is set back', async () => {
  let backMs = 0;
  const clock = { ...systemClock, now: () => Date.now() - backMs };
  await using store = await openFolder({ folder, clock, user: 'tester' }).own({
    purpose: 'consume topic t',
    via: 'consume',
    onNotice,
  });
  backMs = 3_600_000;
  await sell(store, 'ORD-1', 'book', 1);
  await waitFor('the file to be written', () => load('inventory.csv').includes('book,9'));
});

test('an older version that is put back to the byte is no change, and a notice says so', async () => {
  const store = await own();
  notices.length = 0;
  const before = load('users.csv');
  save('users.csv', before.replace('alice,paid', 'alice,unpaid'));
  await sell(store, 'ORD-1', 'book', 1);
  expect(kinds()).toEqual(['hand_edit_merged']);
  save('users.csv', before, 120_000);
  await waitFor('the file to be written again', () => load('users.csv').includes('alice,unpaid'));
  expect(kinds()).toEqual(['hand_edit_merged', 'file_outdated']);
  await store[Symbol.asyncDispose]();
  save('users.csv', before, 120_000);
  await using again = await own();
  expect(kinds()).toEqual(['hand_edit_merged', 'file_outdated', 'file_outdated']);
  expect([...(await again.users())].map(({ status }) => status)).toEqual(['unpaid']);
});

test('a save that is taken back in the editor is taken back, and sales since are kept', async () => {
  await using store = await own();
  const before = load('inventory.csv');
  save('inventory.csv', before.replace('pen,50', 'pen,80'));
  await sell(store, 'ORD-1', 'pen', 3);
  expect(await stock(store)).toEqual({ book: 10, pen: 77, notebook: 20 });
  save('inventory.csv', before);
  await sell(store, 'ORD-2', 'pen', 1);
  expect(await stock(store)).toEqual({ book: 10, pen: 46, notebook: 20 });
});

test('a version that came after a save takes nothing back, though the save was made from the same text', async () => {
  await using store = await own();
  const before = load('inventory.csv');
  await sell(store, 'ORD-1', 'pen', 3);
  await sell(store, 'ORD-2', 'notebook', 1);
  save('inventory.csv', before.replace('pen,50', 'pen,53'));
  await access.edit({ kind: 'item.update', item: 'notebook', by: 1 }, { via: 'command', onNotice });
  await waitFor('what was sold to be made good', () => load('inventory.csv') === before);
  await sell(store, 'ORD-3', 'pen', 2);
  await waitFor('the file to be written', () => load('inventory.csv').includes('pen,48'));
  save('inventory.csv', before);
  await sell(store, 'ORD-4', 'pen', 1);
  expect(await stock(store)).toEqual({ book: 10, pen: 47, notebook: 20 });
  expect(kinds()).toContain('file_outdated');
});

test('rows that were added by hand, sold beside and deleted again take no sale with them', async () => {
  save('inventory.csv', 'item,quantity\nbook,1000\npen,1000\nnotebook,1000\n');
  await using store = await own();
  save('inventory.csv', `${load('inventory.csv')}lamp,5\ncup,5\n`);
  for (let batch = 1; batch <= 9; batch++) {
    await sell(store, `ORD-${batch}`, 'book', 10);
    if (batch % 3 !== 0) continue;
    const text = `book,${1000 - 10 * batch}`;
    await waitFor('the file to be written', () => load('inventory.csv').includes(text));
  }
  save('inventory.csv', load('inventory.csv').replace('lamp,5\ncup,5\n', ''));
  await sell(store, 'ORD-10', 'pen', 1);
  expect(await stock(store)).toEqual({ book: 910, pen: 999, notebook: 1000 });
  const merges = notices.filter(
    (notice) => notice.kind === 'hand_edit_merged' && notice.file.endsWith('inventory.csv'),
  );
  const added = ['lamp', 'cup'].map((name) => ({ name, change: 'added' }));
  const removed = added.map(({ name }) => ({ name, change: 'removed' }));
  expect(merges).toMatchObject([
    { rows: 3 },
    { rows: 2, changes: added },
    { rows: 2, changes: removed, madeFrom: { isOwnSave: false } },
  ]);
});

test.each([
  ['half_saved', 'the last line is not ended', 'item,quantity\nbook,10\npen,50'],
  ['half_saved', 'the last number is cut', 'item,quantity\nbook,10\npen,50\nnotebook,2'],
  ['rows_missing', 'more than half is missing', 'item,quantity\nbook,10\n'],
])('a file that looks %s is kept aside and changes nothing: %s', async (why, _, text) => {
  await using store = await own();
  await sell(store, 'ORD-1', 'book', 1);
  save('inventory.csv', text);
  expect(await stock(access)).toEqual({ book: 9, pen: 50, notebook: 20 });
  await sell(store, 'ORD-2', 'book', 1);
  expect(await stock(store)).toEqual({ book: 8, pen: 50, notebook: 20 });
  const file = path.join(folder, `inventory.csv.${why}.conflict`);
  expect(notices).toContainEqual(expect.objectContaining({ kind: 'file_set_aside', keptAs: file, why }));
  expect(fs.readFileSync(file, 'utf8')).toBe(text);
  expect(access.keptAside()).toEqual([{ table: 'inventory', file, why }]);
  fs.renameSync(file, `${file}.done`);
  expect(access.keptAside()).toEqual([]);
});

/** Sells book by book and waits until each sale is in the file. */
async function sellOneByOne(store: Store, from: number, to: number): Promise<void> {
  for (let left = from - 1; left >= to; left--) {
    await sell(store, `ORD-${left}`, 'book', 1);
    await waitFor('the file to be written', () => quietly('inventory.csv').includes(`book,${left}\n`));
  }
}

/** Reads as our own readers do, without a trace. */
function quietly(file: string): string {
  return readWhole(realFileSystem, path.join(folder, file))?.toString() ?? '';
}

test('of versions that fit alike, the one that somebody has read is the base', async () => {
  await using store = await own();
  // Else the first file might be it.
  await sell(store, 'ORD-first', 'pen', 1);
  await sellOneByOne(store, 10, 9);
  load('inventory.csv');
  await sellOneByOne(store, 9, 6);
  // One number says nothing of where it came from: 9 was on the screen, and 20 more were bought.
  save('inventory.csv', 'item,quantity\nbook,29\npen,49\nnotebook,20\n');
  await sell(store, 'ORD-pen', 'pen', 1);
  expect(await stock(store)).toEqual({ book: 26, pen: 48, notebook: 20 });
  expect(kinds()).not.toContain('file_set_aside');
});

test('where several that were read fit alike, the save changes nothing', async () => {
  await using store = await own();
  for (let left = 9; left >= 7; left--) {
    await sellOneByOne(store, left + 1, left);
    load('inventory.csv');
  }
  save('inventory.csv', 'item,quantity\nbook,29\npen,50\nnotebook,20\n');
  await sell(store, 'ORD-pen', 'pen', 1);
  expect(await stock(store)).toEqual({ book: 7, pen: 49, notebook: 20 });
  expect(notices).toContainEqual(expect.objectContaining({ kind: 'file_set_aside', why: 'ambiguous' }));
});

test('beside a broken file, a reader gets the last good values, and whom the store was opened with is warned', async () => {
  {
    await using store = await own();
    await sell(store, 'ORD-1', 'book', 3);
  }
  save('inventory.csv', 'item,quantity\nbook,many\n');
  notices.length = 0;
  const warned = openFolder({ folder, clock: systemClock, onNotice });
  await using reader = await warned.read();
  expect(Array.from(await reader.items(), ({ quantity }) => quantity)).toEqual([7, 50, 20]);
  expect(notices).toEqual([expect.objectContaining({ kind: 'file_broken', line: 2 })]);
});

test('beside a broken file a row is edited as it is beside an owner, and the file is left as it is', async () => {
  await (await own())[Symbol.asyncDispose]();
  const broken = 'user,status\nalice,maybe\n';
  save('users.csv', broken);
  notices.length = 0;
  await access.edit({ kind: 'item.update', item: 'pen', quantity: 7 }, { via: 'command', onNotice });
  expect(kinds()).toEqual(['file_broken']);
  expect(await stock(access)).toEqual({ book: 10, pen: 7, notebook: 20 });
  expect(load('inventory.csv')).toContain('pen,7');
  await access.edit({ kind: 'user.add', user: 'bob', status: 'paid' }, { via: 'command', onNotice });
  expect(load('users.csv')).toBe(broken);
  // Mended from the version before: both count.
  save('users.csv', 'user,status\nalice,unpaid\n');
  await using store = await own();
  expect(Array.from(await store.users(), ({ user, status }) => `${user} ${status}`)).toEqual([
    'alice unpaid',
    'bob paid',
  ]);
});

// The log of versions is longer than 32 MiB then, which takes seconds.
if (IS_FULL) {
  test('the newest version is the base of an edit even when its line in the log is too long to be read', async () => {
    const store = await own();
    // What this edit changed fills more than is read of the log of versions.
    const wide = 'x'.repeat(34 * 1024 * 1024);
    save('inventory.csv', `item,quantity,note\nbook,10,${wide}\npen,50,\nnotebook,20,\n`);
    await sell(store, 'ORD-1', 'pen', 1);
    save('inventory.csv', 'item,quantity,note\nbook,10,\npen,50,\nnotebook,20,\n');
    await sell(store, 'ORD-2', 'pen', 1);
    expect(await stock(store)).toEqual({ book: 10, pen: 48, notebook: 20 });
    save('inventory.csv', 'item,quantity,note\nbook,11,\npen,50,\nnotebook,20,\n');
    await sell(store, 'ORD-3', 'pen', 1);
    expect(await stock(store)).toEqual({ book: 11, pen: 47, notebook: 20 });
    await store[Symbol.asyncDispose]();
  });
}
