import path from 'node:path';
import type { FileSystem } from '../fs.ts';
import { journalPath, STATE_FILE } from '../layout.ts';
import { FORMAT } from './checkpoint.ts';
import type { LoadedFolder } from './recover.ts';

/*
 * A folder of the previous format is read as it is; the first checkpoint of its next owner is of the current one.
 * What that replaces is kept first: the checkpoint, its snapshot and the journals after it. These are never written
 * again, so a second name for each serves as a copy. Lines of the logs stay as they are: what a later format adds to
 * them is optional.
 */

/** Where what an upgrade replaced is kept. */
export function formerFolder(inner: string): string {
  return path.join(inner, `before-${FORMAT}`);
}

/** Keeps what the upgrade replaces; durable when this resolves. After a crash it keeps the same again. */
export async function keepFormer(files: FileSystem, inner: string, loaded: LoadedFolder): Promise<void> {
  const { state, journal } = loaded;
  const kept = formerFolder(inner);
  files.makeDirectory(kept);
  const names = [path.join(inner, STATE_FILE), path.join(inner, state.tables.file)];
  for (let { number } = state.journal; number <= journal.number; number++) {
    names.push(journalPath(inner, number));
  }
  for (const name of names) {
    const to = path.join(kept, path.basename(name));
    // From an earlier upgrade, if a backup was restored since.
    files.unlink(to);
    files.link(name, to);
  }
  // What a crash has left of it: no state.json has named that.
  for (const name of files.list(inner)) if (/^outbox\.\d+$/.test(name)) files.unlink(path.join(inner, name));
  await files.syncDirectory(kept);
  await files.syncDirectory(inner);
}
