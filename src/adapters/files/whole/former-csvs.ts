import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import { keptName, listKeptAside } from '../csv/kept-aside.ts';
import type { FileSystem } from '../fs.ts';
import type { TableName } from '../tables/columns.ts';
import { fingerprintFile, sameFingerprint, type FileFingerprint } from '../tables/fingerprint.ts';
import { readWhole } from '../whole-files.ts';

/* The CSVs of a folder that is replaced: users save them whenever they like, and no save is overwritten. */

/** A CSV as it was taken in. */
export interface FormerCsv {
  readonly table: TableName;
  /** Relative to the folder. */
  readonly name: string;
  /** null: it was not there. */
  readonly fingerprint: FileFingerprint | null;
}

/** @throws Failure changed_since */
export function refuseSaves(files: FileSystem, folder: string, csvs: readonly FormerCsv[]): void {
  for (const csv of csvs) if (isSaved(files, folder, csv)) throw savedMeanwhile(csv.name);
}

/** Keeps a save aside, durably, that another file is about to take the place of. */
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
  return new Failure('changed_since', `${name} was saved meanwhile: nothing is changed`, {
    fix: 'run this again',
    context: { file: name },
  });
}
