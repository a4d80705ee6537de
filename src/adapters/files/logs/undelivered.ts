import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { OutgoingRecord, Undelivered } from '../../../ports/store.ts';
import { readWhole, replaceFile } from '../whole-files.ts';
import type { FileSystem } from '../fs.ts';
import { innerFolder } from '../layout.ts';
import { parseUndelivered, renderUndelivered } from '../outbox/outgoing-line.ts';

const SUFFIX = '.json';
/** A file's name has at most 255 bytes; a topic's name may have 249. */
const LONGEST_NAME = 200;
/** Headers about when and how often the record failed, not about its content. */
const OF_THE_FAILURE = new Set(['x-failed-at', 'x-attempts']);

/**
 * Keeps records that the broker refuses for good, one file each. A record that is refused again, after a crash or when
 * it is read again, replaces the first. Durable when this resolves.
 */
export async function keepUndelivered(
  files: FileSystem,
  folder: string,
  records: readonly OutgoingRecord[],
): Promise<void> {
  if (records.length === 0) return;
  const inner = innerFolder(folder);
  const kept = path.join(inner, 'undelivered');
  files.makeDirectory(kept);
  await files.syncDirectory(inner);
  for (const record of records) {
    const file = path.join(kept, await fileFor(files, kept, record));
    await replaceFile(files, file, Buffer.from(renderUndelivered(record)));
  }
  await files.syncDirectory(kept);
}

/** Offsets repeat in a topic that was deleted and recreated: another record with the same id gets a name of its own. */
async function fileFor(files: FileSystem, kept: string, record: OutgoingRecord): Promise<string> {
  const stem = await stemOf(record.id);
  const bytes = readWhole(files, path.join(kept, `${stem}${SUFFIX}`));
  if (bytes === undefined) return `${stem}${SUFFIX}`;
  const first = recordOf(bytes);
  const content = contentOf(record);
  if (first !== null && contentOf(first) === content) return `${stem}${SUFFIX}`;
  return `${stem}~${(await sha256(content)).slice(0, 8)}${SUFFIX}`;
}

/** The file has the whole id. Only names that were cut have a plus sign. */
async function stemOf(id: string): Promise<string> {
  const encoded = encodeURIComponent(id);
  if (encoded.length <= LONGEST_NAME) return encoded;
  return `${encoded.slice(0, LONGEST_NAME - 33)}+${(await sha256(id)).slice(0, 32)}`;
}

/** Equal for the same record when it failed again. */
function contentOf(record: OutgoingRecord): string {
  const headers = record.headers.filter(([name]) => !OF_THE_FAILURE.has(name));
  return renderUndelivered({ ...record, headers });
}

async function sha256(text: string): Promise<string> {
  const { createHash } = await import('node:crypto');
  return createHash('sha256').update(text).digest('hex');
}

/** @returns null when these are not the bytes of a kept record */
function recordOf(bytes: Buffer): OutgoingRecord | null {
  try {
    return parseUndelivered(bytes);
  } catch {
    return null;
  }
}

/** The kept records in order of their file names, one in memory at a time. @throws Failure corrupt_file */
export async function* readUndelivered(files: FileSystem, folder: string): AsyncGenerator<Undelivered> {
  const kept = path.join(innerFolder(folder), 'undelivered');
  for (const file of files.list(kept).sort()) {
    // A file that a crash left half written has another extension.
    if (!file.endsWith(SUFFIX)) continue;
    const bytes = readWhole(files, path.join(kept, file));
    if (bytes === undefined) continue;
    const record = recordOf(bytes);
    if (record === null) throw unreadable(path.join(kept, file));
    // Users may have put files of any name here.
    const [, digest = ''] = /(~[0-9a-f]{8})\.json$/.exec(file) ?? [];
    yield { ...record, name: record.id + digest };
  }
}

function unreadable(file: string): Failure {
  return new Failure('corrupt_file', `${file} is not a record that orderctl wrote`, {
    fix: 'restore it from a backup, or move it out of the folder',
    context: { file },
  });
}
