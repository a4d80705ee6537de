import fs from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { makeArchiveFolder } from '../../../src/adapters/postgres/archive/files.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const makeFolder = temporaryFolder();
const inodeOf = (name: string): number => fs.statSync(name).ino;

/** The inodes of what is synced from now on, in this order. */
async function watchSyncs(): Promise<number[]> {
  const synced: number[] = [];
  const handle = await open(import.meta.filename);
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const sync = Reflect.get(prototype, 'sync');
  const spy = vi.spyOn(prototype, 'sync').mockImplementation(async function (this: FileHandle) {
    await Reflect.apply(sync, this, []);
    synced.push((await this.stat()).ino);
  });
  onTestFinished(() => spy.mockRestore());
  return synced;
}

test('the folder of an archive is durable with all that was made above it, or that a run before has made', async () => {
  const synced = await watchSyncs();
  const folder = makeFolder();
  const archive = path.join(folder, 'old', 'orders');
  for (const run of ['the first', 'one after a run that was killed']) {
    await makeArchiveFolder(archive);
    expect(fs.statSync(archive).isDirectory(), run).toBe(true);
    expect(synced.splice(0).slice(0, 2), run).toEqual([path.dirname(archive), folder].map(inodeOf));
  }
});

test.skipIf(!fs.existsSync('/proc/self'))('an archive ends where the system makes no folder', async () => {
  await expect(makeArchiveFolder('/proc/x/y')).rejects.toMatchObject({
    code: 'write_failed',
    message: expect.stringContaining('no folder can be created there') as unknown,
  });
});
