#!/usr/bin/env node
// @ts-check
import { parseArgs } from 'node:util';
import { CannotStart } from '../kafka/install.mjs';
import { endOfLog, parsePort, refuseTakenPort } from '../kafka/services.mjs';
import { startPostgres } from './server.mjs';

const USAGE = `Runs a real PostgreSQL on this machine, without Docker, until Ctrl-C.

Usage
  npm run postgres [-- --port 5432 --data .postgres]

It listens on 127.0.0.1 alone, without a password. Its data is kept in the data folder across restarts and crashes;
delete the folder to begin from scratch. It comes with npm ci, and needs nothing else.

EXAMPLES
  npm run postgres
  npm run postgres -- --port 15432 --data my-data`;

const SAME_SIGNAL_MS = 300;

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @param {string[]} args */
function parseOptions(args) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string', default: '5432' },
        data: { type: 'string', default: '.postgres' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new CannotStart(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, 2);
  }
}

/** Resolves at the first signal; a later one calls `again`: npm passes on the Ctrl-C that we got as well. */
function interrupted(/** @type {() => void} */ again) {
  let askedAt = 0;
  return new Promise((resolve) => {
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
      process.on(signal, () => {
        if (askedAt === 0) {
          askedAt = Date.now();
          resolve(null);
        } else if (Date.now() - askedAt > SAME_SIGNAL_MS) again();
      });
    }
  });
}

async function main() {
  const { port: text, data, help } = parseOptions(process.argv.slice(2));
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const port = parsePort(text, '--port');
  await refuseTakenPort(port, 'PostgreSQL', '--port');
  /** @type {import('../kafka/services.mjs').Service | undefined} */
  let server;
  const stop = interrupted(() => server?.signal('SIGKILL'));
  say('starting PostgreSQL …');
  server = await startPostgres({ folder: data, port });
  say(`ready
  database  ${server.address}   log ${server.logFile}
  data      ${data}, kept across restarts
Ctrl-C stops it.`);
  const died = await Promise.race([stop, server.exited.then(() => server)]);
  if (died !== null) throw new CannotStart(`PostgreSQL has ended by itself. ${endOfLog(server.logFile)}`, 1);
  say('stopping …');
  await server.stop();
  say(`stopped; what was in it is kept in ${data}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  say(`error: ${error.message}`);
  process.exitCode = error.exitCode;
}
