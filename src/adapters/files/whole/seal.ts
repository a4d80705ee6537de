import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { FileSystem } from '../fs.ts';
import { corruptState } from '../journal/checkpoint.ts';
import { innerFolder } from '../layout.ts';
import { readWhole, replaceFile } from '../whole-files.ts';
import type { FormerCsv } from './former-csvs.ts';

/* A folder that nobody may change: it was copied to another store, is a copy that is not whole yet, or is being replaced. */

/** Why it is sealed. */
export type Seal =
  | {
      readonly why: 'copied' | 'incomplete';
      /** What it was copied to, or is copied from. */
      readonly store: string;
      readonly storeId: string;
    }
  | {
      /** What is to take its place lies in it, whole: the next owner puts it there (replace.ts). */
      readonly why: 'replacing';
      /** All of that, relative to the folder. */
      readonly files: readonly string[];
      /** As they were: a user may have saved one since. */
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
 * One that is being replaced is not refused: that goes on before anything else.
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
      : `${folder} is a copy of ${seal.store} that is not whole yet`,
    {
      fix:
        seal.why === 'copied'
          ? `use that store; to go on with this one and give that one up, remove ${sealFile(folder)}`
          : 'go on with the copy, or remove the folder',
      context: { file: sealFile(folder) },
    },
  );
}

/** @throws Failure folder_in_use: it is neither what it was nor what it is to be until its next owner has gone on */
export function refuseHalfReplaced(files: FileSystem, folder: string): void {
  if (readSeal(files, folder)?.why !== 'replacing') return;
  throw new Failure('folder_in_use', `the files of ${folder} are being replaced, or that was interrupted`, {
    fix: { kind: 'finish_replacing' },
    context: { file: folder },
  });
}
