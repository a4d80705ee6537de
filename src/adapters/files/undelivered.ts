import path from 'node:path';
import type { Outgoing } from '../../ports/store.ts';
import { writeFresh } from './checkpoint.ts';
import type { FileSystem } from './fs.ts';
import { innerFolder } from './recover.ts';
import { outgoingLine, renderLine } from './tables.ts';

/**
 * Keeps records that the broker refuses for good, one file each, named by the record: one that is refused again
 * after a crash takes the place of the first. Durable when this resolves.
 */
export async function keepUndelivered(
  files: FileSystem,
  folder: string,
  records: readonly Outgoing[],
): Promise<void> {
  if (records.length === 0) return;
  const inner = innerFolder(folder);
  const kept = path.join(inner, 'undelivered');
  files.makeDirectory(kept);
  await files.syncDirectory(inner);
  for (const record of records) {
    const name = path.join(kept, `${encodeURIComponent(record.id)}.json`);
    await writeFresh(files, `${name}.tmp`, [Buffer.from(renderLine(outgoingLine({ ...record, number: 0 })))]);
    files.rename(`${name}.tmp`, name);
  }
  await files.syncDirectory(kept);
}
