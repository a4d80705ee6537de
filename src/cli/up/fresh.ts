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
 * Puts the shop, on which nothing works, and the data of its broker aside, so that `up` begins with an empty one. Both,
 * since the topics still have the orders of that shop.
 *
 * @param data of the broker that `up` starts
 * @throws Failure usage: the shop is in a database; folder_in_use: something runs on the data; write_failed
 */
export async function putAside({ settings, printer, cwd }: Session, data: string): Promise<void> {
  const { storage } = settings;
  if (isDatabase(storage)) {
    throw new Failure('usage', '--fresh puts a folder aside, and the shop is in a database', {
      fix: 'name another database, or a folder with --store DIR',
    });
  }
  const dataDir = resolve(cwd, data);
  // It may be the broker of another shop, which goes on writing in a folder that is renamed.
  const held = await holdData(dataDir);
  try {
    const kept = keepAll([storage, dataDir], systemClock.now());
    if (kept.length > 0) printer.info(`what was there is kept: ${kept.join(', ')}`);
  } finally {
    await held.release();
  }
}

/** Renames those that are there. @returns their new names @throws Failure write_failed */
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
    // By which git has the folder of a checkout.
    if (existsSync(join(name, MARK_OF_GIT))) {
      mkdirSync(folder);
      writeFileSync(join(folder, MARK_OF_GIT), '');
    }
  }
  return kept;
}
