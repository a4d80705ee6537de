#!/usr/bin/env node
// @ts-check
import { parseArgs } from 'node:util';
import { CannotStart, findJava, installJars } from './install.mjs';
import { endOfLog, refuseTakenPort, startKafka, startRegistry } from './services.mjs';
import { TOOL_NAMES, runTool } from './tools.mjs';

const USAGE = `Runs a real Apache Kafka and a schema registry on this machine, without Docker, until Ctrl-C.

Usage
  npm run kafka [-- --port 9092 --registry-port 8081 --data .kafka]
  npm run kafka -- tool NAME [ARGS…]

Both listen on 127.0.0.1 alone, on orderctl's default ports, so that orderctl needs no setting. Topics, offsets and
schemas are kept in the data folder across restarts; delete the folder to begin anew. Needs Java 17 or newer, and
Maven the first time.

tool runs one of Kafka's own command-line tools on any cluster:
  ${TOOL_NAMES.join(', ')}

EXAMPLES
  npm run kafka
  npm run kafka -- --port 19092 --registry-port 18081 --data my-data
  npm run kafka -- tool topics --bootstrap-server 127.0.0.1:9092 --describe
  npm run kafka -- tool consumer-groups --bootstrap-server 127.0.0.1:9092 --describe --group orderctl`;

const SAME_SIGNAL_MS = 300;

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/**
 * @param {string} text
 * @param {string} flag
 */
function parsePort(text, flag) {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new CannotStart(`${flag} ${text}: a port is a number from 1 to 65535`, 2);
}

/** @param {string[]} args */
function parseOptions(args) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string', default: '9092' },
        'registry-port': { type: 'string', default: '8081' },
        data: { type: 'string', default: '.kafka' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    throw new CannotStart(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`, 2);
  }
}

/** @param {string[]} args */
async function serve(args) {
  const options = parseOptions(args);
  if (options.help) {
    process.stdout.write(`${USAGE}\n`);
    return 0;
  }
  const port = parsePort(options.port, '--port');
  const registryPort = parsePort(options['registry-port'], '--registry-port');
  const java = findJava();
  await refuseTakenPort(port, 'the broker', '--port');
  await refuseTakenPort(registryPort, 'the registry', '--registry-port');
  const installation = { java, jars: await installJars(say) };

  /** @type {import('./services.mjs').Service[]} */
  const running = [];
  let stopping = false;
  let askedAt = 0;
  /** @type {Promise<void>} */
  const asked = new Promise((resolve) => {
    const ask = () => {
      if (askedAt === 0) {
        askedAt = Date.now();
        stopping = true;
        resolve();
        // npm passes on the Ctrl-C that we got as well: only a later one is a second one. It does not wait: both
        // keep what they have acknowledged.
      } else if (Date.now() - askedAt > SAME_SIGNAL_MS) {
        for (const service of running) service.signal('SIGKILL');
      }
    };
    process.on('SIGINT', ask);
    process.on('SIGTERM', ask);
    process.on('SIGHUP', ask);
  });

  try {
    say('starting Apache Kafka and the registry …');
    const started = await Promise.allSettled([
      startKafka(installation, { folder: options.data, port }),
      startRegistry(installation, { folder: options.data, port: registryPort }),
    ]);
    for (const result of started) if (result.status === 'fulfilled') running.push(result.value);
    for (const result of started) if (result.status === 'rejected') throw result.reason;
    if (!stopping) say(readyText(port, registryPort, running, options.data));
    const died = await Promise.race([
      asked,
      ...running.map(async (service) => {
        await service.exited;
        return service;
      }),
    ]);
    if (died !== undefined && !stopping) {
      throw new CannotStart(`${died.name} has ended by itself. ${endOfLog(died.logFile)}`, 1);
    }
    return 0;
  } finally {
    if (running.length > 0) say('stopping …');
    // The registry first: nothing is registered for records that Kafka no longer takes.
    for (const service of running.toReversed()) await service.stop();
    if (running.length > 0) say(`stopped; what was in them is kept in ${options.data}`);
  }
}

/**
 * @param {number} port
 * @param {number} registryPort
 * @param {import('./services.mjs').Service[]} running
 * @param {string} data
 */
function readyText(port, registryPort, running, data) {
  const settings = [];
  if (port !== 9092) settings.push(`--brokers 127.0.0.1:${port}`);
  if (registryPort !== 8081) settings.push(`--registry http://127.0.0.1:${registryPort}`);
  const [broker, registry] = running;
  return `ready
  broker    ${broker?.address ?? ''}   log ${broker?.logFile ?? ''}
  registry  ${registry?.address ?? ''}   log ${registry?.logFile ?? ''}
  data      ${data}, kept across restarts
${settings.length === 0 ? 'orderctl finds both without a setting.' : `orderctl finds them with ${settings.join(' ')}`}
Ctrl-C stops both.`;
}

try {
  const [first, name, ...rest] = process.argv.slice(2);
  process.exitCode =
    first === 'tool'
      ? await runTool({ java: findJava(), jars: await installJars(say) }, name, rest)
      : await serve(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CannotStart)) throw error;
  say(`error: ${error.message}`);
  process.exitCode = error.exitCode;
}
