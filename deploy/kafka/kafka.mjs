#!/usr/bin/env node
// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CannotStart, findJava, installJars } from './install.mjs';
import { startKafka, startKafkaNodes, stopNodes } from './broker.mjs';
import { ADMIN, prepareSecurity, writeConfigs } from './security.mjs';
import { endOfLog, interrupted, parsePort, refuseTakenPort, startRegistry } from './services.mjs';
import { TOOL_NAMES, runTool } from './tools.mjs';

const USAGE = `Runs a real Apache Kafka and a schema registry on this machine, without Docker, until Ctrl-C.

Usage
  npm run kafka [-- --nodes 1 --secure --port 9092 --registry-port 8081 --data .kafka]
  npm run kafka -- tool NAME [ARGS…]

Both listen only on 127.0.0.1, on orderctl's default ports, so that orderctl needs no setting. Topics, offsets and
schemas are kept in the data folder across restarts; delete the folder to start from scratch. Needs Java 17 or newer, and Maven
the first time.

--nodes 3 is a cluster of three brokers on the ports from --port up, with three replicas of everything, two of which
must acknowledge a record. Use it to see what a consumer does when you kill a broker by its pid, which is printed; the
broker restarts after ten seconds. Three brokers need 600 MB of memory; their data is separate from that of one node.

--secure is a cluster that only known users can access: TLS with certificates that openssl makes at the first start, users
with SCRAM-SHA-512 passwords, and only the rights that a rule grants. All of it is in DATA/secure, with a settings file
and a password for each user. "admin" may do everything; "orderctl acl apply" grants the others their rights.
The registry stays open to this machine.

tool runs one of Kafka's own command-line tools on any cluster:
  ${TOOL_NAMES.join(', ')}

EXAMPLES
  npm run kafka
  npm run kafka -- --nodes 3
  npm run kafka -- --secure --data .kafka-secure
  npm run kafka -- --port 19092 --registry-port 18081 --data my-data
  npm run kafka -- tool topics --bootstrap-server 127.0.0.1:9092 --describe
  npm run kafka -- tool consumer-groups --bootstrap-server 127.0.0.1:9092 --describe --group orderctl`;

/** How long a killed node of several stays down: longer than the others take to move its partitions. */
const AWAY_MS = 10_000;

/** @param {string} line */
const say = (line) => process.stderr.write(`${line}\n`);

/** @param {string} text */
function parseNodes(text) {
  if (text === '1' || text === '3') return Number(text);
  throw new CannotStart(`--nodes ${text}: give 1 or 3; two nodes have no majority when one is down`, 2);
}

/** @param {string[]} args */
function parseOptions(args) {
  try {
    return parseArgs({
      args,
      options: {
        nodes: { type: 'string', default: '1' },
        secure: { type: 'boolean', default: false },
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
  const nodes = parseNodes(options.nodes);
  const port = parsePort(options.port, '--port');
  const ports = Array.from({ length: nodes }, (_, index) => parsePort(String(port + index), '--port'));
  const registryPort = parsePort(options['registry-port'], '--registry-port');
  const java = findJava();
  for (const one of ports) await refuseTakenPort(one, 'the broker', '--port');
  await refuseTakenPort(registryPort, 'the registry', '--registry-port');
  const installation = { java, jars: await installJars(say) };
  const folder = options.secure ? join(options.data, 'secure') : options.data;
  const security = options.secure ? prepareSecurity(folder) : undefined;

  /** @type {import('./services.mjs').Service[]} */
  let brokers = [];
  /** @type {import('./services.mjs').Service[]} */
  let registries = [];
  /** @type {Promise<import('./services.mjs').Service | undefined>[]} */
  let ends = [];
  const stop = new AbortController();
  // At the second signal, do not wait: everything acknowledged is kept.
  const asked = interrupted(() => {
    for (const service of [...brokers, ...registries]) service.signal('SIGKILL');
  });
  void asked.then(() => stop.abort());

  try {
    say('starting Apache Kafka and the registry …');
    const starting = [
      nodes === 1
        ? startKafka(installation, { folder, port, ...(security && { security }) }).then((broker) => [broker])
        : startKafkaNodes(installation, { folder, ports, security }),
      startRegistry(installation, { folder, port: registryPort }).then((one) => [one]),
    ];
    const [kafka, registry] = await Promise.allSettled(starting);
    if (kafka?.status === 'fulfilled') brokers = kafka.value;
    if (registry?.status === 'fulfilled') registries = registry.value;
    for (const result of [kafka, registry]) if (result?.status === 'rejected') throw result.reason;
    const isStopped = stop.signal.aborted;
    if (security !== undefined) {
      const registry = `http://127.0.0.1:${registryPort}`;
      writeConfigs(security, { brokers: brokers.map(({ address }) => address).join(','), registry });
    }
    if (!isStopped) {
      const ways = security === undefined ? settingsText(port, registryPort, brokers) : signInText(security);
      say(readyText([...brokers, ...registries], folder, ways));
    }
    ends = [
      ...brokers.map((_, index) => endOf(brokers, index, stop.signal)),
      ...registries.map((_, index) => endOf(registries, index, stop.signal)),
    ];
    const died = await Promise.race([asked, ...ends]);
    if (died !== undefined && !stop.signal.aborted) {
      throw new CannotStart(`${died.name} exited unexpectedly. ${endOfLog(died.logFile)}`, 1);
    }
    return 0;
  } finally {
    stop.abort();
    const any = brokers.length + registries.length > 0;
    if (any) say('stopping …');
    // The registry first: nothing is registered for records that Kafka no longer accepts.
    for (const service of registries) await service.stop();
    if (brokers.length > 1) await stopNodes(brokers);
    else for (const broker of brokers) await broker.stop();
    // A node that was restarting just now.
    await Promise.allSettled(ends);
    if (any) say(`stopped; the data is kept in ${options.data}`);
  }
}

/**
 * Resolves when a service has exited for good: one of several nodes is restarted.
 *
 * @param {import('./services.mjs').Service[]} services
 * @param {number} index of the service, which is replaced
 * @param {AbortSignal} stop
 * @returns {Promise<import('./services.mjs').Service | undefined>} the service that exited
 * @throws {CannotStart} when it does not restart
 */
async function endOf(services, index, stop) {
  for (;;) {
    const service = services[index];
    await service?.exited;
    if (service?.restart === undefined || stop.aborted) return service;
    say(`${service.name} (${service.address}) has exited; restarting it in ${AWAY_MS / 1_000} s`);
    try {
      await sleep(AWAY_MS, undefined, { signal: stop });
      const again = await service.restart(stop);
      services[index] = again;
      say(`${again.name} (${again.address}) is back, pid ${again.pid}`);
      if (stop.aborted) await again.stop();
    } catch (error) {
      if (stop.aborted) return service;
      throw error;
    }
  }
}

/**
 * @param {number} port
 * @param {number} registryPort
 * @param {readonly import('./services.mjs').Service[]} brokers
 */
function settingsText(port, registryPort, brokers) {
  const settings = [];
  // With one of three addresses, a start fails while that node is down.
  if (port !== 9092 || brokers.length > 1) {
    settings.push(`--brokers ${brokers.map(({ address }) => address).join(',')}`);
  }
  if (registryPort !== 8081) settings.push(`--registry http://127.0.0.1:${registryPort}`);
  return settings.length === 0
    ? 'orderctl finds both without a setting.'
    : `orderctl finds them with ${settings.join(' ')}`;
}

/** @param {import('./security.mjs').Security} security */
function signInText({ folder, passwords }) {
  const user = join(folder, ADMIN);
  return `Sign in as ${ADMIN}, who may do everything:
  export ORDERCTL_CONFIG=${user}.json ORDERCTL_SASL_PASSWORD_FILE=${user}.password
The other users have the same two files, and get their rights by "orderctl setup --execute", or "orderctl acl apply --execute":
${[...passwords.keys()]
  .filter((name) => name !== ADMIN)
  .map((name) => `  ${name}`)
  .join('\n')}`;
}

/**
 * @param {readonly import('./services.mjs').Service[]} running brokers, then the registry
 * @param {string} data
 * @param {string} ways how to reach them with orderctl
 */
function readyText(running, data, ways) {
  const brokers = running.slice(0, -1);
  const registry = running.at(-1);
  return `ready
${brokers.map(({ address, logFile, pid }) => `  broker    ${address}   log ${logFile}${brokers.length > 1 ? `   pid ${pid}` : ''}`).join('\n')}
  registry  ${registry?.address ?? ''}   log ${registry?.logFile ?? ''}
  data      ${data}, kept across restarts
${ways}
Ctrl-C stops ${brokers.length > 1 ? 'all' : 'both'}.`;
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
