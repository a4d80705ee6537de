import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TextFile } from '../../domain/checkout/text-file.ts';
import { Failure } from '../../domain/failure.ts';

/**
 * Reads the files of a folder, sorted by name, except hidden files and editors' backups.
 *
 * @param isWanted whether the folder must exist; otherwise a missing folder counts as empty
 * @throws Failure not_found, invalid_value: it is not a folder of text files
 */
export async function readTextFiles(folder: string, isWanted: boolean): Promise<TextFile[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      if (!isWanted) return [];
      throw new Failure('not_found', `folder ${folder} does not exist`, {
        fix: 'create it, or name another',
      });
    }
    throw unreadable(folder, error);
  }
  const files = names.filter((name) => !name.startsWith('.') && !name.endsWith('~')).sort();
  return Promise.all(
    files.map(async (name) => {
      const path = join(folder, name);
      const text = await readFile(path, 'utf8').catch((error: unknown) => {
        throw unreadable(path, error);
      });
      return { name, path, text };
    }),
  );
}

function unreadable(path: string, error: unknown): Failure {
  return new Failure('invalid_value', `${path} cannot be read: ${(error as Error).message}`, {
    fix: 'check its path and permissions',
    context: { file: path },
  });
}
