import fs from 'node:fs';
import path from 'node:path';
import type { Mutation } from './list.ts';

export const ROOT = path.resolve(import.meta.dirname, '../..');

/** The mutated text. @throws Error when it does not apply */
export function mutated({ name, file, from, to }: Mutation): string {
  const text = fs.readFileSync(path.join(ROOT, file), 'utf8');
  const parts = text.split(from);
  if (parts.length !== 2) throw new Error(`${name}: its text stands ${parts.length - 1} times in ${file}`);
  return parts.join(to);
}
