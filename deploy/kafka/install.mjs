// @ts-check
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';

const JAVA_AT_LEAST = 17;

/**
 * A set of jars that Maven downloads for one folder of deploy/.
 *
 * @typedef {object} Download
 * @property {string} folder with a pom.xml that puts the jars into `into`; the installed jars are in its `target`
 * @property {readonly string[]} [modules] of the pom, relative to the folder
 * @property {string} what it is, for messages
 * @property {string} size
 */

/** @type {Download} */
const KAFKA = { folder: import.meta.dirname, what: 'Apache Kafka and the registry', size: 'about 200 MB' };

/** Something that the user must do first; `exitCode` as in orderctl's own table. */
export class CannotStart extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode
   */
  constructor(message, exitCode) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @returns {string} the java to run: the one in JAVA_HOME, else the one on the PATH */
function javaCommand() {
  const home = process.env['JAVA_HOME'];
  return home ? join(home, 'bin', 'java') : 'java';
}

/**
 * @returns {string} a java that is new enough
 * @throws {CannotStart} 3 with what to install
 */
export function findJava() {
  const java = javaCommand();
  const { stdout, stderr, status } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const found = status === 0 ? /version "(?:1\.)?(\d+)/.exec(stderr + stdout)?.[1] : undefined;
  if (found !== undefined && Number(found) >= JAVA_AT_LEAST) return java;
  const what =
    found === undefined
      ? `Java ${JAVA_AT_LEAST} or newer is needed, but ${java} cannot be run`
      : `Java ${JAVA_AT_LEAST} or newer is needed, but ${java} is Java ${found}`;
  throw new CannotStart(
    `${what}. Install it and try again:\n` +
      '  Debian, Ubuntu:  sudo apt-get install openjdk-17-jre-headless maven\n' +
      '  macOS:           brew install openjdk@17 maven   (then set JAVA_HOME as brew says)',
    3,
  );
}

/**
 * @param {string} what
 * @throws {CannotStart} 3 with what to install
 */
function needMaven(what) {
  if (spawnSync('mvn', ['-v'], { stdio: 'ignore' }).status === 0) return;
  throw new CannotStart(
    `Maven is needed once, to download ${what}, but mvn cannot be run. Install it and try again:\n` +
      '  Debian, Ubuntu:  sudo apt-get install maven\n' +
      '  macOS:           brew install maven',
    3,
  );
}

/**
 * @param {Download} download
 * @returns {string} the folder in which installJars puts them, named by the checksum of the pom
 */
function jarsFolder({ folder, modules = [] }) {
  const hash = createHash('sha256');
  for (const file of ['pom.xml', ...modules]) hash.update(readFileSync(join(folder, file)));
  return join(folder, 'target', `jars-${hash.digest('hex').slice(0, 12)}`);
}

/** Whether installJars has nothing to download for Kafka. */
export function hasJars() {
  return existsSync(jarsFolder(KAFKA));
}

/**
 * The folder of the jars, `kafka/*.jar` and `registry/*.jar` for Kafka, downloaded by Maven the first time. It appears
 * by one rename, so it is always complete and matches the pom.
 *
 * @param {(line: string) => void} say
 * @param {Download} [download]
 * @returns {Promise<string>}
 * @throws {CannotStart} 3 without Maven, 5 when the download fails
 */
export async function installJars(say, download = KAFKA) {
  const { folder, what, size } = download;
  const jars = jarsFolder(download);
  if (existsSync(jars)) return jars;

  needMaven(what);
  const target = join(folder, 'target');
  mkdirSync(target, { recursive: true });
  const into = mkdtempSync(join(target, 'download-'));
  say(`downloading ${what} with Maven (${size}, only once) …`);
  try {
    const args = ['-q', '-B', '-T', '3', '-f', join(folder, 'pom.xml'), `-Dinto=${into}`, 'package'];
    const { code, output } = await runQuietly('mvn', args);
    if (code !== 0) {
      const errors = output.split('\n').filter((line) => line.includes('ERROR'));
      throw new CannotStart(
        `Maven could not download ${what}:\n${errors.slice(0, 3).join('\n') || output.slice(-1000)}\n` +
          `Check whether Maven Central can be reached from here (proxy: ~/.m2/settings.xml), then try again.`,
        5,
      );
    }
    try {
      renameSync(into, jars);
    } catch (error) {
      // Another start was faster: its folder has the same content.
      if (!existsSync(jars)) throw error;
    }
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
  // Jars of an older pom and killed downloads; a running download is left alone.
  for (const entry of readdirSync(target)) {
    const path = join(target, entry);
    const old = Date.now() - statSync(path).mtimeMs > 3_600_000;
    if (entry.startsWith('jars-') ? path !== jars : old) rmSync(path, { recursive: true, force: true });
  }
  return jars;
}

/**
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<{code: number | null, output: string}>}
 */
function runQuietly(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (data) => (output += String(data)));
    child.stderr.on('data', (data) => (output += String(data)));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
