import path from 'node:path';
import type { FileSystem } from '../fs.ts';
import { journalPath, STATE_FILE } from '../layout.ts';
import { FIRST_WITH_SEGMENTS, FORMAT } from './checkpoint.ts';
import type { LoadedFolder } from './recover.ts';

/*
 * A folder of the previous format is read as it is; the first checkpoint of its next owner is of the current one.
 * What that replaces is kept first: the checkpoint, its snapshot and the journals after it. These are never written
 * again, or only behind their end, so a second name for each serves as a copy. Lines of the logs stay as they are: what a later format adds to
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
  const segments = files.list(inner).filter((name) => /^outbox\.\d+$/.test(name));
  if (state.format >= FIRST_WITH_SEGMENTS) names.push(...segments.map((name) => path.join(inner, name)));
  // What a crash has left of an upgrade: no state.json has named that.
  else for (const name of segments) files.unlink(path.join(inner, name));
  for (const name of names) {
    const to = path.join(kept, path.basename(name));
    // From an earlier upgrade, if a backup was restored since.
    files.unlink(to);
    files.link(name, to);
  }
  await files.syncDirectory(kept);
  await files.syncDirectory(inner);
}
