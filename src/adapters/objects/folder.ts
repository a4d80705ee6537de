import { open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { makeDirectory } from '../../directories.ts';
import type { Objects } from '../../ports/outside/objects.ts';

/** Objects in a folder, which is created if missing. @param folder its path @param name the path as the user gave it */
export function createFolderObjects(folder: string, name: string): Objects {
  return {
    name,
    async put(file, bytes) {
      const target = path.join(folder, file);
      if ((await readIfExists(target))?.equals(bytes) === true) return 'unchanged';
      makeDirectory(folder);
      // Readers see the old file or the new one, never a part.
      const temporary = `${target}.tmp`;
      const handle = await open(temporary, 'w');
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await rename(temporary, target);
      return 'written';
    },
  };
}

async function readIfExists(file: string): Promise<Buffer | undefined> {
  try {
    return await readFile(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
