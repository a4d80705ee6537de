import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorCode } from '../error-code.ts';

/** The data of the PostgreSQL of a shop that was started with --split. */
export function dataIn(storage: string): string {
  return join(storage, 'postgres');
}

/**
 * The PostgreSQL that has this folder, by the file that it leaves where it is killed. Its process number may be another
 * program's by then.
 *
 * @returns where it listens, and its URL for --store; null: none runs
 */
export function databaseIn(storage: string): { readonly address: string; readonly url: string } | null {
  const file = join(dataIn(storage), 'data', 'postmaster.pid');
  if (!existsSync(file)) return null;
  // PostgreSQL's pidfile.h: process, data folder, start, port.
  const [pid = '', , , port = ''] = readFileSync(file, 'utf8').split('\n');
  if (!isThere(Number(pid))) return null;
  const address = `127.0.0.1:${port}`;
  // The names are those of deploy/postgres/server.mjs.
  return { address, url: `postgres://orderctl@${address}/orderctl` };
}

/** For commands that found no shop on files there. */
export function wayToDatabase(storage: string): string {
  const found = databaseIn(storage);
  return found === null
    ? 'start it with "orderctl up --split", which prints where other commands find it'
    : `name its database: --store ${found.url}`;
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Another user's exists as well.
    return errorCode(error) !== 'ESRCH';
  }
}
