import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { systemClock } from '../../../src/compose.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const newFolder = temporaryFolder();

async function shop(): Promise<{ access: StoreAccess; file: string; notices: StoreNotice[] }> {
  const notices: StoreNotice[] = [];
  const onNotice = (notice: StoreNotice): void => void notices.push(notice);
  const folder = newFolder();
  const access = openFolder({ folder, clock: systemClock, onNotice });
  for (const item of ['ink', 'pen'])
    await access.edit({ kind: 'item.add', item, quantity: 20 }, { via: 'command', onNotice });
  return { access, file: path.join(folder, 'inventory.csv'), notices };
}

/** Replaces in a file, as an editor that was closed a minute ago. */
function change(file: string, from: string, to: string): void {
  const text = fs.readFileSync(file, 'utf8');
  expect(text).toContain(from);
  fs.writeFileSync(file, text.replace(from, to));
  const past = Date.now() / 1_000 - 60;
  fs.utimesSync(file, past, past);
}

async function stock(access: StoreAccess): Promise<Record<string, number>> {
  await using reader = await access.read();
  return Object.fromEntries([...(await reader.items())].map(({ item, quantity }) => [item, quantity]));
}

it('a quantity below zero in a saved file is a mistake, and the last good values stay', async () => {
  const { access, file, notices } = await shop();
  change(file, 'ink,20', 'ink,-20');
  expect(await stock(access)).toEqual({ ink: 20, pen: 20 });
  const broken = {
    kind: 'file_broken',
    line: 2,
    message: expect.stringContaining('inventory.csv:2: quantity of ink is "-20"') as string,
    fix: 'write a whole number from 0 up in plain digits, such as 20',
  };
  expect(notices).toMatchObject([broken]);
  const onNotice = (notice: StoreNotice): void => void notices.push(notice);
  await access.edit({ kind: 'item.update', item: 'pen', by: -1 }, { via: 'command', onNotice });
  expect(notices.slice(1)).toMatchObject([broken]);
  expect(fs.readFileSync(file, 'utf8')).toContain('ink,-20');

  change(file, 'ink,-20', 'ink,25');
  expect(await stock(access)).toEqual({ ink: 25, pen: 19 });
});

it('a quantity below zero in an edited copy is named with its line', async () => {
  const { access, notices } = await shop();
  const copy = await access.copyTable('inventory');
  change(copy.file, 'pen,20', 'pen,-1');
  const how = { via: 'command', onNotice: () => undefined } as const;
  await expect(copy.merge(how)).rejects.toMatchObject({
    code: 'corrupt_file',
    context: { file: copy.file, line: 3 },
  });
  change(copy.file, 'pen,-1', 'pen,1');
  expect(await copy.merge(how)).toMatchObject({ changed: 1, clamped: [] });
  expect(await stock(access)).toEqual({ ink: 20, pen: 1 });
  expect(notices).toEqual([]);
});

it('of an item that stores sold below zero the file may hold that, as it was and corrected', async () => {
  const { access, file, notices } = await shop();
  {
    await using store = await access.own({ purpose: 'test', via: 'command', onNotice: () => undefined });
    await store.transact({ items: ['ink'] }, (snapshot) => {
      const before = snapshot.item('ink') ?? null;
      const after = before === null ? null : { ...before, quantity: -3 };
      return { changes: { edits: [{ kind: 'item', item: 'ink', before, after }] }, result: undefined };
    });
  }
  change(file, 'pen,20', 'pen,30');
  expect(await stock(access)).toEqual({ ink: -3, pen: 30 });
  change(file, 'ink,-3', 'ink,-1');
  expect(await stock(access)).toEqual({ ink: -1, pen: 30 });
  const copy = await access.copyTable('inventory');
  change(copy.file, 'pen,30', 'pen,31');
  await copy.merge({ via: 'command', onNotice: () => undefined });
  expect(await stock(access)).toEqual({ ink: -1, pen: 31 });
  expect(notices).toEqual([]);
});
