import path from 'node:path';
import { writeFresh } from './journal/checkpoint.ts';
import type { FileSystem } from './fs.ts';
import { innerFolder } from './journal/recover.ts';

/** Puts a whole file in the place of one of that name. Its name is durable once the directory is synced. */
export async function replaceFile(files: FileSystem, name: string, bytes: Buffer): Promise<void> {
  await writeFresh(files, `${name}.tmp`, [bytes]);
  files.rename(`${name}.tmp`, name);
}

/** Keeps a file of that name in the inner folder. Durable when this resolves. @returns its path */
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
