import fs from 'node:fs';
import path from 'node:path';

/*
 * Whether other programs have read a file. Under `relatime`, as Linux and macOS mount by default, the first read of a
 * file moves its time of access on. A file that is written for people gets one on the whole second, which a read
 * hardly ever comes to; what we read ourselves leaves no trace. It goes with the inode, so that it can be looked at
 * when the file has been replaced.
 */

const SECOND_NS = 1_000_000_000n;
/** Linux alone has it, and allows it to the owner of a file alone. */
const { O_NOATIME = 0 } = fs.constants as { O_NOATIME?: number };

/** Opens for reading without leaving a trace where that is allowed. */
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
    // Before the last change: else a read would not move it on.
    fs.lutimesSync(name, Math.floor(mtimeMs / 1_000) - 1, mtimeMs / 1_000);
  } catch {
    // A file system without such times, or a file of another user.
  }
}

/** Tries it: mounted with `noatime`, or with times in whole seconds, no read shows. */
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
