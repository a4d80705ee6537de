import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { systemClock } from '../../../src/compose.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';
import { waitFor } from '../../support/wait.ts';

test('a save after a kill that equals an earlier version of the file is not discarded without a word', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-outdated-'));
  const killed = `${folder}-killed`;
  onTestFinished(() => {
    for (const made of [folder, killed]) fs.rmSync(made, { recursive: true });
  });
  const notices: StoreNotice[] = [];
  const open = (of: string): Promise<FileStore> =>
    FileStore.open({
      files: realFileSystem,
      folder: of,
      clock: systemClock,
      user: 'tester',
      via: 'consume',
      onNotice: (notice) => notices.push(notice),
    });
  const written = (status: string): Promise<unknown> =>
    waitFor(
      `bob ${status} in users.csv`,
      async () => {
        await store.users();
        const file = path.join(folder, 'users.csv');
        return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
      },
      (text) => text.includes(`bob,${status}`),
    );
  await using store = await open(folder);
  const by = { by: 'tester', via: 'command' } as const;
  await store.edit({ kind: 'user.add', user: 'bob', status: 'unpaid' }, by);
  await written('unpaid');
  await store.edit({ kind: 'user.update', user: 'bob', status: 'paid' }, by);
  await written('paid');
  fs.cpSync(folder, killed, { recursive: true, filter: (name) => !path.basename(name).startsWith('owner') });
  fs.writeFileSync(path.join(killed, 'users.csv'), 'user,status\nbob,unpaid\n');

  await using next = await open(killed);
  await waitFor(
    'a word about the file',
    async () => {
      await next.users();
      return notices.map(({ kind }) => kind);
    },
    (kinds) => kinds.includes('file_outdated'),
  );
  expect(notices.map(({ kind }) => kind)).toContain('recovered');
});
