import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createFolderObjects } from '../../../src/adapters/objects/folder.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const makeFolder = temporaryFolder();

test('a report makes its folder and those above it', async () => {
  const folder = path.join(makeFolder(), 'reports', 'daily');
  const objects = createFolderObjects(folder, 'reports/daily');
  expect(await objects.put('a.csv', Buffer.from('a'), 'text/csv')).toBe('written');
  expect(fs.readFileSync(path.join(folder, 'a.csv'), 'utf8')).toBe('a');
});

test.skipIf(!fs.existsSync('/proc/self'))('a report ends where the system makes no folder', async () => {
  const objects = createFolderObjects('/proc/x/y', '/proc/x/y');
  await expect(objects.put('a.csv', Buffer.from('a'), 'text/csv')).rejects.toThrow("mkdir '/proc/x'");
});
