import path from 'node:path';
import type { FileSystem } from '../fs.ts';
import { openOrUndefined } from '../whole-files.ts';
import { orderIdOf } from './parse-order-line.ts';

/** Some hundred orders, as many as a user would choose from. */
const TAIL_BYTES = 128 * 1024;

/** The ids in the last lines of the two logs that start with `prefix`, newest first within each log. */
export function recentOrderIds(
  files: FileSystem,
  folder: string,
  prefix: string,
  limit: number,
): readonly string[] {
  const found = ['orders.jsonl', 'rejections.jsonl'].flatMap((name) =>
    idsAtEnd(files, path.join(folder, name)).filter((id) => id.startsWith(prefix)),
  );
  return found.slice(0, limit);
}

function idsAtEnd(files: FileSystem, name: string): string[] {
  const fd = openOrUndefined(files, name);
  if (fd === undefined) return [];
  try {
    const { sizeBytes } = files.statOpen(fd);
    const tail = Buffer.alloc(Math.min(sizeBytes, TAIL_BYTES));
    files.read(fd, tail, sizeBytes - tail.byteLength);
    const lines = tail.toString('latin1').split('\n');
    return lines.flatMap((line) => orderIdOf(Buffer.from(line, 'latin1')) ?? []).reverse();
  } finally {
    files.close(fd);
  }
}
