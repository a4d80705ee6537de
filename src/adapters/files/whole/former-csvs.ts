import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import { keptName, listKeptAside } from '../csv/kept-aside.ts';
import type { FileSystem } from '../fs.ts';
import type { TableName } from '../tables/columns.ts';
import { fingerprintFile, sameFingerprint, type FileFingerprint } from '../tables/fingerprint.ts';
import { readWhole } from '../whole-files.ts';

/* The CSVs of a folder that is replaced: users may save them at any time, and no save is overwritten. */

/** A CSV as it was last applied. */
export interface FormerCsv {
  readonly table: TableName;
  /** Relative to the folder. */
  readonly name: string;
  /** null: it did not exist. */
  readonly fingerprint: FileFingerprint | null;
}

/** @throws Failure changed_since */
export function refuseSaves(files: FileSystem, folder: string, csvs: readonly FormerCsv[]): void {
  for (const csv of csvs) if (isSaved(files, folder, csv)) throw savedMeanwhile(csv.name);
}

/** Sets aside, durably, a save that another file is about to replace. */
export async function keepSave(files: FileSystem, folder: string, csv: FormerCsv): Promise<void> {
  if (!isSaved(files, folder, csv)) return;
  const file = path.join(folder, csv.name);
  const inode = files.stat(file)?.inode;
  const isKept = listKeptAside(files, folder).some((one) => files.stat(one.file)?.inode === inode);
  for (let number = 1; !isKept; number++)
    if (files.link(file, path.join(folder, keptName(csv.table, 'overtaken', number)))) break;
  await files.syncDirectory(folder);
}

function isSaved(files: FileSystem, folder: string, { name, fingerprint }: FormerCsv): boolean {
  const bytes = readWhole(files, path.join(folder, name));
  return bytes !== undefined && !sameFingerprint(fingerprint, fingerprintFile(bytes));
}

export function savedMeanwhile(name: string): Failure {
  return new Failure('changed_since', `${name} was saved meanwhile: nothing was changed`, {
    fix: 'run this again',
    context: { file: name },
  });
}
