import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { audit } from '../../../src/app/audit/audit.ts';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { systemClock } from '../../../src/compose.ts';
import type { Failure } from '../../../src/domain/failure.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';
import type { Store } from '../../../src/ports/store.ts';
import type { TableCopy, TableMerge } from '../../../src/ports/table-copy.ts';
import { decideRecords, ownFolder, recordOf } from '../../support/decided.ts';

/* `inventory edit` and `user edit`: a copy whose base is known, while sales and other edits go on. */

let folder: string;
let access: StoreAccess;
let sales = 0;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-copy-'));
  fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\nalice,paid\nbob,unpaid\n');
  fs.writeFileSync(
    path.join(folder, 'inventory.csv'),
    'item,quantity,price,shelf\nbook,100,12.50,a\npen,50,1.20,b\ncup,9,,\n',
  );
  access = openFolder({ folder, clock: systemClock, user: 'tester' });
  sales = 0;
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const how = { via: 'command', onNotice: () => undefined } as const;

function sell(store: Store, item: string, quantity: number): Promise<void> {
  sales += 1;
  return decideRecords(store, [recordOf('orders', sales, `ORD-${sales}`, 'alice', { [item]: quantity })]);
}

/** Saves as an editor does. */
function save(copy: TableCopy, ...changes: readonly (readonly [from: string | RegExp, to: string])[]): void {
  let text = fs.readFileSync(copy.file, 'utf8');
  for (const [from, to] of changes) text = text.replace(from, to);
  fs.writeFileSync(copy.file, text);
}

async function merged(copy: TableCopy): Promise<TableMerge> {
  const merge = await copy.merge(how);
  copy.discard();
  return merge;
}

async function stock(): Promise<Record<string, number>> {
  await using reader = await access.read();
  return Object.fromEntries(Array.from(await reader.items(), ({ item, quantity }) => [item, quantity]));
}

async function balances(): Promise<void> {
  const found = await audit(access, { topic: null, repair: false, onNotice: () => undefined });
  expect(found.differences).toEqual([]);
}

const leftovers = (): string[] =>
  fs.readdirSync(path.join(folder, '.orderctl')).filter((name) => name.startsWith('edit-'));

describe.each([true, false])('an edited copy, beside a consumer: %s', (isOwned) => {
  it('counts as the difference to what it was made from, whatever went on meanwhile', async () => {
    const first = await ownFolder(folder);
    const copy = await access.copyTable('inventory');
    await sell(first, 'book', 10);
    await sell(first, 'pen', 5);
    const update = { kind: 'item.update', item: 'pen', price: '1.50' } as const;
    await access.edit(update, how);
    if (!isOwned) await first[Symbol.asyncDispose]();
    save(copy, ['book,100,12.50,a', 'book,120,13.00,a'], [/^cup.*\n/m, 'mug,7,,c\n']);
    expect(copy.removed()).toEqual({ rows: 1, of: 3 });
    expect(await merged(copy)).toMatchObject({
      added: 1,
      changed: 1,
      removed: 1,
      clamped: [],
      isRearranged: false,
      edits: expect.arrayContaining([
        expect.objectContaining({
          item: 'book',
          before: expect.objectContaining({ quantity: 90, price: '12.50' }) as unknown,
          after: expect.objectContaining({ quantity: 110, price: '13.00' }) as unknown,
        }),
      ]) as unknown,
    });
    expect(await stock()).toEqual({ book: 110, pen: 45, mug: 7 });
    await balances();
    if (isOwned) {
      await sell(first, 'mug', 1);
      await first[Symbol.asyncDispose]();
    }
    await balances();
    const written = fs.readFileSync(path.join(folder, 'inventory.csv'), 'utf8');
    expect(written).toBe(
      `item,quantity,price,shelf\nbook,110,13.00,a\npen,45,1.50,b\nmug,${isOwned ? 6 : 7},,c\n`,
    );
    expect(leftovers()).toEqual([]);
  });

  it('sells nothing twice where rows that were added are deleted again', async () => {
    const store = await ownFolder(folder);
    const more = await access.copyTable('inventory');
    save(more, [/$/, 'hat,5,,\nbag,5,,\n']);
    await merged(more);
    const copy = await access.copyTable('inventory');
    await sell(store, 'book', 90);
    if (!isOwned) await store[Symbol.asyncDispose]();
    save(copy, ['hat,5,,\nbag,5,,\n', '']);
    expect(await merged(copy)).toMatchObject({ added: 0, changed: 0, removed: 2 });
    expect(await stock()).toEqual({ book: 10, pen: 50, cup: 9 });
    await balances();
    if (isOwned) await store[Symbol.asyncDispose]();
  });

  it('does not go below zero, and says so', async () => {
    const store = await ownFolder(folder);
    const copy = await access.copyTable('inventory');
    await sell(store, 'cup', 8);
    if (!isOwned) await store[Symbol.asyncDispose]();
    save(copy, ['cup,9', 'cup,5']);
    expect(await merged(copy)).toMatchObject({ clamped: [{ item: 'cup', wanted: -3 }] });
    expect(await stock()).toMatchObject({ cup: 0 });
    if (isOwned) await store[Symbol.asyncDispose]();
  });

  it('takes a hand edit in first that was saved meanwhile', async () => {
    const store = await ownFolder(folder);
    const copy = await access.copyTable('inventory');
    const file = path.join(folder, 'inventory.csv');
    const whole = fs.readFileSync(file, 'utf8').replace('12.50', '13.00');
    fs.writeFileSync(file, whole.replaceAll(/^(\w+)/gm, '$1,x').replace(',x', ',town'));
    const past = (Date.now() - 60_000) / 1_000;
    fs.utimesSync(file, past, past);
    if (!isOwned) await store[Symbol.asyncDispose]();
    // The later save of a cell wins, and a column that came meanwhile stays.
    save(copy, ['12.50', '14.00'], [/$/, 'mug,7,,c\n']);
    expect(await merged(copy)).toMatchObject({ added: 1, changed: 1, removed: 0 });
    if (isOwned) await store[Symbol.asyncDispose]();
    expect(fs.readFileSync(file, 'utf8')).toBe(
      'item,town,quantity,price,shelf\nbook,x,100,14.00,a\npen,x,50,1.20,b\ncup,x,9,,\nmug,,7,,c\n',
    );
  });
});

it('tells the consumer that it was taken in', async () => {
  const notices: StoreNotice[] = [];
  const onNotice = (notice: StoreNotice): void => void notices.push(notice);
  const store = await access.own({ purpose: 'consume', via: 'consume', onNotice });
  const copy = await access.copyTable('users');
  save(copy, ['bob,unpaid', 'bob,paid']);
  await merged(copy);
  await store[Symbol.asyncDispose]();
  expect(notices).toContainEqual({ kind: 'copy_taken_in', file: 'users.csv', rows: 1 });
});

it('is no change when nothing was changed, and removes what was made for it', async () => {
  const copy = await access.copyTable('inventory');
  expect(copy.isChanged()).toBe(false);
  expect(await copy.merge(how)).toMatchObject({ added: 0, changed: 0, removed: 0, isRearranged: false });
  save(copy, ['book', 'books']);
  expect(copy.isChanged()).toBe(true);
  copy.discard();
  await using reader = await access.read();
  const edits = [];
  for await (const some of reader.edits()) edits.push(...some);
  // The two files that were there at first.
  expect(edits).toHaveLength(5);
  expect(leftovers()).toEqual([]);
});

it('may only bring rows into another order', async () => {
  const copy = await access.copyTable('users');
  save(copy, ['alice,paid\nbob,unpaid\n', 'bob,unpaid\nalice,paid\n']);
  expect(await merged(copy)).toMatchObject({ added: 0, changed: 0, removed: 0, isRearranged: true });
  expect(fs.readFileSync(path.join(folder, 'users.csv'), 'utf8')).toBe(
    'user,status\nbob,unpaid\nalice,paid\n',
  );
});

it('is as the file is: its mark and line ends', async () => {
  fs.writeFileSync(path.join(folder, 'users.csv'), '\ufeffuser,status\r\nzoe,paid\r\n');
  const copy = await access.copyTable('users');
  expect(fs.readFileSync(copy.file, 'utf8')).toBe('\ufeffuser,status\r\nzoe,paid\r\n');
  copy.discard();
});

it('with a mistake is refused with file and line, kept, and taken up again', async () => {
  await using store = await ownFolder(folder);
  const copy = await access.copyTable('inventory');
  save(copy, ['book,100', 'book,130'], ['pen,50', 'pen,fifty']);
  const failure = (await copy.merge(how).catch((error: unknown) => error)) as Failure;
  expect(failure).toMatchObject({ code: 'corrupt_file', context: { file: copy.file, line: 3 } });
  expect(await stock()).toMatchObject({ book: 100 });
  await sell(store, 'book', 20);

  const again = await access.copyTable('inventory', { kept: copy.file });
  save(again, ['fifty', '55']);
  await merged(again);
  expect(await stock()).toEqual({ book: 110, pen: 55, cup: 9 });
});

it('is made beside a broken CSV, of its last good values, and taken in while that stays as it is', async () => {
  await (await ownFolder(folder))[Symbol.asyncDispose]();
  const file = path.join(folder, 'inventory.csv');
  fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('pen,50', 'pen,fifty'));
  const notices: StoreNotice[] = [];
  const copy = await access.copyTable('inventory', { onNotice: (notice) => void notices.push(notice) });
  expect(notices).toMatchObject([{ kind: 'file_broken', file, line: 3 }]);
  save(copy, ['pen,50', 'pen,70']);
  expect(await merged(copy)).toMatchObject({ changed: 1 });
  expect(fs.readFileSync(file, 'utf8')).toContain('pen,fifty');
  await expect(ownFolder(folder)).rejects.toMatchObject({ code: 'corrupt_file' });
  fs.rmSync(file);
  await (await ownFolder(folder))[Symbol.asyncDispose]();
  expect(await stock()).toEqual({ book: 100, pen: 70, cup: 9 });
});

it('of a first file that is broken is refused: there are no good values', async () => {
  fs.writeFileSync(path.join(folder, 'users.csv'), 'user,status\nalice,maybe\n');
  const copying = access.copyTable('users', { onNotice: () => undefined });
  await expect(copying).rejects.toMatchObject({ code: 'corrupt_file' });
});

it('is not taken in when the other table breaks before it was ever read', async () => {
  const copy = await access.copyTable('users');
  save(copy, ['bob,unpaid', 'bob,paid']);
  fs.writeFileSync(path.join(folder, 'inventory.csv'), 'item,quantity\nbook,many\n');
  await expect(copy.merge(how)).rejects.toMatchObject({ code: 'corrupt_file' });
  expect(fs.readFileSync(path.join(folder, 'inventory.csv'), 'utf8')).toContain('many');
});

it('is none of another table, another folder or nowhere', async () => {
  const copy = await access.copyTable('users');
  const notFound = { code: 'not_found' };
  await expect(access.copyTable('inventory', { kept: copy.file })).rejects.toMatchObject(notFound);
  const own = { kept: path.join(folder, 'users.csv') };
  await expect(access.copyTable('users', own)).rejects.toMatchObject(notFound);
  fs.rmSync(copy.file);
  await expect(copy.merge(how)).rejects.toMatchObject(notFound);
  const nowhere = openFolder({ folder: path.join(folder, 'none'), clock: systemClock });
  await expect(nowhere.copyTable('users')).rejects.toMatchObject(notFound);
  expect(fs.existsSync(path.join(folder, 'none'))).toBe(false);
});
