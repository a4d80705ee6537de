import fs from 'node:fs';
import type FsPromises from 'node:fs/promises';
import path from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { makeArchiveFolder } from '../../../src/adapters/postgres/archive/files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const { synced } = vi.hoisted(() => ({ synced: [] as string[] }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FsPromises>();
  const open = async (name: string, flags: string): ReturnType<typeof real.open> => {
    const handle = await real.open(name, flags);
    const sync = handle.sync.bind(handle);
    handle.sync = async () => {
      await sync();
      synced.push(name);
    };
    return handle;
  };
  return { ...real, open };
});

const makeFolder = temporaryFolder();
beforeEach(() => void (synced.length = 0));

test('the folder of an archive is durable with all that was made above it, or that a run before has made', async () => {
  const folder = makeFolder();
  const archive = path.join(folder, 'old', 'orders');
  for (const run of ['the first', 'one after a run that was killed']) {
    await makeArchiveFolder(archive);
    expect(fs.statSync(archive).isDirectory(), run).toBe(true);
    expect(synced.splice(0).slice(0, 2), run).toEqual([path.dirname(archive), folder]);
  }
});

test.skipIf(!fs.existsSync('/proc/self'))('an archive ends where the system makes no folder', async () => {
  await expect(makeArchiveFolder('/proc/x/y')).rejects.toMatchObject({
    code: 'write_failed',
    message: expect.stringContaining('no folder can be made there') as unknown,
  });
});
