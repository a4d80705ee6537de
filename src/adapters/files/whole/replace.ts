import { rmSync } from 'node:fs';
import path from 'node:path';
import type { FileSystem } from '../fs.ts';
import { innerFolder, isStoreFile, STATE_FILE } from '../layout.ts';
import { keepSave, refuseSaves, type FormerCsv } from './former-csvs.ts';
import { readSeal, removeSeal, writeSeal } from './seal.ts';

/*
 * A folder whose files are all replaced by those of another one, which was made inside it. The seal says so, durably, once
 * the other one is whole: from then on what was there is not needed any more, and its next owner goes on.
 * Each step may be done twice.
 */

/** Where the folder that is to take its place is made. */
export function replacementOf(folder: string): string {
  return path.join(innerFolder(folder), 'replacement');
}

/** What is left of one that came to nothing, or of one that was put in its place. */
export function clearReplacement(folder: string): void {
  rmSync(replacementOf(folder), { recursive: true, force: true });
}

/**
 * Has the replacement, which is whole and closed, take the place of the folder's files.
 *
 * @param csvs of which it was made
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

/** Goes on with a replacement, if there is one; durable when this resolves. Only for the owner of the folder. */
export async function finishReplacement(files: FileSystem, folder: string): Promise<void> {
  const seal = readSeal(files, folder);
  if (seal?.why !== 'replacing') return;
  const made = replacementOf(folder);
  files.makeDirectory(path.join(folder, UNDELIVERED));
  for (const name of seal.files) {
    const [from, to] = [path.join(made, name), path.join(folder, name)];
    // It is there already.
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

/** Who may read what was there may read what takes its place, and nobody else. */
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

/** All of a folder that was made for this, relative to it. */
function madeFiles(files: FileSystem, made: string): string[] {
  const top = files.list(made).filter((name) => name !== '.orderctl');
  return [...top, ...ownFiles(files, made)];
}

/** What only a store writes; not the logs beside it, which all have others in their places. */
function ownFiles(files: FileSystem, folder: string): string[] {
  const inner = innerFolder(folder);
  const own = files.list(inner).filter((name) => isStoreFile(name));
  const undelivered = files
    .list(path.join(folder, UNDELIVERED))
    .map((name) => path.join('undelivered', name));
  // The checkpoint last: what it names is there before it.
  const last = own.filter((name) => name === STATE_FILE);
  return [...own.filter((name) => name !== STATE_FILE), ...undelivered, ...last].map((name) =>
    path.join('.orderctl', name),
  );
}

/** Former formats, of which an upgrade has kept what it replaced. */
function removeFormer(files: FileSystem, folder: string): void {
  const inner = innerFolder(folder);
  for (const name of files.list(inner)) {
    if (/^before-\d+$/.test(name)) rmSync(path.join(inner, name), { recursive: true, force: true });
  }
}

async function syncDirectory(files: FileSystem, directory: string): Promise<void> {
  if (files.stat(directory) !== undefined) await files.syncDirectory(directory);
}
