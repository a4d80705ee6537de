// @ts-check
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { findJava } from '../../deploy/kafka/install.mjs';
import { ORDERCTL, ROOT, say } from './cluster.mjs';
import { measure } from './measure.mjs';
import { createTopic, writeShop } from './orders.mjs';

const BENCH = join(ROOT, 'bench');
const SCHEMA_FILE = join(ROOT, 'docs', 'schemas', 'orders.avsc');

/**
 * @typedef {object} Job
 * @property {import('./cluster.mjs').Cluster} cluster
 * @property {string} topic
 * @property {number} count
 * @property {number} users
 * @property {number} items
 * @property {string} id unique to this run: the name of its group and folder
 */

/**
 * @typedef {import('./measure.mjs').Run & {seconds: number, count: number, folder: string}} Result
 * `seconds` from the first record to the last durable commit
 */

/** @typedef {{name: string, run: (job: Job) => Promise<Result>}} Program */

/** @param {Job} job */
function folderOf(job) {
  const folder = join(job.cluster.folder, job.id);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** @param {Job} job */
export function settingsOf(job) {
  return {
    ORDERCTL_STORAGE: folderOf(job),
    ORDERCTL_BROKERS: job.cluster.brokers,
    ORDERCTL_REGISTRY: job.cluster.registry,
    ORDERCTL_TOPIC: job.topic,
    ORDERCTL_GROUP: job.id,
  };
}

/**
 * `orderctl consume --until-end` as users run it. Measured from its first decision to the last append to its logs,
 * which follows directly on the commit.
 *
 * @param {string} name
 * @param {readonly string[]} flags
 * @param {{env?: NodeJS.ProcessEnv, node?: readonly string[]}} more `node`: options for Node
 * @returns {Program}
 */
export const consuming = (name, flags = [], { env = {}, node = [] } = {}) => ({
  name,
  run: async (job) => {
    const folder = folderOf(job);
    writeShop(folder, job);
    const args = [...node, ORDERCTL, 'consume', '--until-end', '--quiet', '-o', 'json', ...flags];
    const run = await measure(process.execPath, args, { env: { ...settingsOf(job), ...env } });
    const { read } = /** @type {{read: number}} */ (JSON.parse(run.stdout));
    return { ...run, ...spanOfLogs(folder), count: read, folder };
  },
});

export const orderctl = consuming('orderctl consume --no-events', ['--no-events']);
export const announcing = consuming('orderctl consume');

/** @param {string} folder */
function spanOfLogs(folder) {
  const logs = ['orders.jsonl', 'rejections.jsonl']
    .map((name) => join(folder, name))
    .filter((file) => existsSync(file));
  const first = Math.min(...logs.map(firstDecision));
  const last = Math.max(...logs.map((file) => statSync(file).mtimeMs));
  return { seconds: (last - first) / 1000 };
}

/** @param {string} file */
function firstDecision(file) {
  const head = Buffer.alloc(1024);
  const fd = openSync(file, 'r');
  readSync(fd, head);
  closeSync(fd);
  const at = /"(?:accepted|rejected)_at":"([^"]+)"/.exec(head.toString('latin1'))?.[1];
  return at === undefined ? Infinity : Date.parse(at);
}

/** @param {Job} job */
function argumentsOf(job) {
  const { cluster, topic, id, count, users, items } = job;
  return [cluster.brokers, topic, id, folderOf(job), `${count}`, `${users}`, `${items}`];
}

/**
 * A program that prints `{"first", "last", "count"}` in milliseconds since the epoch.
 *
 * @param {string} name
 * @param {(job: Job) => {command: string, args: string[]}} commandOf
 * @returns {Program}
 */
export function peer(name, commandOf) {
  return {
    name,
    run: async (job) => {
      const { command, args } = commandOf(job);
      const run = await measure(command, [...args, ...argumentsOf(job), SCHEMA_FILE]);
      const line = run.stdout.trim().split('\n').at(-1) ?? '';
      const { first, last, count } = /** @type {{first: number, last: number, count: number}} */ (
        JSON.parse(line)
      );
      return { ...run, seconds: (last - first) / 1000, count, folder: folderOf(job) };
    },
  };
}

export const script = (/** @type {string} */ file) => () => ({
  command: process.execPath,
  args: [join(BENCH, 'peers', file)],
});

export const floor = peer('floor: raw kafkajs, no ids, no recovery', script('floor.mjs'));
export const noop = peer('raw kafkajs, no-op', script('noop.mjs'));

/**
 * @returns {{command: string, args: string[]} | null} without the class; null, with a message, if Maven or a JDK is
 * missing
 */
export function buildStreams() {
  const isThere = (/** @type {string} */ command) =>
    spawnSync(command, ['-version'], { stdio: 'ignore' }).status === 0;
  if (!isThere('mvn') || !isThere('javac')) {
    say('skipped: Kafka Streams, which needs Maven and a JDK');
    return null;
  }
  const folder = join(BENCH, 'peers', 'streams');
  const built = spawnSync('mvn', ['-q', '-B', 'package'], { cwd: folder, encoding: 'utf8' });
  if (built.status !== 0) throw new Error(`Kafka Streams cannot be built: ${built.stdout}`);
  const classes = [join(folder, 'target', 'classes'), join(folder, 'target', 'jars', '*')].join(delimiter);
  return { command: findJava(), args: ['-Xmx1g', '-cp', classes] };
}

/** @returns {Promise<Program | null>} null, with a message, where Maven or a JDK is missing */
export async function kafkaStreams() {
  const streams = buildStreams();
  if (streams === null) return null;
  const started = peer('Kafka Streams, exactly_once_v2', () => ({
    command: streams.command,
    args: [...streams.args, 'Orders'],
  }));
  return {
    name: started.name,
    run: async (job) => {
      await createTopic(job.cluster, `${job.topic}.accepted`);
      return started.run(job);
    },
  };
}

/** @returns {Program | null} null, with a message, where its packages are missing */
export function python() {
  const command = process.env.ORDERCTL_BENCH_PYTHON ?? 'python3';
  if (spawnSync(command, ['-c', 'import confluent_kafka, fastavro'], { stdio: 'ignore' }).status !== 0) {
    say(
      'skipped: Python, which needs confluent-kafka and fastavro (ORDERCTL_BENCH_PYTHON: the python to use)',
    );
    return null;
  }
  return peer('Python, at least once', () => ({ command, args: [join(BENCH, 'peers', 'consume.py')] }));
}
