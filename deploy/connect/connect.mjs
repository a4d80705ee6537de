#!/usr/bin/env node
// @ts-check
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { CannotStart, findJava } from '../kafka/install.mjs';
import { endOfLog, interrupted, parsePort, refuseTakenPort } from '../kafka/services.mjs';
import { connectionOf, prepareDatabase, releaseDatabase } from './database.mjs';
import { installConnect, startConnect, tasksOf } from './worker.mjs';

const USAGE = `Runs Kafka Connect on this machine, without Docker, until Ctrl-C: table changes become messages, rows of
intake.order_requests become orders, and messages become rows in the schema analytics.

Usage
  npm run connect [-- --store postgres://orderctl@127.0.0.1:5432/orderctl --brokers 127.0.0.1:9092
                      --registry http://127.0.0.1:8081 --topic orders --port 8083 --data .connect
                      --client-config FILE]
  npm run connect -- remove [--store postgres://… --data .connect]

The store is a database with wal_level=logical, such as that of "npm run postgres", and the registry is an Apicurio, such
as that of "npm run kafka". Connect listens only on 127.0.0.1. Its read positions are kept in the data folder and in the
database, which keeps its write-ahead log until Connect has read it: run "remove" when Connect will not be used again.
PGPASSWORD is the password of the database. --client-config names a file with the settings with which a Kafka client signs
in, in Kafka's format, such as .kafka/secure/orderctl.connect.properties of "npm run kafka -- --secure". Needs Java 17 or
newer, and Maven the first time.

EXAMPLES
  npm run connect
  npm run connect -- --store postgres://orderctl@127.0.0.1:15432/orderctl --data my-data
  npm run connect -- remove`;

/**
 * @param {string | undefined} file
 * @throws {CannotStart} 3 when the file cannot be read
 */
function readClientConfig(file) {
  try {
    return file && readFileSync(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CannotStart(`--client-config cannot be read: ${why}`, 3);
  }
}

/** How often to check for failed connectors, which Connect itself only logs. */
const LOOK_MS = 2_000;

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @param {string[]} args */
function parseOptions(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        store: { type: 'string', default: 'postgres://orderctl@127.0.0.1:5432/orderctl' },
        brokers: { type: 'string', default: '127.0.0.1:9092' },
        registry: { type: 'string', default: 'http://127.0.0.1:8081' },
        topic: { type: 'string', default: 'orders' },
        port: { type: 'string', default: '8083' },
        data: { type: 'string', default: '.connect' },
        'client-config': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new CannotStart(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, 2);
  }
}

async function main() {
  const { values: options, positionals } = parseOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const [command, ...others] = positionals;
  if ((command !== undefined && command !== 'remove') || others.length > 0) {
    throw new CannotStart(
      `unknown command ${positionals.join(' ')}: the only command is "remove"\n\n${USAGE}`,
      2,
    );
  }
  const database = { url: options.store, password: process.env['PGPASSWORD'] ?? '' };
  if (command === undefined) return serve(options, database);
  await releaseDatabase(database);
  rmSync(join(options.data, 'connect.offsets'), { force: true });
  say('removed the replication slots, the publications and the read positions of Connect; all tables stay');
}

/**
 * @param {ReturnType<typeof parseOptions>['values']} options
 * @param {import('./database.mjs').Database} database
 */
async function serve(options, database) {
  const port = parsePort(options.port, '--port');
  const java = findJava();
  await refuseTakenPort(port, 'Kafka Connect', '--port');
  const client = readClientConfig(options['client-config']);
  const environment = {
    ...connectionOf(database),
    CONNECT_REGISTRY: `${new URL(options.registry).origin}/apis/registry/v2`,
    CONNECT_INVENTORY_UPDATES: 'inventory_updates',
    ORDERCTL_BROKERS: options.brokers,
    ORDERCTL_TOPIC: options.topic,
  };
  await prepareDatabase(database);
  const worker = await installConnect(java, say);
  /** @type {import('../kafka/services.mjs').Service | undefined} */
  let connect;
  const stop = interrupted(() => connect?.signal('SIGKILL'));
  say('starting Kafka Connect …');
  connect = await startConnect(worker, { folder: options.data, port, environment, client });
  try {
    const { address, logFile, pid, exited } = connect;
    const first = await failureOf(address);
    if (first === undefined) {
      say(`ready
  connect   ${address}   log ${logFile}   pid ${pid}
  data      ${options.data}, kept across restarts
Ctrl-C stops it.`);
    }
    const failed = first ?? (await watch(address, Promise.race([stop, exited.then(() => 'ended')])));
    if (failed === 'ended')
      throw new CannotStart(`Kafka Connect exited unexpectedly. ${endOfLog(logFile)}`, 1);
    if (failed !== undefined) throw new CannotStart(failed, 1);
  } finally {
    say('stopping …');
    await connect.stop();
    say(`stopped; its read positions are kept in ${options.data}`);
  }
}

/**
 * @param {string} address
 * @returns {Promise<string | undefined>} the name of the connector that has failed, and why
 */
async function failureOf(address) {
  const failed = (await tasksOf(address)).find(({ state }) => state === 'FAILED');
  // The causes, without the stack frames.
  const trace = failed?.trace.split('\n').filter((line) => !/^\s/.test(line));
  return failed && `the connector ${failed.name} has failed:\n${trace?.join('\n').trim() ?? ''}`;
}

/**
 * @param {string} address
 * @param {Promise<string | undefined>} end
 * @returns {Promise<string | undefined>} what `end` resolves to, or the failure of a connector if that comes first
 */
async function watch(address, end) {
  for (;;) {
    const isOver = await Promise.race([end.then(() => true), sleep(LOOK_MS).then(() => false)]);
    if (isOver) return end;
    // Connect is busy, or has exited, which is noticed elsewhere.
    const failure = await failureOf(address).catch(() => undefined);
    if (failure !== undefined) return failure;
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  say(`error: ${error.message}`);
  process.exitCode = error.exitCode;
}
