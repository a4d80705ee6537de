import path from 'node:path';
import type { FileAccess } from './access.ts';
import { errorCode, type FileSystem } from './fs.ts';
import { innerFolder } from './layout.ts';

/** How much is written before other work may run. */
const CHUNK_BYTES = 256 * 1024;

/** @returns a descriptor for reading, or undefined when the file does not exist */
export function openOrUndefined(files: FileSystem, name: string): number | undefined {
  try {
    return files.open(name, 'read');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The content of a file, or undefined when it does not exist. For files of limited size. */
export function readWhole(files: FileSystem, name: string): Buffer | undefined {
  const fd = openOrUndefined(files, name);
  if (fd === undefined) return undefined;
  try {
    const bytes = Buffer.allocUnsafe(files.statOpen(fd).sizeBytes);
    return bytes.subarray(0, files.read(fd, bytes, 0));
  } finally {
    files.close(fd);
  }
}

/**
 * Writes a new file, replacing a leftover with that name; its bytes are durable when this resolves.
 *
 * @param access sets owner and mode before the file has any bytes
 */
export async function writeFresh(
  files: FileSystem,
  name: string,
  chunks: Iterable<Buffer>,
  access?: FileAccess,
): Promise<void> {
  files.unlink(name);
  const fd = files.open(name, 'create');
  try {
    if (access !== undefined) files.setAccess(fd, access);
    let at = 0;
    for (const chunk of chunks) {
      files.write(fd, chunk, at);
      at += chunk.byteLength;
      if (chunk.byteLength >= CHUNK_BYTES) await new Promise((resolve) => setImmediate(resolve));
    }
    await files.sync(fd);
  } finally {
    files.close(fd);
  }
}

/** Replaces a file as a whole. Its name is durable once the directory is synced. */
export async function replaceFile(files: FileSystem, name: string, bytes: Buffer): Promise<void> {
  await writeFresh(files, `${name}.tmp`, [bytes]);
  files.rename(`${name}.tmp`, name);
}

/** Keeps a file with that name in the inner folder. Durable when this resolves. @returns its path */
export async function keepFile(
  files: FileSystem,
  folder: string,
  name: string,
  text: string,
): Promise<string> {
  const inner = innerFolder(folder);
  const file = path.join(inner, name);
  await replaceFile(files, file, Buffer.from(text));
  await files.syncDirectory(inner);
  return file;
}
