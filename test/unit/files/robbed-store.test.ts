import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { FileStore } from '../../../src/adapters/files/store.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { FakeClock } from '../../support/fake-clock.ts';

test('an owner that finds another has written ends, and does not try again', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-robbed-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const failures: Error[] = [];
  // Time stands still: nothing but what is asked for comes upon it.
  const clock = Object.assign(new FakeClock(), {
    sleep: (_ms: number, signal?: AbortSignal) =>
      new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve())),
  });
  const open = (): Promise<FileStore> =>
    FileStore.open({
      ...{ files: realFileSystem, folder, clock, user: 'test', via: 'consume' },
      onNotice: () => undefined,
      onFailure: (failure) => failures.push(failure),
    });
  const robbed = await open();
  await using other = await open();
  const edit = { kind: 'user.add', user: 'alice', status: 'paid' } as const;
  const from = { by: 'test', via: 'command' } as const;
  await expect(robbed.edit(edit, from)).rejects.toMatchObject({ code: 'folder_in_use' });
  expect(failures).toMatchObject([{ code: 'folder_in_use' }]);
  await expect(robbed.edit(edit, from)).rejects.toBe(failures[0]);
  await robbed[Symbol.asyncDispose]();
  await other.edit(edit, from);
});
