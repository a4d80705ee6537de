import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { realFileSystem, type FileSystem } from '../../src/adapters/files/fs.ts';
import { folderAdmin } from '../../src/adapters/files/whole/admin.ts';
import { openFolderSource } from '../../src/adapters/files/whole/source.ts';
import { eraseUser } from '../../src/app/store/erase.ts';
import { systemClock } from '../../src/compose.ts';
import type { StoreAdmin } from '../../src/ports/whole/store-admin.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** The CSVs of a folder from which a user is erased are those of their owner: no save is lost, and they look as before. */

const PSEUDONYM = 'erased-0123456789ab';
const PRIVATE = 0o600;
const makeFolder = temporaryFolder();

async function openShop(): Promise<{ folder: string; admin: StoreAdmin; users: string; inventory: string }> {
  const folder = makeFolder();
  const [users, inventory] = [path.join(folder, 'users.csv'), path.join(folder, 'inventory.csv')];
  const rows = ['user,email,status', 'zoe,z@example.com,paid', 'alice,a@example.com,paid', 'bob,,paid', ''];
  fs.writeFileSync(users, `\ufeff${rows.join('\r\n')}`, { mode: PRIVATE });
  fs.writeFileSync(inventory, 'note,item,quantity\nnew,pen,50\n,book,10\n,arch,3\n');
  const access = openFolder({ folder, clock: systemClock, onNotice: () => undefined });
  const how = { via: 'command', onNotice: () => undefined } as const;
  await access.edit({ kind: 'user.update', user: 'bob', status: 'unpaid' }, how);
  await access.edit({ kind: 'item.add', item: 'aaa', quantity: 1 }, how);
  return { folder, users, inventory, admin: folderAdmin({ folder, clock: systemClock }) };
}

const erase = (admin: StoreAdmin) => eraseUser(admin, { user: 'alice', pseudonym: PSEUDONYM, execute: true });

function save(inventory: string): void {
  fs.writeFileSync(inventory, fs.readFileSync(inventory, 'utf8').replace('pen,50', 'pen,75'));
}

test('they keep their form, and who may read them', async () => {
  const { admin, users, inventory } = await openShop();
  const before = [users, inventory].map((file) => fs.readFileSync(file, 'utf8'));
  await erase(admin);
  expect(fs.readFileSync(users, 'utf8')).toBe(before[0]?.replace('alice,a@example.com', `${PSEUDONYM},`));
  expect(fs.readFileSync(inventory, 'utf8')).toBe(before[1]);
  expect(fs.statSync(users).mode & 0o777).toBe(PRIVATE);
});

test('after a save meanwhile nothing is changed, and the next time it counts', async () => {
  const { admin, folder, inventory } = await openShop();
  const source = async (to: string) => {
    const opened = await admin.source(to);
    save(inventory);
    return opened;
  };
  await expect(erase({ ...admin, source })).rejects.toThrow(/inventory.csv was saved meanwhile/);
  expect(fs.readFileSync(inventory, 'utf8')).toContain('pen,75');
  expect(fs.existsSync(path.join(folder, '.orderctl', 'sealed.json'))).toBe(false);
  await erase(admin);
  expect(fs.readFileSync(inventory, 'utf8')).toContain('pen,75');
});

test('a save at the last moment is kept aside', async () => {
  const { admin, folder, inventory } = await openShop();
  const files: FileSystem = {
    ...realFileSystem,
    rename(from, to) {
      realFileSystem.rename(from, to);
      if (to === path.join(folder, '.orderctl', 'sealed.json')) save(inventory);
    },
  };
  await erase({ ...admin, source: () => openFolderSource(files, folder, systemClock, folder) });
  expect(fs.readFileSync(inventory, 'utf8')).toContain('pen,50');
  const kept = path.join(folder, 'inventory.csv.overtaken.conflict');
  expect(fs.readFileSync(kept, 'utf8')).toContain('pen,75');
});
