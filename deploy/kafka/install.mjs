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

const HERE = import.meta.dirname;
const TARGET = join(HERE, 'target');
const POM = join(HERE, 'pom.xml');
const JAVA_AT_LEAST = 17;

/** Something that the person has to do first; `exitCode` as in orderctl's own table. */
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

/** @returns {string} the java to run: JAVA_HOME's, else the one on the PATH */
function javaCommand() {
  const home = process.env['JAVA_HOME'];
  return home ? join(home, 'bin', 'java') : 'java';
}

/**
 * @returns {string} a Java that is new enough
 * @throws {CannotStart} 3 with what to install
 */
export function findJava() {
  const java = javaCommand();
  const { stdout, stderr, status } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  const found = status === 0 ? /version "(?:1\.)?(\d+)/.exec(stderr + stdout)?.[1] : undefined;
  if (found !== undefined && Number(found) >= JAVA_AT_LEAST) return java;
  const what =
    found === undefined
      ? `Java ${JAVA_AT_LEAST} or newer is needed, and ${java} does not run`
      : `Java ${JAVA_AT_LEAST} or newer is needed, and ${java} is Java ${found}`;
  throw new CannotStart(
    `${what}. Install it and try again:\n` +
      '  Debian, Ubuntu:  sudo apt-get install openjdk-17-jre-headless maven\n' +
      '  macOS:           brew install openjdk@17 maven   (then set JAVA_HOME as brew says)',
    3,
  );
}

/** @throws {CannotStart} 3 with what to install */
function needMaven() {
  if (spawnSync('mvn', ['-v'], { stdio: 'ignore' }).status === 0) return;
  throw new CannotStart(
    'Maven is needed once, to download Kafka and the registry, and mvn does not run. Install it and try again:\n' +
      '  Debian, Ubuntu:  sudo apt-get install maven\n' +
      '  macOS:           brew install maven',
    3,
  );
}

/** @returns {string} where installJars puts them: named by the pom's checksum */
function jarsFolder() {
  return join(TARGET, `jars-${createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12)}`);
}

/** Whether installJars has nothing to download. */
export function hasJars() {
  return existsSync(jarsFolder());
}

/**
 * The folder that holds `kafka/*.jar` and `registry/*.jar`, downloaded by Maven the first time. It appears by one
 * rename, so what is there is whole and is what the pom says.
 *
 * @param {(line: string) => void} say
 * @returns {Promise<string>}
 * @throws {CannotStart} 3 without Maven, 5 when the download fails
 */
export async function installJars(say) {
  const jars = jarsFolder();
  if (existsSync(jars)) return jars;

  needMaven();
  mkdirSync(TARGET, { recursive: true });
  const into = mkdtempSync(join(TARGET, 'download-'));
  say('downloading Apache Kafka and the registry by Maven, about 200 MB, once …');
  try {
    const { code, output } = await runQuietly('mvn', ['-q', '-B', '-f', POM, `-Dinto=${into}`, 'package']);
    if (code !== 0) {
      const errors = output.split('\n').filter((line) => line.includes('ERROR'));
      throw new CannotStart(
        `Maven could not download Kafka and the registry:\n${errors.slice(0, 3).join('\n') || output.slice(-1000)}\n` +
          `Look whether Maven Central can be reached from here (proxy: ~/.m2/settings.xml), then try again.`,
        5,
      );
    }
    try {
      renameSync(into, jars);
    } catch (error) {
      // Another start was faster: what it put there is the same.
      if (!existsSync(jars)) throw error;
    }
  } finally {
    rmSync(into, { recursive: true, force: true });
  }
  // Jars of an older pom and downloads that were killed; one that runs now is left alone.
  for (const entry of readdirSync(TARGET)) {
    const path = join(TARGET, entry);
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
