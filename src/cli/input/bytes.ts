import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { checkFile, type LinesFlag } from './lines.ts';

/** Reads a whole file, or stdin for `-`. @throws Failure not_found, invalid_value */
export async function readBytes(file: string, about: LinesFlag): Promise<Buffer> {
  if (file === '-') return buffer(process.stdin);
  await checkFile(file, about);
  return readFile(file);
}
