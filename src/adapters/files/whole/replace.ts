import { rmSync } from 'node:fs';
import path from 'node:path';
import type { FileSystem } from '../fs.ts';
import { innerFolder, isStoreFile, STATE_FILE } from '../layout.ts';
import { keepSave, refuseSaves, type FormerCsv } from './former-csvs.ts';
import { readSeal, removeSeal, writeSeal } from './seal.ts';

/*
 * Replaces all files of a folder with those of another one, which was created inside it. The seal records that,
 * durably, once the other one is complete: from then on the old files are no longer needed, and the next owner of the
 * folder continues. Each step may be repeated.
 */

/** Where the folder that is to replace it is created. */
export function replacementOf(folder: string): string {
  return path.join(innerFolder(folder), 'replacement');
}

/** Removes what is left of a replacement that failed, or that was put in place. */
export function clearReplacement(folder: string): void {
  rmSync(replacementOf(folder), { recursive: true, force: true });
}

/**
 * Replaces the files of the folder with the replacement, which is complete and closed.
 *
 * @param csvs the CSVs that it was made from
 * @throws Failure changed_since: a user has saved one of them
 */
export async function replaceFolder(
  files: FileSystem,
  folder: string,
  csvs: readonly FormerCsv[],
): Promise<void> {
  const made = replacementOf(folder);
  const names = madeFiles(files, made);
  for (const name of ['.', '.orderctl', UNDELIVERED]) await syncDirectory(files, path.join(made, name));
  refuseSaves(files, folder, csvs);
  await writeSeal(files, folder, { why: 'replacing', files: names, csvs });
  await finishReplacement(files, folder);
}

/** Continues a replacement, if there is one; durable when this resolves. Only for the owner of the folder. */
export async function finishReplacement(files: FileSystem, folder: string): Promise<void> {
  const seal = readSeal(files, folder);
  if (seal?.why !== 'replacing') return;
  const made = replacementOf(folder);
  files.makeDirectory(path.join(folder, UNDELIVERED));
  for (const name of seal.files) {
    const [from, to] = [path.join(made, name), path.join(folder, name)];
    // It is in place already.
    if (files.stat(from) === undefined) continue;
    for (const csv of seal.csvs) if (csv.name === name) await keepSave(files, folder, csv);
    keepAccess(files, from, to);
    files.rename(from, to);
  }
  const kept = new Set(seal.files);
  const unfinished = files.list(folder).filter((name) => UNFINISHED.test(name));
  for (const name of [...ownFiles(files, folder), ...unfinished])
    if (!kept.has(name)) files.unlink(path.join(folder, name));
  removeFormer(files, folder);
  for (const name of ['.', '.orderctl', UNDELIVERED]) await syncDirectory(files, path.join(folder, name));
  await removeSeal(files, folder);
  clearReplacement(folder);
}

/** Users who could read the old file can read the new one, and no others. */
function keepAccess(files: FileSystem, from: string, to: string): void {
  const access = files.stat(to)?.access;
  if (access === undefined) return;
  const fd = files.open(from, 'read');
  try {
    files.setAccess(fd, access);
  } finally {
    files.close(fd);
  }
}

const UNDELIVERED = path.join('.orderctl', 'undelivered');
const UNFINISHED = /^(?:users|inventory)\.csv\.(?:new|previous)$/;

/** All files of the folder that was created for this, relative to it. */
function madeFiles(files: FileSystem, made: string): string[] {
  const top = files.list(made).filter((name) => name !== '.orderctl');
  return [...top, ...ownFiles(files, made)];
}

/** The files that only a store writes; not the logs next to them, which are all replaced. */
function ownFiles(files: FileSystem, folder: string): string[] {
  const inner = innerFolder(folder);
  const own = files.list(inner).filter((name) => isStoreFile(name));
  const undelivered = files
    .list(path.join(folder, UNDELIVERED))
    .map((name) => path.join('undelivered', name));
  // The checkpoint last: the files that it names must exist before it.
  const last = own.filter((name) => name === STATE_FILE);
  return [...own.filter((name) => name !== STATE_FILE), ...undelivered, ...last].map((name) =>
    path.join('.orderctl', name),
  );
}

/** Removes the earlier formats that upgrades have kept. */
function removeFormer(files: FileSystem, folder: string): void {
  const inner = innerFolder(folder);
  for (const name of files.list(inner)) {
    if (/^before-\d+$/.test(name)) rmSync(path.join(inner, name), { recursive: true, force: true });
  }
}

async function syncDirectory(files: FileSystem, directory: string): Promise<void> {
  if (files.stat(directory) !== undefined) await files.syncDirectory(directory);
}
