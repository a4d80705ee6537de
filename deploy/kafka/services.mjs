// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CannotStart } from './install.mjs';

const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
const REGISTRY_PATH = '/apis/ccompat/v7';

/**
 * A Java process that serves a port of this machine.
 *
 * @typedef {object} Service
 * @property {string} name
 * @property {number} port
 * @property {string} address what a client is given: host:port of the broker, URL with its path of the registry
 * @property {number} pid
 * @property {string} logFile
 * @property {Promise<void>} exited resolves when the process has ended, for whatever reason
 * @property {() => Promise<void>} stop asks it to stop and waits for it
 * @property {(signal: NodeJS.Signals) => void} signal SIGKILL, SIGSTOP, SIGCONT
 */

/**
 * @typedef {object} Installation
 * @property {string} java
 * @property {string} jars
 */

/**
 * A second way into the broker, by the name SECURE.
 *
 * @typedef {object} SecureListener
 * @property {number} port
 * @property {'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT'} protocol
 * @property {string} properties further lines of server.properties, such as `listener.name.secure.…`
 */

/**
 * Apache Kafka in KRaft mode, broker and controller in one process, loopback only. Its data, kept across restarts,
 * is in `folder/kafka`.
 *
 * @param {Installation} installation
 * @param {{folder: string, port: number, secure?: SecureListener}} options
 * @returns {Promise<Service>} once it answers
 * @throws {CannotStart} 1 when it dies, as it does when the port is taken, or does not answer
 */
export async function startKafka({ java, jars }, { folder, port, secure }) {
  const root = resolve(folder);
  const data = join(root, 'kafka');
  mkdirSync(data, { recursive: true });
  const properties = join(root, 'server.properties');
  // The controller is reached by nobody but this broker, so any free port does and it may change between starts:
  // a static voter is known by its id, not by its address.
  writeFileSync(properties, kafkaProperties({ data, port, controllerPort: await freePort(), secure }));
  const run = [
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.xml')}`,
    '-Djava.awt.headless=true',
    '-cp',
    join(jars, 'kafka', '*'),
  ];
  if (!existsSync(join(data, 'meta.properties'))) format(java, run, properties);
  return startService({
    name: 'Apache Kafka',
    port,
    address: `${HOST}:${port}`,
    java,
    args: [
      '-Xms256m',
      '-Xmx512m',
      '-XX:+UseG1GC',
      '-XX:MaxGCPauseMillis=20',
      ...run,
      'kafka.Kafka',
      properties,
    ],
    logFile: join(root, 'kafka.log'),
    answers: () => brokerAnswers(port),
  });
}

/**
 * The Apicurio registry with the Confluent API, loopback only. Its schemas, kept across restarts, are in
 * `folder/registry`: as published it keeps them in memory, but its H2 database takes a file as well, and with
 * WRITE_DELAY=0 that survives a kill.
 *
 * @param {Installation} installation
 * @param {{folder: string, port: number}} options
 * @returns {Promise<Service>} once it answers
 * @throws {CannotStart} 1 when it dies, as it does when the port is taken, or does not answer
 */
export async function startRegistry({ java, jars }, { folder, port }) {
  const root = resolve(folder);
  mkdirSync(join(root, 'registry'), { recursive: true });
  const address = `http://${HOST}:${port}${REGISTRY_PATH}`;
  const runner = readdirSync(join(jars, 'registry')).find((file) => file.endsWith('-runner.jar'));
  if (runner === undefined)
    throw new CannotStart(`no registry in ${jars}: delete that folder and try again`, 1);
  return startService({
    name: 'the registry',
    port,
    address,
    java,
    args: [
      '-Xmx256m',
      '-XX:TieredStopAtLevel=1',
      `-Dquarkus.http.host=${HOST}`,
      `-Dquarkus.http.port=${port}`,
      `-Dquarkus.datasource.jdbc.url=jdbc:h2:file:${join(root, 'registry', 'schemas')};WRITE_DELAY=0`,
      '-jar',
      join(jars, 'registry', runner),
    ],
    logFile: join(root, 'registry.log'),
    answers: async () => (await fetch(`${address}/subjects`, { signal: AbortSignal.timeout(2_000) })).ok,
  });
}

/** @param {{data: string, port: number, controllerPort: number, secure: SecureListener | undefined}} options */
function kafkaProperties({ data, port, controllerPort, secure }) {
  const clients = `PLAINTEXT://${HOST}:${port}${secure ? `,SECURE://${HOST}:${secure.port}` : ''}`;
  return `# Written at each start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@${HOST}:${controllerPort}
controller.listener.names=CONTROLLER
listeners=${clients},CONTROLLER://${HOST}:${controllerPort}
advertised.listeners=${clients}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT${secure ? `,SECURE:${secure.protocol}` : ''}
log.dirs=${data}

# One broker holds every replica there is.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# One machine: fewer internal partitions, no wait for more members to join.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
# Its default of 128 MiB would be a quarter of this heap.
log.cleaner.dedupe.buffer.size=16777216
${secure?.properties ?? ''}`;
}

/**
 * @param {string} java
 * @param {string[]} run
 * @param {string} properties
 */
function format(java, run, properties) {
  // A cluster id that begins with a dash would be read as an option.
  const id = `K${randomBytes(16).toString('base64url').slice(1)}`;
  const { status, stdout, stderr } = spawnSync(
    java,
    [
      '-Xmx128m',
      '-XX:TieredStopAtLevel=1',
      ...run,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      id,
      '-c',
      properties,
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new CannotStart(`Kafka could not prepare its data folder:\n${stdout}${stderr}`, 1);
}

/**
 * @param {{name: string, port: number, address: string, java: string, args: string[], logFile: string,
 *   answers: () => Promise<boolean>}} options
 * @returns {Promise<Service>}
 */
async function startService({ name, port, address, java, args, logFile, answers }) {
  const log = openSync(logFile, 'w');
  // In a group of its own, so that Ctrl-C reaches us alone and we stop things in order.
  const child = spawn(java, args, { stdio: ['ignore', log, log], detached: true });
  closeSync(log);
  let ended = false;
  /** @type {Promise<void>} */
  const exited = new Promise((done) => {
    const end = () => {
      ended = true;
      done();
    };
    child.on('exit', end);
    child.on('error', end);
  });
  const pid = child.pid;
  if (pid === undefined) throw new CannotStart(`${java} does not run`, 1);
  const guard = stopWhenWeDie(pid);
  void exited.then(() => guard.kill('SIGKILL'));

  /** @param {NodeJS.Signals} signal */
  const signal = (signal) => {
    if (!ended) child.kill(signal);
  };
  const stop = async () => {
    signal('SIGCONT');
    signal('SIGTERM');
    const killer = setTimeout(() => signal('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(killer);
  };

  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers().catch(() => false))) {
    if (ended) throw new CannotStart(`${name} ended at its start. ${endOfLog(logFile)}`, 1);
    if (Date.now() > deadline) {
      signal('SIGKILL');
      throw new CannotStart(
        `${name} did not answer within ${START_TIMEOUT_MS / 1000} s. ${endOfLog(logFile)}`,
        1,
      );
    }
    await Promise.race([sleep(100), exited]);
  }
  return { name, port, address, pid, logFile, exited, stop, signal };
}

/**
 * A process in a group of its own outlives us when we are killed: this one notices, by the end of its input, and
 * stops it.
 *
 * @param {number} pid
 */
function stopWhenWeDie(pid) {
  const guard = spawn('sh', ['-c', 'cat >/dev/null; kill -CONT "$1"; kill -TERM "$1"', 'sh', String(pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return guard;
}

/** @param {string} logFile */
export function endOfLog(logFile) {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15);
  return `The end of ${logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/**
 * Whether the broker counts itself among the living: an open port alone comes seconds earlier. Asked by Metadata v1
 * for no topics (https://kafka.apache.org/protocol#The_Messages_Metadata).
 *
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function brokerAnswers(port) {
  const request = Buffer.from([
    ...[0, 0, 0, 14], // size of what follows
    ...[0, 3], // Metadata
    ...[0, 1], // version
    ...[0, 0, 0, 1], // correlation id
    ...[0xff, 0xff], // client id: null
    ...[0, 0, 0, 0], // no topics
  ]);
  return new Promise((done, fail) => {
    const socket = connect(port, HOST, () => socket.write(request));
    let answer = Buffer.alloc(0);
    socket.setTimeout(2_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (data) => {
      answer = Buffer.concat([answer, data]);
      // size, correlation id, number of brokers
      if (answer.length >= 12) {
        done(answer.readInt32BE(8) > 0);
        socket.destroy();
      }
    });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('closed')));
  });
}

/**
 * @param {number} port
 * @param {string} what whose it shall be, for the message
 * @param {string} flag by which another one is given
 * @throws {CannotStart} 4 when the port is taken
 */
export async function refuseTakenPort(port, what, flag) {
  const taken =
    (await new Promise((done) => {
      // On macOS a port that is taken on all addresses can still be listened to on one: so ask first.
      const socket = connect(port, HOST, () => done(true)).on('error', () => done(false));
      socket.on('connect', () => socket.destroy());
    })) ||
    (await new Promise((done) => {
      const server = createServer().on('error', () => done(true));
      server.listen(port, HOST, () => server.close(() => done(false)));
    }));
  if (taken) {
    throw new CannotStart(
      `port ${port} is in use by another program, so ${what} cannot have it: stop that program, or give another port with ${flag}`,
      4,
    );
  }
}

/** @returns {Promise<number>} a port that was free a moment ago */
export function freePort() {
  return new Promise((done, fail) => {
    const server = createServer().on('error', fail);
    server.listen(0, HOST, () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? done(address.port) : fail(new Error('no port')),
      );
    });
  });
}
