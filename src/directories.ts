import fs from 'node:fs';
import path from 'node:path';

/** Directories of other users, which may not be read, and file systems that cannot sync a directory. */
const NOT_OURS_TO_SYNC = new Set(['EACCES', 'EPERM', 'EROFS', 'EINVAL']);

/**
 * Makes a directory and those above it that are missing, one at a time: Node's own `recursive` never ends where a
 * parent exists and answers ENOENT, as in /proc.
 *
 * @param onMade after each one that was made, the outermost first
 */
export function makeDirectory(name: string, onMade: (name: string) => void = () => undefined): void {
  try {
    fs.mkdirSync(name);
  } catch (error) {
    if (isDirectory(name)) return;
    const parent = path.dirname(name);
    if (codeOf(error) !== 'ENOENT' || isDirectory(parent)) throw error;
    makeDirectory(parent, onMade);
    makeDirectory(name, onMade);
    return;
  }
  onMade(name);
}

function isDirectory(name: string): boolean {
  return fs.statSync(name, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/**
 * Makes the name of a directory durable, and the names of those above it that may have been made along with it: by
 * this run, or by one that was interrupted before it came here.
 *
 * @param directory its absolute path
 * @param sync syncs the directory of that path
 */
export async function syncNameOf(directory: string, sync: (name: string) => Promise<void>): Promise<void> {
  const parent = path.dirname(directory);
  await sync(parent);
  try {
    for (let up = parent; up !== path.dirname(up);) await sync((up = path.dirname(up)));
  } catch (error) {
    if (!NOT_OURS_TO_SYNC.has(codeOf(error) ?? '')) throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
