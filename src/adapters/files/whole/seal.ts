import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import { corruptState } from '../journal/checkpoint.ts';
import { innerFolder } from '../layout.ts';
import { readWhole, replaceFile } from '../whole-files.ts';
import type { FormerCsv } from './former-csvs.ts';

/* A folder that must not be changed: it was copied to another store, is an incomplete copy, or is being replaced. */

/** Why the folder is sealed. */
export type Seal =
  | {
      readonly why: 'copied' | 'incomplete';
      /** The store that it was copied to, or is being copied from. */
      readonly store: string;
      readonly storeId: string;
    }
  | {
      /** The complete replacement is inside the folder: the next owner puts it in place (replace.ts). */
      readonly why: 'replacing';
      /** All files of the replacement, relative to the folder. */
      readonly files: readonly string[];
      /** The CSVs as they were: a user may have saved one since. */
      readonly csvs: readonly FormerCsv[];
    };

function sealFile(folder: string): string {
  return path.join(innerFolder(folder), 'sealed.json');
}

/** @throws Failure corrupt_state */
export function readSeal(files: FileSystem, folder: string): Seal | null {
  const name = sealFile(folder);
  const bytes = readWhole(files, name);
  if (bytes === undefined) return null;
  try {
    return JSON.parse(bytes.toString('utf8')) as Seal;
  } catch {
    throw corruptState(name, 'it is not the JSON that orderctl writes');
  }
}

/** Durable when this resolves. */
export async function writeSeal(files: FileSystem, folder: string, seal: Seal): Promise<void> {
  await replaceFile(files, sealFile(folder), Buffer.from(`${JSON.stringify(seal)}\n`));
  await files.syncDirectory(innerFolder(folder));
}

export async function removeSeal(files: FileSystem, folder: string): Promise<void> {
  files.unlink(sealFile(folder));
  await files.syncDirectory(innerFolder(folder));
}

/**
 * A folder that is being replaced is not refused, since replacing it continues before anything else.
 *
 * @param to what it may have been copied to; null: nothing
 * @throws Failure folder_in_use
 */
export function refuseSealed(files: FileSystem, folder: string, to: string | null = null): void {
  const seal = readSeal(files, folder);
  if (seal === null || seal.why === 'replacing' || (seal.why === 'copied' && seal.store === to)) return;
  throw new Failure(
    'folder_in_use',
    seal.why === 'copied'
      ? `${folder} was copied to ${seal.store}, and is sealed`
      : `${folder} is an incomplete copy of ${seal.store}`,
    {
      fix:
        seal.why === 'copied'
          ? `use that store; to use this folder instead and give up that store, remove ${sealFile(folder)}`
          : 'continue the copy, or remove the folder',
      context: { file: sealFile(folder) },
    },
  );
}

/** @throws Failure folder_in_use: it is half replaced until its next owner has continued */
export function refuseHalfReplaced(files: FileSystem, folder: string): void {
  if (readSeal(files, folder)?.why !== 'replacing') return;
  throw new Failure(
    'folder_in_use',
    `the files of ${folder} are being replaced, or replacing them was interrupted`,
    {
      fix: { kind: 'finish_replacing' },
      context: { file: folder },
    },
  );
}
