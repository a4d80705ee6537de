import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** On Linux, a folder in memory: a sync takes no time there. */
const MEMORY = '/dev/shm';
/** Several times as much as all tests leave there at one time. */
const NEEDED_BYTES = 2 ** 31;

/**
 * Lets tests write into memory, where that is possible and TMPDIR names no other place: half of their time was disk
 * syncs. `npm run test:long` and the tests on a real Kafka write to disk.
 */
export default function start(): (() => void) | undefined {
  if (process.env.TMPDIR !== undefined || freeBytes(MEMORY) < NEEDED_BYTES || os.freemem() < NEEDED_BYTES)
    return;
  const folder = fs.mkdtempSync(path.join(MEMORY, 'orderctl-tests-'));
  const remove = (): void => fs.rmSync(folder, { recursive: true, force: true });
  if (!runsPrograms(folder)) {
    remove();
    return;
  }
  // Some tests run as another user.
  fs.chmodSync(folder, 0o1777);
  process.env.TMPDIR = folder;
  return remove;
}

/** Free bytes for this user in the folder; 0 when it does not exist or is not writable. */
function freeBytes(folder: string): number {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    const { bavail, bsize } = fs.statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/** Whether programs can run there: not where it is mounted noexec, as in containers. */
function runsPrograms(folder: string): boolean {
  const program = path.join(folder, 'program');
  fs.writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  return spawnSync(program).status === 0;
}
