import path from 'node:path';
import type { FileSystem } from '../fs.ts';
import { journalPath, STATE_FILE } from '../layout.ts';
import { FIRST_WITH_SEGMENTS, FORMAT } from './checkpoint.ts';
import type { LoadedFolder } from './recover.ts';

/*
 * A folder of an earlier format is read as it is; the first checkpoint of its next owner has the current format. The
 * files that it replaces are kept first: the checkpoint, its snapshot and the journals after it. These are never
 * overwritten, at most appended to, so a second name for each serves as a copy. Lines of the logs stay as they are:
 * what a later format adds to them is optional.
 */

/** Where the files that an upgrade replaced are kept. */
export function formerFolder(inner: string): string {
  return path.join(inner, `before-${FORMAT}`);
}

/**
 * Keeps the files that the upgrade replaces; durable when this resolves. After a crash it keeps the same ones again.
 */
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
  // Left by a crash in an upgrade: no state.json has named them.
  else for (const name of segments) files.unlink(path.join(inner, name));
  for (const name of names) {
    const to = path.join(kept, path.basename(name));
    // Left by an earlier upgrade, if a backup was restored since.
    files.unlink(to);
    files.link(name, to);
  }
  await files.syncDirectory(kept);
  await files.syncDirectory(inner);
}
