import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { realFileSystem, type FileSystem } from '../../../src/adapters/files/fs.ts';
import { systemClock } from '../../../src/compose.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';
import { waitFor } from '../../support/wait.ts';

/* A person saves at the worst moments of a rewrite: between two calls of the owner. */

let folder: string;
let notices: StoreNotice[];
let failures: Error[];

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-race-'));
  notices = [];
  failures = [];
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const csv = (): string => path.join(folder, 'inventory.csv');
const kinds = (): string[] => notices.map(({ kind }) => kind);

function open(files: FileSystem): Promise<FileStore> {
  return FileStore.open({
    files,
    folder,
    clock: systemClock,
    user: 'tester',
    via: 'consume',
    onNotice: (notice) => notices.push(notice),
    onFailure: (failure) => failures.push(failure),
  });
}

function set(store: FileStore, item: string, quantity: number): Promise<null> {
  return store.transact({}, (snapshot) => {
    const before = snapshot.item(item) ?? null;
    const after = { item, quantity, name: null, price: null, reorderLevel: null, extra: {} };
    return { changes: { edits: [{ kind: 'item', item, before, after }] }, result: null };
  });
}

async function stock(store: FileStore): Promise<Record<string, number>> {
  return Object.fromEntries(Array.from(await store.items(), ({ item, quantity }) => [item, quantity]));
}

/** Saves as an editor does that was done a while ago. */
function save(text: string): void {
  fs.writeFileSync(csv(), text);
  const past = (Date.now() - 60_000) / 1000;
  fs.utimesSync(csv(), past, past);
}

test('an editor that moves the file away while it is being rewritten ends nothing', async () => {
  let isAway = false;
  let armed = false;
  await using store = await open({
    ...realFileSystem,
    async datasync(fd) {
      await realFileSystem.datasync(fd);
      // As vim saves: the file becomes its backup, then the new one is written. The commit is that of the version.
      if (!armed || !fs.existsSync(`${csv()}.new`)) return;
      armed = false;
      isAway = true;
      fs.renameSync(csv(), `${csv()}~`);
    },
  });
  await set(store, 'book', 10);
  await waitFor('the file', () => fs.existsSync(csv()));
  armed = true;
  await set(store, 'book', 9);
  await waitFor('the editor to move the file away', () => isAway);
  await waitFor('the file to be missed', () => kinds().includes('file_missing') || failures.length > 0);
  expect(failures).toEqual([]);
  save('item,quantity\nbook,9\npen,5\n');
  await waitFor('the edit', async () => (await stock(store)).pen === 5);
  expect(await stock(store)).toEqual({ book: 9, pen: 5 });
  expect(failures).toEqual([]);
});

test('a save that comes while a stranger is set aside is taken in', async () => {
  let saved = false;
  await using store = await open({
    ...realFileSystem,
    async syncDirectory(name) {
      await realFileSystem.syncDirectory(name);
      if (name !== folder || saved || !fs.existsSync(`${csv()}.conflict`)) return;
      saved = true;
      // As most editors save: a new file is renamed over the old one.
      fs.writeFileSync(`${csv()}.editor`, 'item,quantity\nbook,10\npen,50\nink,7\n');
      fs.renameSync(`${csv()}.editor`, csv());
    },
  });
  await set(store, 'book', 10);
  await set(store, 'pen', 50);
  await waitFor('the file', () => fs.existsSync(csv()) && fs.readFileSync(csv(), 'utf8').includes('pen'));
  save('item,quantity\nx,1\ny,2\nz,3\n');
  await waitFor('the stranger to be kept', () => kinds().includes('file_set_aside'));
  await waitFor('the edit', async () => (await stock(store)).ink === 7);
  expect(await stock(store)).toEqual({ book: 10, pen: 50, ink: 7 });
  expect(fs.readFileSync(`${csv()}.conflict`, 'utf8')).toContain('x,1');
  expect(failures).toEqual([]);
});

test('a save that comes while the file is written for the last time is taken in, and written', async () => {
  let armed = false;
  const store = await open({
    ...realFileSystem,
    open(name, mode) {
      if (armed && name === `${csv()}.new` && mode === 'create') {
        armed = false;
        save('item,quantity\nbook,10\npen,50\nink,7\n');
      }
      return realFileSystem.open(name, mode);
    },
  });
  await set(store, 'book', 10);
  await set(store, 'pen', 50);
  await waitFor('the file', () => fs.existsSync(csv()) && fs.readFileSync(csv(), 'utf8').includes('pen'));
  await set(store, 'book', 9);
  armed = true;
  await store[Symbol.asyncDispose]();
  expect(armed).toBe(false);
  expect(fs.readFileSync(csv(), 'utf8')).toBe('item,quantity\nbook,9\npen,50\nink,7\n');
  expect(failures).toEqual([]);
});

test('a save at the moment when the file is moved aside is put back, for sure before its other name goes, and taken in', async () => {
  const text = 'item,quantity\nbook,10\npen,50\nink,7\n';
  const aside = `${csv()}.previous`;
  let armed = false;
  const calls: string[] = [];
  await using store = await open({
    ...realFileSystem,
    rename(from, to) {
      if (armed && from === csv()) {
        armed = false;
        save(text);
        calls.push('save');
      }
      realFileSystem.rename(from, to);
    },
    link(from, to) {
      if (from === aside) calls.push('put back');
      return realFileSystem.link(from, to);
    },
    async syncDirectory(name) {
      if (name === folder) calls.push('sync');
      await realFileSystem.syncDirectory(name);
    },
    unlink(name) {
      if (name === aside) calls.push('remove');
      realFileSystem.unlink(name);
    },
  });
  await set(store, 'book', 10);
  await set(store, 'pen', 50);
  await waitFor('the file', () => fs.existsSync(csv()) && fs.readFileSync(csv(), 'utf8').includes('pen'));
  armed = true;
  await set(store, 'book', 9);
  const isOver = async (): Promise<boolean> =>
    (await stock(store)).ink === 7 || kinds().includes('file_set_aside');
  await waitFor('the edit', isOver);
  expect(await stock(store)).toEqual({ book: 9, pen: 50, ink: 7 });
  expect(calls.slice(calls.indexOf('save')).slice(0, 4)).toEqual(['save', 'put back', 'sync', 'remove']);
  expect(kinds()).not.toContain('file_set_aside');
  expect(failures).toEqual([]);
});
