// @ts-check
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CannotStart } from './install.mjs';

export const HOST = '127.0.0.1';
const START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 30_000;
const REGISTRY_PATH = '/apis/ccompat/v7';

/**
 * A process that serves a port of this machine.
 *
 * @typedef {object} Service
 * @property {string} name
 * @property {number} port
 * @property {string} address the address for clients: host:port of the broker, or the registry's URL with its path
 * @property {number} pid
 * @property {string} logFile
 * @property {Promise<void>} exited resolves when the process has exited, for whatever reason
 * @property {() => Promise<void>} stop asks it to stop and waits for it
 * @property {(signal: NodeJS.Signals) => void} signal SIGKILL, SIGSTOP, SIGCONT
 * @property {(abort: AbortSignal) => Promise<Service>} [restart] restarts it after it has exited, where other nodes run
 *   without it; `abort` kills it while it starts
 */

/**
 * @typedef {object} Installation
 * @property {string} java
 * @property {string} jars
 */

/**
 * The Apicurio registry with the Confluent API, loopback only. Its schemas, kept across restarts, are in
 * `folder/registry`. By default it keeps them in memory, but its H2 database can also use a file, which survives a kill
 * with WRITE_DELAY=0.
 *
 * @param {Installation} installation
 * @param {{folder: string, port: number}} options
 * @returns {Promise<Service>} once it answers
 * @throws {CannotStart} 1 when it exits, as it does when the port is taken, or does not answer
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
    command: java,
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

/**
 * @param {{name: string, port: number, address: string, command: string, args: string[], logFile: string,
 *   cwd?: string, env?: Readonly<Record<string, string>>, stopSignal?: 'SIGTERM' | 'SIGINT',
 *   answers: () => Promise<boolean>, abort?: AbortSignal | undefined}} options
 *   `env` is added to ours; `stopSignal` stops it cleanly; `abort` kills it while it starts
 * @returns {Promise<Service>}
 */
export async function startService(options) {
  const {
    name,
    port,
    address,
    command,
    args,
    logFile,
    cwd,
    stopSignal = 'SIGTERM',
    answers,
    abort,
  } = options;
  const env = { ...process.env, ...options.env };
  const log = openSync(logFile, 'w');
  // In its own process group, so that only we receive Ctrl-C and stop things in order.
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', log, log], detached: true });
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
  if (pid === undefined) throw new CannotStart(`${command} cannot be run`, 1);
  const guard = stopWhenWeDie(pid, stopSignal);
  void exited.then(() => guard.kill('SIGKILL'));

  /** @param {NodeJS.Signals} signal */
  const signal = (signal) => {
    if (!ended) child.kill(signal);
  };
  const stop = async () => {
    signal('SIGCONT');
    signal(stopSignal);
    const killer = setTimeout(() => signal('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(killer);
  };

  const kill = () => signal('SIGKILL');
  abort?.addEventListener('abort', kill);
  if (abort?.aborted) kill();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!(await answers().catch(() => false))) {
    if (ended) throw new CannotStart(`${name} exited while starting. ${endOfLog(logFile)}`, 1);
    if (Date.now() > deadline) {
      signal('SIGKILL');
      throw new CannotStart(
        `${name} did not answer within ${START_TIMEOUT_MS / 1000} s. ${endOfLog(logFile)}`,
        1,
      );
    }
    await Promise.race([sleep(100), exited]);
  }
  abort?.removeEventListener('abort', kill);
  return { name, port, address, pid, logFile, exited, stop, signal };
}

/**
 * A process in its own group survives when we are killed: this watcher notices that by the end of its input, and stops
 * the process.
 *
 * @param {number} pid
 * @param {'SIGTERM' | 'SIGINT'} stopSignal
 */
function stopWhenWeDie(pid, stopSignal) {
  const script = 'cat >/dev/null; kill -CONT "$1"; kill -"$2" "$1"';
  const guard = spawn('sh', ['-c', script, 'sh', String(pid), stopSignal.slice(3)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  guard.stdin.on('error', () => undefined);
  guard.unref();
  return guard;
}

/** Signals within this time of each other count as one. */
const SAME_SIGNAL_MS = 300;

/**
 * Resolves at the first signal that asks us to stop; a later one calls `again`. npm forwards the Ctrl-C that we have
 * received as well.
 *
 * @param {() => void} again
 * @returns {Promise<undefined>}
 */
export function interrupted(again) {
  let askedAt = 0;
  return new Promise((resolve) => {
    for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
      process.on(signal, () => {
        if (askedAt === 0) {
          askedAt = Date.now();
          resolve(undefined);
        } else if (Date.now() - askedAt > SAME_SIGNAL_MS) again();
      });
    }
  });
}

/** @param {string} logFile */
export function endOfLog(logFile) {
  const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-15);
  return `The last lines of ${logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
}

/**
 * @param {string} text
 * @param {string} flag
 * @throws {CannotStart} 2
 */
export function parsePort(text, flag) {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65535) return port;
  throw new CannotStart(`${flag} ${text}: a port is a number from 1 to 65535`, 2);
}

/**
 * @param {number} port
 * @param {string} what the service that needs the port, for the message
 * @param {string} flag the flag that sets another port
 * @throws {CannotStart} 4 when the port is taken
 */
export async function refuseTakenPort(port, what, flag) {
  const taken =
    (await new Promise((done) => {
      // On macOS it is possible to listen on one address of a port that is taken on all addresses: so try to connect
      // first.
      const socket = connect(port, HOST, () => done(true)).on('error', () => done(false));
      socket.on('connect', () => socket.destroy());
    })) ||
    (await new Promise((done) => {
      const server = createServer().on('error', () => done(true));
      server.listen(port, HOST, () => server.close(() => done(false)));
    }));
  if (taken) {
    throw new CannotStart(
      `port ${port} for ${what} is in use by another program: stop that program, or give another port with ${flag}`,
      4,
    );
  }
}

/** Below the ports that Linux and macOS use for outgoing connections, which could take one before its server starts. */
const PORTS = { from: 20_000, to: 32_000 };

/** @returns {Promise<number>} a port that was free a moment ago */
export async function freePort() {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    if (await isFree(port)) return port;
  }
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function isFree(port) {
  return new Promise((done) => {
    const server = createServer().on('error', () => done(false));
    server.listen(port, HOST, () => server.close(() => done(true)));
  });
}
