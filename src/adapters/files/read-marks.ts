import fs from 'node:fs';
import path from 'node:path';

/*
 * Whether other programs have read a file. Under `relatime`, the default of Linux and macOS, the first read of a file
 * updates its access time. A file that users may read is given an access time on the whole second, which a read almost
 * never produces; our own reads leave no trace. The time belongs to the inode, so it can still be read when the file
 * has been replaced.
 */

const SECOND_NS = 1_000_000_000n;
/** Linux only, and only for the owner of a file. */
const { O_NOATIME = 0 } = fs.constants as { O_NOATIME?: number };

/** Opens a file for reading, without updating its access time where that is allowed. */
export function openQuietly(name: string, flags: number): number {
  if (O_NOATIME !== 0) {
    try {
      return fs.openSync(name, flags | O_NOATIME);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error;
    }
  }
  return fs.openSync(name, flags);
}

export function isUnread({ atimeNs }: Pick<fs.BigIntStats, 'atimeNs'>): boolean {
  return atimeNs % SECOND_NS === 0n;
}

/** Does nothing where that is not allowed: then the file counts as read. */
export function markUnread(name: string): void {
  try {
    const { mtimeMs } = fs.lstatSync(name);
    // Before the last change: otherwise a read would not update it.
    fs.lutimesSync(name, Math.floor(mtimeMs / 1_000) - 1, mtimeMs / 1_000);
  } catch {
    // A file system without such times, or a file of another user.
  }
}

/** Tries it out: when mounted with `noatime`, or with times in whole seconds, reads cannot be noticed. */
export function showsReads(directory: string): boolean {
  const name = path.join(directory, `reads.${process.pid}.probe`);
  try {
    fs.writeFileSync(name, 'x', { flag: 'wx' });
    markUnread(name);
    const before = isUnread(fs.statSync(name, { bigint: true }));
    fs.readFileSync(name);
    return before && !isUnread(fs.statSync(name, { bigint: true }));
  } catch {
    return false;
  } finally {
    fs.rmSync(name, { force: true });
  }
}
