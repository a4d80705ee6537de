// @ts-check
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import pg from 'pg';
import { CannotStart } from '../kafka/install.mjs';
import { HOST, startService } from '../kafka/services.mjs';
import { commandOf, dataOwner, findBinaries } from './install.mjs';

/** The name of the superuser and of the database. */
const NAME = 'orderctl';

/**
 * PostgreSQL, loopback only, without a password. Its data, kept across restarts, is in `folder/data`.
 *
 * @param {{folder: string, port: number, settings?: Readonly<Record<string, string>>, binaries?: import('./install.mjs').Binaries}} options
 *   `binaries`: by default those that npm ci installed
 * @returns {Promise<import('../kafka/services.mjs').Service>} once it answers; `address` is the URL for --store
 * @throws {CannotStart} 1 when it exits or does not answer, 3 where there is none for this platform, 6 when the data
 * are
 *   those of another version
 */
export async function startPostgres({ folder, port, settings = {}, binaries = findBinaries() }) {
  const root = resolve(folder);
  const data = join(root, 'data');
  if (existsSync(join(data, 'PG_VERSION'))) refuseOtherVersion(data, binaries.version);
  else initialize(binaries, data);
  const url = (/** @type {string} */ database) => `postgres://${NAME}@${HOST}:${port}/${database}`;
  const all = {
    listen_addresses: HOST,
    port: String(port),
    // The path may be too long for a socket, and no client needs one.
    unix_socket_directories: '',
    ...settings,
  };
  const service = await startService({
    name: 'PostgreSQL',
    port,
    address: url(NAME),
    ...commandOf(binaries, 'postgres', [
      '-D',
      data,
      ...Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ]),
    logFile: join(root, 'postgres.log'),
    // Stops without waiting for clients.
    stopSignal: 'SIGINT',
    answers: () => run(url('postgres'), 'SELECT 1').then(() => true),
  });
  const [found] = await run(url('postgres'), `SELECT FROM pg_database WHERE datname = '${NAME}'`);
  if (found === undefined) await run(url('postgres'), `CREATE DATABASE ${NAME}`);
  return service;
}

/**
 * @param {import('./install.mjs').Binaries} binaries
 * @param {string} data
 */
function initialize(binaries, data) {
  mkdirSync(data, { recursive: true, mode: 0o700 });
  const owner = dataOwner();
  if (owner !== null) chownSync(data, owner, owner);
  const { command, args } = commandOf(binaries, 'initdb', [
    '-D',
    data,
    '-U',
    NAME,
    '--auth=trust',
    '-E',
    'UTF8',
    '--no-instructions',
    // Sort text by its bytes, as everywhere else.
    '--locale=C',
  ]);
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new CannotStart(`initdb failed: ${error?.message ?? `${stdout}${stderr}`.slice(-2_000)}`, 1);
}

/**
 * @param {string} data
 * @param {string} version of the package
 */
function refuseOtherVersion(data, version) {
  const found = readFileSync(join(data, 'PG_VERSION'), 'utf8').trim();
  const [ours] = version.split('.');
  if (found === ours) return;
  throw new CannotStart(
    `${data} was made by PostgreSQL ${found}, but this is ${version}: give another folder with --data`,
    6,
  );
}

/**
 * @param {string} url
 * @param {string} statement
 * @returns {Promise<unknown[]>} its rows
 */
async function run(url, statement) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
