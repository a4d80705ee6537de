import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { Session } from '../session.ts';
import { isDatabase } from '../settings/store-type.ts';
import { holdData } from '../commands/dev.ts';

const MARK_OF_GIT = '.gitkeep';

/**
 * Sets aside the shop, which must not be in use, and the data of its broker, so that `up` starts with an empty shop.
 * Both are set aside because the topics still have the orders of that shop.
 *
 * @param data the folder of the broker that `up` starts
 * @throws Failure usage: the shop is in a database; folder_in_use: a process uses the data; write_failed
 */
export async function putAside({ settings, printer, cwd }: Session, data: string): Promise<void> {
  const { storage } = settings;
  if (isDatabase(storage)) {
    throw new Failure('usage', '--fresh sets aside a folder, but the shop is in a database', {
      fix: 'name another database, or a folder with --store DIR',
    });
  }
  const dataDir = resolve(cwd, data);
  // The broker of another shop may use the data, and would continue to write to the renamed folder.
  const held = await holdData(dataDir);
  try {
    const kept = keepAll([storage, dataDir], systemClock.now());
    if (kept.length > 0) printer.info(`the previous data is kept: ${kept.join(', ')}`);
  } finally {
    await held.release();
  }
}

/** Renames the folders that exist. @returns their new names @throws Failure write_failed */
export function keepAll(folders: readonly string[], now: number): readonly string[] {
  const suffix = isoTime(now).replace(/[-:]|\.\d+/g, '');
  const kept: string[] = [];
  for (const folder of folders) {
    if (!existsSync(folder)) continue;
    const name = `${folder}.kept-${suffix}`;
    try {
      renameSync(folder, name);
    } catch (cause) {
      const so = kept.length === 0 ? '' : `; ${kept.join(', ')} is renamed already`;
      throw new Failure('write_failed', `${folder} cannot be renamed: ${String(cause)}${so}`, {
        fix: 'move it away by hand; or name other folders with --store DIR and --data DIR',
        cause,
      });
    }
    kept.push(name);
    // Git keeps an otherwise empty folder of a checkout by this file.
    if (existsSync(join(name, MARK_OF_GIT))) {
      mkdirSync(folder);
      writeFileSync(join(folder, MARK_OF_GIT), '');
    }
  }
  return kept;
}
