import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findHandEdit } from '../../../src/adapters/files/edits/hand-edit-look.ts';
import { ChangeEncoder } from '../../../src/adapters/files/journal/change-encoder.ts';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { realFileSystem, type FileSystem } from '../../../src/adapters/files/fs.ts';
import type { LogView } from '../../../src/adapters/files/logs/log.ts';
import { INVENTORY } from '../../../src/adapters/files/tables/columns.ts';
import { fingerprintFile } from '../../../src/adapters/files/tables/fingerprint.ts';
import { Table } from '../../../src/adapters/files/tables/table.ts';
import { Tables } from '../../../src/adapters/files/tables/tables.ts';
import { systemClock } from '../../../src/compose.ts';
import type { Item } from '../../../src/domain/tables.ts';
import type { Clock } from '../../../src/ports/clock.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';
import { waitFor } from '../../support/wait.ts';

/* Which version of a CSV lies on disk is known however much is kept of it, and none is written for nothing. */

let root: string;
let notices: StoreNotice[];

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-versions-'));
  notices = [];
});
afterEach(() => fs.rmSync(root, { recursive: true }));

const kinds = (): string[] => notices.map(({ kind }) => kind);
const bare = (item: string, quantity: number): Item => {
  return { item, quantity, name: null, price: null, reorderLevel: null, extra: {} };
};

function open(
  folder: string,
  files: FileSystem = realFileSystem,
  clock: Clock = systemClock,
): Promise<FileStore> {
  const onNotice = (notice: StoreNotice): unknown => notices.push(notice);
  return FileStore.open({
    files,
    folder,
    clock,
    user: 't',
    via: 'consume',
    checkpointBytes: 8_000,
    onNotice,
  });
}

/** Saves an inventory as an editor does that was done a while ago. */
function save(folder: string, rows: readonly Item[]): void {
  fs.mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'inventory.csv');
  fs.writeFileSync(
    file,
    `item,quantity\n${rows.map(({ item, quantity }) => `${item},${quantity}\n`).join('')}`,
  );
  const past = Date.now() / 1_000 - 60;
  fs.utimesSync(file, past, past);
}

test('what is older than a version too long to keep is no edit, though two owners were killed before it was in place', async () => {
  const rows = Array.from({ length: 300 }, (_, index) => bare(`item-${100 + index}`, 100));
  const [first, second, third] = ['a', 'b', 'c'].map((name) => path.join(root, name)) as [
    string,
    string,
    string,
  ];
  const kill = (from: string, into: string): void =>
    fs.cpSync(from, into, { recursive: true, preserveTimestamps: true });
  save(first, rows);
  let isKilled = false;
  const owner = await open(first, {
    ...realFileSystem,
    rename(from, to) {
      // The version is committed, its file not yet in place.
      if (to.endsWith('inventory.csv.previous') && !isKilled) {
        kill(first, second);
        isKilled = true;
      }
      realFileSystem.rename(from, to);
    },
  });
  await owner.transact({}, () => {
    const edits = rows.map((before) => {
      return { kind: 'item', item: before.item, before, after: { ...before, quantity: 40 } } as const;
    });
    return { changes: { edits }, result: null };
  });
  await waitFor('the rewrite', () => isKilled);
  const successor = await open(second);
  kill(second, third);
  notices = [];
  await using last = await open(third);
  expect(kinds()).not.toContain('hand_edit_merged');
  expect(Array.from(await last.items(), ({ quantity }) => quantity)).toEqual(rows.map(() => 40));
  await owner[Symbol.asyncDispose]();
  await successor[Symbol.asyncDispose]();
});

test('an older version of which nothing is kept is known for what it is', () => {
  const [older, newest] = ['book,10\n', 'book,9\n'].map((rows) => Buffer.from(`item,quantity\n${rows}`)) as [
    Buffer,
    Buffer,
  ];
  const table = new Table(INVENTORY);
  table.set('book', bare('book', 9));
  table.versionIs(fingerprintFile(newest), [fingerprintFile(older)]);
  const nothing = { sizeBytes: 0, read: () => 0 } as unknown as LogView;
  const facts = { nowMs: Date.now(), savedMs: Date.now(), isNewestUnread: false };
  const found = (bytes: Buffer): unknown =>
    findHandEdit(bytes, 'inventory.csv', INVENTORY, table, nothing, facts);
  expect(found(older)).toMatchObject({ kind: 'known', newest: false });
  expect(found(newest)).toMatchObject({ kind: 'known', newest: true });
  expect(found(Buffer.from('item,quantity\nbook,8\n'))).toMatchObject({ kind: 'edited' });
});

test('a row that was changed and changed back is not written again and again', async () => {
  const folder = path.join(root, 'shop');
  save(folder, [bare('a', 5)]);
  let placed = 0;
  let rounds = 0;
  const files: FileSystem = {
    ...realFileSystem,
    link(from, to) {
      if (to.endsWith('inventory.csv')) placed += 1;
      return realFileSystem.link(from, to);
    },
  };
  // A second of rest passes at once.
  const clock: Clock = {
    now: () => systemClock.now() + rounds * 1_000,
    elapsed: () => systemClock.elapsed() + rounds * 1_000,
    sleep: async (ms, signal) => {
      rounds += 1;
      await systemClock.sleep(Math.min(ms, 5), signal);
    },
  };
  await using store = await open(folder, files, clock);
  await store.edit({ kind: 'item.update', item: 'a', by: 1 }, { by: 't', via: 'command' });
  await store.edit({ kind: 'item.update', item: 'a', by: -1 }, { by: 't', via: 'command' });
  const until = rounds + 20;
  await waitFor('twenty rounds', () => rounds >= until);
  expect(placed).toBeLessThan(4);
});

test('what a transaction removes cannot be sold by it, even if it adds it again', () => {
  const tables = new Tables();
  tables.apply(['rows', 'inventory', [['a', bare('a', 5)]]]);
  const edits = [
    { kind: 'item', item: 'a', before: bare('a', 5), after: null },
    { kind: 'item', item: 'a', before: null, after: bare('a', 9) },
  ] as const;
  const order = {
    orderId: 'o',
    user: 'u',
    items: [{ item: 'a', quantity: 2, unitPrice: null }],
    createdAt: 0,
  };
  const record = { topic: 't', partition: 0, offset: 0 };
  const outcome = { kind: 'accepted', stock: [9] } as const;
  const changes = { edits, decisions: [{ order, record, outcome, decidedAt: 0 }] };
  const stamp = { seq: 1, at: 0, by: 't', via: 'consume' } as const;
  expect(() => new ChangeEncoder(tables).toCommit(changes, stamp)).toThrow(
    'order o is accepted for 2 a, which are not in stock',
  );
});
