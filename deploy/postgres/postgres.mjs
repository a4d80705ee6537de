#!/usr/bin/env node
// @ts-check
import { parseArgs } from 'node:util';
import { CannotStart } from '../kafka/install.mjs';
import { endOfLog, interrupted, parsePort, refuseTakenPort } from '../kafka/services.mjs';
import { startPostgres } from './server.mjs';

const USAGE = `Runs a real PostgreSQL on this machine, without Docker, until Ctrl-C.

Usage
  npm run postgres [-- --port 5432 --data .postgres -o json]

It listens only on 127.0.0.1, without a password. Its data is kept in the data folder across restarts and crashes;
delete the folder to start from scratch. npm ci installs it; it needs nothing else. With -o json it prints one object when
it is ready, and its messages in the same form as "orderctl".

EXAMPLES
  npm run postgres
  npm run postgres -- --port 15432 --data my-data`;

/** Lets deploy/connect read changes. Not an option: a server that has a replication slot does not start without it. */
const SETTINGS = { wal_level: 'logical' };

let isJson = false;

/** @param {string} message */
function say(message) {
  const line = isJson
    ? JSON.stringify({ type: 'log', level: 'info', at: new Date().toISOString(), message })
    : message;
  process.stderr.write(`${line}\n`);
}

/** The names of failures by exit code, as in `orderctl`. */
const CODES = new Map([
  [1, 'bug'],
  [2, 'usage'],
  [3, 'not_found'],
  [4, 'port_in_use'],
  [6, 'check_failed'],
]);

/** @param {CannotStart} error */
function sayError({ message, exitCode }) {
  const code = CODES.get(exitCode) ?? 'bug';
  const document = { type: 'error', code, exit_code: exitCode, message, fix: null };
  process.stderr.write(`${isJson ? JSON.stringify(document) : `error: ${message}`}\n`);
}

/** @param {string[]} args */
function parseOptions(args) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string', default: '5432' },
        data: { type: 'string', default: '.postgres' },
        output: { type: 'string', short: 'o', default: 'text' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new CannotStart(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, 2);
  }
}

async function main() {
  const { port: text, data, output, help } = parseOptions(process.argv.slice(2));
  isJson = output === 'json';
  if (help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const port = parsePort(text, '--port');
  await refuseTakenPort(port, 'PostgreSQL', '--port');
  /** @type {import('../kafka/services.mjs').Service | undefined} */
  let server;
  const stop = interrupted(() => server?.signal('SIGKILL'));
  // "orderctl up" no longer runs.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
  say('starting PostgreSQL …');
  server = await startPostgres({ folder: data, port, settings: SETTINGS });
  if (isJson)
    process.stdout.write(`${JSON.stringify({ database: server.address, data, pid: server.pid })}\n`);
  else {
    say(`ready
  database  ${server.address}   log ${server.logFile}
  data      ${data}, kept across restarts
Ctrl-C stops it.`);
  }
  const died = await Promise.race([stop, server.exited.then(() => server)]);
  if (died !== undefined)
    throw new CannotStart(`PostgreSQL exited unexpectedly. ${endOfLog(server.logFile)}`, 1);
  say('stopping …');
  await server.stop();
  say(`stopped; the data is kept in ${data}`);
}

try {
  await main();
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  sayError(error);
  process.exitCode = error.exitCode;
}
