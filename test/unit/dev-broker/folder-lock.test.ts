import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';

import { FolderInUseError, lockFolder } from '../../../src/dev-broker/folder-lock.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const folder = temporaryFolder();
afterEach(() => vi.restoreAllMocks());

/** A socket that somebody listens on, or that a killed process has left. */
async function socketIn(place: string, name: string, isAlive: boolean): Promise<void> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(path.join(place, `${name}.own`), resolve));
  fs.linkSync(path.join(place, `${name}.own`), path.join(place, name));
  server.unref();
  if (!isAlive) await new Promise((resolve) => server.close(resolve));
}

it('gives up when two others came and one went between its look and its lock', async () => {
  const place = folder();
  await socketIn(place, 'lock-7', false);
  await socketIn(place, 'later', true);
  // It sees the lock of a killed process. Then one took lock-8 and was killed, and one took lock-9, which lives.
  const readdir = vi.spyOn(fs, 'readdirSync').mockImplementationOnce(() => {
    fs.rmSync(path.join(place, 'lock-7'));
    fs.renameSync(path.join(place, 'later'), path.join(place, 'lock-9'));
    return ['lock-7'] as unknown as ReturnType<typeof fs.readdirSync>;
  });
  await expect(lockFolder(place)).rejects.toThrow(FolderInUseError);
  expect(readdir).toHaveBeenCalledTimes(2);
  // The next process sees the one that lives.
  await expect(lockFolder(place)).rejects.toThrow(FolderInUseError);
  expect(fs.existsSync(path.join(place, 'lock-9'))).toBe(true);
});
