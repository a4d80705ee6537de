import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { Outgoing } from '../../../ports/store.ts';
import { readWhole, type FileSystem } from '../fs.ts';
import { replaceFile } from '../kept-file.ts';
import { innerFolder } from '../journal/recover.ts';
import { outgoingLine, parseOutgoing, renderLine } from '../tables/tables.ts';

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
    await replaceFile(files, name, Buffer.from(renderLine(outgoingLine({ ...record, number: 0 }))));
  }
  await files.syncDirectory(kept);
}

/** What was kept, one record in memory at a time, in order of their names. @throws Failure corrupt_file */
export async function* readUndelivered(files: FileSystem, folder: string): AsyncGenerator<Outgoing> {
  const kept = path.join(innerFolder(folder), 'undelivered');
  for (const file of files.list(kept).sort()) {
    // What a crash left half written has another ending.
    if (!file.endsWith('.json')) continue;
    const name = path.join(kept, file);
    const bytes = readWhole(files, name);
    if (bytes === undefined) continue;
    let record: Outgoing;
    try {
      record = parseOutgoing(bytes);
    } catch (error) {
      throw new Failure('corrupt_file', `${name} holds no record that orderctl kept`, {
        fix: 'restore it from a backup, or move it out of the folder',
        context: { file: name },
        cause: error,
      });
    }
    yield record;
  }
}
