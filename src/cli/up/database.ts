import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../compose.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { PACKAGE_ROOT } from '../hints.ts';
import type { StorePlace } from '../settings/store.ts';
import { isDatabase } from '../settings/store-type.ts';
import { databaseIn, dataIn } from '../settings/split-folder.ts';
import { answers, checkFree, freeWhereZero } from './ports.ts';
import type { Stack } from './stack.ts';

const PROGRAM = join(PACKAGE_ROOT, 'deploy/postgres/postgres.mjs');

/** Whether a PostgreSQL server that uses the data in this folder is running and listening. */
export async function isDatabaseRunning(storage: string): Promise<boolean> {
  const found = databaseIn(storage);
  return found !== null && (await answers(found.address));
}

/**
 * A folder holds one shop: either in files, or in a database whose data is in the folder.
 *
 * @throws Failure already_exists: the folder has a shop of the other kind
 */
export async function checkPlace(place: StorePlace, isSplit: boolean): Promise<void> {
  const { storage } = place;
  if (isDatabase(storage)) return;
  if (!isSplit) {
    if (!existsSync(join(dataIn(storage), 'data'))) return;
    throw new Failure('already_exists', `the shop in ${storage} is on PostgreSQL`, {
      fix: 'start it with --split; or name another folder with --store DIR',
    });
  }
  if (!(await isOnFiles(place))) return;
  throw new Failure('already_exists', `the shop in ${storage} is on files, which only one process can use`, {
    fix: 'leave out --split; or name another folder with --store DIR, or a database with --store postgres://…',
  });
}

async function isOnFiles(place: StorePlace): Promise<boolean> {
  try {
    return await (await openStore(place)).isThere();
  } catch (error) {
    // It is on PostgreSQL.
    if (isFailure(error, 'already_exists')) return false;
    throw error;
  }
}

/**
 * Starts the PostgreSQL that npm installed, with its data in the folder of the shop.
 *
 * @param port 0: any free port
 * @returns the store in this database
 * @throws Failure port_in_use; not_found: npm did not install PostgreSQL
 */
export async function startDatabase(stack: Stack, storage: string, port: number): Promise<StorePlace> {
  await checkFree(port, '--postgres-port 0');
  const [chosen = port] = await freeWhereZero([port]);
  const args = ['--port', String(chosen), '--data', dataIn(storage)];
  const part = stack.part('postgres', () => args, { program: PROGRAM, announces: true, isGround: true });
  const { database } = (await part.start()) as { database: string };
  stack.useStore(database);
  return { storage: database, storePassword: null };
}
