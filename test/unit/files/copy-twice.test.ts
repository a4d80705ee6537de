import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { systemClock } from '../../../src/compose.ts';

test('a copy that was taken in is not taken in once more by --resume', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-copy-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  const access = openFolder({ folder, clock: systemClock });
  const how = { via: 'command', onNotice: () => undefined } as const;
  await access.edit({ kind: 'item.add', item: 'book', quantity: 100 }, how);
  const copy = await access.copyTable('inventory');
  fs.writeFileSync(copy.file, fs.readFileSync(copy.file, 'utf8').replace('book,100', 'book,120'));
  {
    // As by an owner that is killed before it can say so.
    await using store = await FileStore.open({
      files: realFileSystem,
      folder,
      clock: systemClock,
      user: 'tester',
      via: 'consume',
      onNotice: () => undefined,
    });
    await store.mergeCopy('inventory', path.basename(path.dirname(copy.file)), {
      by: 'tester',
      via: 'command',
    });
  }
  const resumed = await access.copyTable('inventory', copy.file);
  await expect(resumed.merge(how)).rejects.toMatchObject({ code: 'already_exists' });
  await using reader = await access.read();
  expect([...(await reader.items())][0]?.quantity).toBe(120);
});
