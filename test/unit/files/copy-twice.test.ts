import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { realFileSystem, type FileSystem } from '../../../src/adapters/files/fs.ts';
import { systemClock } from '../../../src/compose.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import type { TableCopy } from '../../../src/ports/table-copy.ts';

/** Stock of 100 books, and a copy in which 20 more were counted. */
async function begin(): Promise<{ folder: string; access: StoreAccess; copy: TableCopy }> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-copy-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  const access = openFolder({ folder, clock: systemClock });
  await access.edit({ kind: 'item.add', item: 'book', quantity: 100 }, how);
  const copy = await access.copyTable('inventory');
  fs.writeFileSync(copy.file, fs.readFileSync(copy.file, 'utf8').replace('book,100', 'book,120'));
  return { folder, access, copy };
}

const how = { via: 'command', onNotice: () => undefined } as const;
const from = { by: 'tester', via: 'command' } as const;
const nameOf = (copy: TableCopy): string => path.basename(path.dirname(copy.file));

const own = (folder: string): Promise<FileStore> =>
  FileStore.open({
    files: realFileSystem,
    folder,
    clock: systemClock,
    user: 'tester',
    via: 'consume',
    onNotice: () => undefined,
  });

async function stockOf(access: StoreAccess): Promise<number | undefined> {
  await using reader = await access.read();
  return [...(await reader.items())][0]?.quantity;
}

// The log of edits may be a backup's, shorter than it was when the copy was made, or the copy an older program's.
test.each([undefined, '0', '1', '999999'])(
  'a copy that was taken in is not taken in once more by --resume, by a mark of %s',
  async (mark) => {
    const { folder, access, copy } = await begin();
    const file = path.join(path.dirname(copy.file), 'edits-before');
    if (mark === undefined) expect(Number(fs.readFileSync(file, 'utf8'))).toBeGreaterThan(0);
    else fs.writeFileSync(file, mark);
    {
      // As by an owner that is killed before it can say so.
      await using store = await own(folder);
      await store.mergeCopy('inventory', nameOf(copy), from);
    }
    const resumed = await access.copyTable('inventory', { kept: copy.file });
    await expect(resumed.merge(how)).rejects.toMatchObject({ code: 'already_exists' });
    expect(await stockOf(access)).toBe(120);
  },
);

test('of two that resume one copy at the same time one is refused', async () => {
  const { folder, access, copy } = await begin();
  {
    await using store = await own(folder);
    const both = [1, 2].map(() => store.mergeCopy('inventory', nameOf(copy), from));
    const ends = (await Promise.allSettled(both)).map(({ status }) => status);
    expect(ends.sort()).toEqual(['fulfilled', 'rejected']);
  }
  expect(await stockOf(access)).toBe(120);
});

test('what is computed from a copy does not count beside a save of the same row by hand', async () => {
  const { folder, access, copy } = await begin();
  const file = path.join(folder, 'inventory.csv');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('book,100', 'book,130'));
  const past = (Date.now() - 60_000) / 1_000;
  fs.utimesSync(file, past, past);
  await expect(copy.merge({ ...how, unlessEdited: true })).rejects.toMatchObject({ code: 'changed_since' });
  expect(await stockOf(access)).toBe(130);
});

test('only the edits that came after the copy are read', async () => {
  const { folder, copy } = await begin();
  const reads: number[] = [];
  const inode = fs.statSync(path.join(folder, '.orderctl/edits.jsonl')).ino;
  const files: FileSystem = {
    ...realFileSystem,
    read(fd, into, position) {
      if (fs.fstatSync(fd).ino === inode) reads.push(position);
      return realFileSystem.read(fd, into, position);
    },
  };
  await using store = await FileStore.open({
    files,
    folder,
    clock: systemClock,
    user: 'tester',
    via: 'consume',
    onNotice: () => undefined,
  });
  reads.length = 0;
  await store.mergeCopy('inventory', nameOf(copy), from);
  expect(reads).not.toEqual([]);
  expect(reads.filter((position) => position === 0)).toEqual([]);
});
