import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { Outgoing, Undelivered } from '../../../ports/store.ts';
import { readWhole, replaceFile } from '../whole-files.ts';
import type { FileSystem } from '../fs.ts';
import { innerFolder } from '../layout.ts';
import { outgoingLine, parseOutgoing, renderLine } from '../tables/state-line.ts';

const SUFFIX = '.json';

/**
 * Keeps records that the broker refuses for good, one file each. One that is refused again, after a crash or when it
 * is read again, takes the place of the first. Durable when this resolves.
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
    const file = path.join(kept, `${encodeURIComponent(await nameFor(files, kept, record))}${SUFFIX}`);
    await replaceFile(files, file, Buffer.from(renderLine(outgoingLine({ ...record, number: 0 }))));
  }
  await files.syncDirectory(kept);
}

/** Offsets come again in a topic that was deleted and created again: another record of that id gets a name of its own. */
async function nameFor(files: FileSystem, kept: string, { id, key, value }: Outgoing): Promise<string> {
  const bytes = readWhole(files, path.join(kept, `${encodeURIComponent(id)}${SUFFIX}`));
  if (bytes === undefined) return id;
  const first = recordOf(bytes);
  if (first !== null && sameBytes(first.key, key) && sameBytes(first.value, value)) return id;
  const { createHash } = await import('node:crypto');
  const content = JSON.stringify([key, value].map((part) => part && Buffer.from(part).toString('base64')));
  return `${id}~${createHash('sha256').update(content).digest('hex').slice(0, 8)}`;
}

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0;
}

/** null: these are not the bytes of a record that was kept. */
function recordOf(bytes: Buffer): Outgoing | null {
  try {
    return parseOutgoing(bytes);
  } catch {
    return null;
  }
}

/** What was kept, one record in memory at a time, in order of their names. @throws Failure corrupt_file */
export async function* readUndelivered(files: FileSystem, folder: string): AsyncGenerator<Undelivered> {
  const kept = path.join(innerFolder(folder), 'undelivered');
  for (const file of files.list(kept).sort()) {
    // What a crash left half written has another ending.
    if (!file.endsWith(SUFFIX)) continue;
    const bytes = readWhole(files, path.join(kept, file));
    if (bytes === undefined) continue;
    const record = recordOf(bytes);
    if (record === null) throw unreadable(path.join(kept, file));
    // A user may have put a file of any name here.
    const [, digest = ''] = /(~[0-9a-f]{8})\.json$/.exec(file) ?? [];
    yield { ...record, name: record.id + digest };
  }
}

function unreadable(file: string): Failure {
  return new Failure('corrupt_file', `${file} holds no record that orderctl kept`, {
    fix: 'restore it from a backup, or move it out of the folder',
    context: { file },
  });
}
