import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../error-code.ts';

/** The data folder of the PostgreSQL of a shop that was started with --split. */
export function dataIn(storage: string): string {
  return join(storage, 'postgres');
}

/**
 * Finds the running PostgreSQL of this folder by its pidfile. That file remains if PostgreSQL is killed, and then its
 * process number may be reused by another program.
 *
 * @returns the address, and the URL for --store; null: none runs
 */
export function databaseIn(storage: string): { readonly address: string; readonly url: string } | null {
  const file = join(dataIn(storage), 'data', 'postmaster.pid');
  if (!existsSync(file)) return null;
  // PostgreSQL's pidfile.h: process, data folder, start, port.
  const [pid = '', , , port = ''] = readFileSync(file, 'utf8').split('\n');
  if (!isRunning(Number(pid))) return null;
  const address = `127.0.0.1:${port}`;
  // User and database are those of deploy/postgres/server.mjs.
  return { address, url: `postgres://orderctl@${address}/orderctl` };
}

/** The fix for a command that found no store of files in the folder. */
export function wayToDatabase(storage: string): string {
  const found = databaseIn(storage);
  return found === null
    ? 'start its database with "orderctl up --split", which prints the --store for other commands'
    : `name its database: --store ${found.url}`;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // A process of another user may not be signalled, but exists.
    return errorCode(error) !== 'ESRCH';
  }
}
