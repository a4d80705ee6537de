import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import path from 'node:path';

/** Of the folder, or of the nearest one above it that is there: where it would be made. */
export function roomOf(folder: string): { freeBytes: number; writable: boolean } {
  let nearest = folder;
  while (!existsSync(nearest)) nearest = path.dirname(nearest);
  const { bavail, bsize } = statfsSync(nearest);
  try {
    accessSync(nearest, constants.W_OK);
    return { freeBytes: bavail * bsize, writable: true };
  } catch {
    return { freeBytes: bavail * bsize, writable: false };
  }
}
