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
 * @property {string} address what a client is given: host:port of the broker, URL with its path of the registry
 * @property {number} pid
 * @property {string} logFile
 * @property {Promise<void>} exited resolves when the process has ended, for whatever reason
 * @property {() => Promise<void>} stop asks it to stop and waits for it
 * @property {(signal: NodeJS.Signals) => void} signal SIGKILL, SIGSTOP, SIGCONT
 * @property {(abort: AbortSignal) => Promise<Service>} [restart] starts it again when it has ended, where others go on
 *   without it; `abort` kills it while it starts
 */

/**
 * @typedef {object} Installation
 * @property {string} java
 * @property {string} jars
 */

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
 *   `env` is added to ours; `stopSignal` ends it in order; `abort` kills it while it starts
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
  // In a group of its own, so that Ctrl-C reaches us alone and we stop things in order.
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
  if (pid === undefined) throw new CannotStart(`${command} does not run`, 1);
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
  abort?.removeEventListener('abort', kill);
  return { name, port, address, pid, logFile, exited, stop, signal };
}

/**
 * A process in a group of its own outlives us when we are killed: this one notices, by the end of its input, and
 * stops it.
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

/** Signals that are closer to each other are one. */
const SAME_SIGNAL_MS = 300;

/**
 * Resolves at the first signal that asks us to stop; a later one calls `again`: npm passes on the Ctrl-C that we got as
 * well.
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
  return `The end of ${logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`;
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

/** Below those that Linux and macOS give to outgoing connections, which would take one before its server starts. */
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
