import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Of Linux, in memory: a sync takes no time there. */
const MEMORY = '/dev/shm';
/** Several times what all tests leave there at a time. */
const NEEDED_BYTES = 2 ** 31;

/**
 * Lets tests write into memory, where that is possible and nobody asked for another place by TMPDIR: half of their time
 * was syncs to disk. Those of `npm run test:long` and of a real Kafka write to disk.
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

/** Of a file system that takes files of this user; 0: there is none. */
function freeBytes(folder: string): number {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    const { bavail, bsize } = fs.statfsSync(folder);
    return bavail * bsize;
  } catch {
    return 0;
  }
}

/** Not where it is mounted without that, as in containers. */
function runsPrograms(folder: string): boolean {
  const program = path.join(folder, 'program');
  fs.writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
  return spawnSync(program).status === 0;
}
