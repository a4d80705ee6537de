import { readlinkSync, statSync } from 'node:fs';
import { Failure } from '../../domain/failure.ts';
import { systemFailure } from '../../domain/system-failure.ts';
import { ownership } from './access.ts';
import { errorCode } from './fs.ts';

/**
 * @param fix the fix when it is a file
 * @throws Failure invalid_value: it is a file; not_found: it is a dangling link
 */
export function checkIsFolder(
  folder: string,
  fix = 'name the folder that has users.csv and inventory.csv, or will have them',
): void {
  const target = brokenLink(folder);
  if (target !== null) {
    throw new Failure('not_found', `${folder} is a link to ${target}, which does not exist`, {
      fix: 'mount or create the target, remove the link, or name another folder',
      context: { file: folder },
    });
  }
  if (!isFile(folder)) return;
  throw new Failure('invalid_value', `${folder} is a file, not a folder`, {
    fix,
    context: { file: folder },
  });
}

/** The target of a dangling link; null for anything else. */
function brokenLink(folder: string): string | null {
  try {
    return statSync(folder, { throwIfNoEntry: false }) === undefined ? readlinkSync(folder) : null;
  } catch {
    // Not a link, or one that may not be read.
    return null;
  }
}

function isFile(folder: string): boolean {
  try {
    return statSync(folder, { throwIfNoEntry: false })?.isFile() ?? false;
  } catch (error) {
    // A user without permission gets an error from the next call.
    if (errorCode(error) === 'EACCES') return false;
    throw systemFailure(error, { file: folder, doing: 'read', ...ownership(folder) });
  }
}
