// @ts-check
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { CannotStart, installJars } from '../kafka/install.mjs';
import { HOST, startService } from '../kafka/services.mjs';

const HERE = import.meta.dirname;
const CONNECTORS = join(HERE, 'connectors');

/** @type {import('../kafka/install.mjs').Download} */
const PLUGINS = {
  folder: HERE,
  modules: ['avro', 'debezium', 'jdbc'].map((name) => `plugins/${name}.xml`),
  what: 'Debezium and the Avro converter',
  size: 'about 45 MB',
};

/**
 * @typedef {object} Worker
 * @property {string} java
 * @property {string} kafka the jars of Kafka, Connect's among them
 * @property {string} plugins
 */

/**
 * @param {string} java
 * @param {(line: string) => void} say
 * @returns {Promise<Worker>}
 * @throws {CannotStart} 3 without Maven, 5 when a download fails
 */
export async function installConnect(java, say) {
  const worker = { java, kafka: await installJars(say), plugins: await installJars(say, PLUGINS) };
  listPlugins(worker);
  return worker;
}

/**
 * Lists the contents of the plugins with Kafka's own tool, unless that was done before: Apicurio's converter has no
 * list, and a worker that scans all classes takes three times as long to start.
 *
 * @param {Worker} worker
 * @throws {CannotStart} 1 when the tool fails
 */
function listPlugins(worker) {
  if (existsSync(join(worker.plugins, 'avro', 'connect-plugin-path-shim-1.0.0.jar'))) return;
  const tool = [
    'org.apache.kafka.tools.ConnectPluginPath',
    'sync-manifests',
    '--plugin-path',
    worker.plugins,
  ];
  const { status, stdout, stderr } = spawnSync(worker.java, [...javaOptions(worker), ...tool], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new CannotStart(`the plugins of Connect cannot be listed:\n${stdout}${stderr}`, 1);
}

/** @param {Worker} worker */
function javaOptions({ kafka }) {
  return [
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=${join(HERE, 'log4j2.xml')}`,
    '-cp',
    join(kafka, 'kafka', '*'),
  ];
}

/**
 * A Connect worker with the connectors of this folder, loopback only. Its read positions are kept in `folder`.
 *
 * @param {Worker} worker
 * @param {{folder: string, port: number, environment: Record<string, string>, client?: string | undefined}} options
 *   `client`: further properties for each of its Kafka clients
 * @returns {Promise<import('../kafka/services.mjs').Service>} once all connectors run
 * @throws {CannotStart} 1 when it dies, does not answer, or a connector fails
 */
export async function startConnect(worker, { folder, port, environment, client = '' }) {
  const root = resolve(folder);
  mkdirSync(root, { recursive: true });
  const link = join(root, 'plugins');
  rmSync(link, { force: true });
  symlinkSync(worker.plugins, link);
  const properties = join(root, 'worker.properties');
  writeFileSync(properties, workerProperties(client), { mode: 0o600 });
  const files = readdirSync(CONNECTORS).map((file) => join(CONNECTORS, file));
  const address = `http://${HOST}:${port}`;
  return startService({
    name: 'Kafka Connect',
    port,
    address,
    command: worker.java,
    args: [...javaOptions(worker), 'org.apache.kafka.connect.cli.ConnectStandalone', properties, ...files],
    cwd: root,
    env: { ...environment, CONNECT_LISTENER: address },
    logFile: join(root, 'connect.log'),
    answers: async () => {
      const tasks = await tasksOf(address);
      // connect.mjs watches for and reports a connector that failed at its start.
      return (
        tasks.length === files.length && tasks.every(({ state }) => state === 'RUNNING' || state === 'FAILED')
      );
    },
  });
}

/** @param {string} client */
function workerProperties(client) {
  const lines = client.split('\n').filter((line) => /^[^#!\s]/.test(line));
  // For the worker itself, sources, sinks, and the creation of topics.
  const all = ['', 'producer.', 'consumer.', 'admin.'].flatMap((of) => lines.map((line) => `${of}${line}\n`));
  return `${readFileSync(join(HERE, 'worker.properties'), 'utf8')}${all.join('')}`;
}

/**
 * @param {string} address
 * @returns {Promise<{name: string, state: string, trace: string}[]>} the task of each connector that has one
 */
export async function tasksOf(address) {
  const response = await fetch(`${address}/connectors?expand=status`, { signal: AbortSignal.timeout(5_000) });
  if (!response.ok) throw new CannotStart(`Kafka Connect answered ${response.status}`, 1);
  /** @type {Record<string, {status: {connector: Task, tasks: Task[]}}>} */
  const connectors = Object.assign({}, await response.json());
  return Object.entries(connectors).flatMap(([name, { status }]) =>
    [status.connector.state === 'FAILED' ? status.connector : status.tasks[0]].flatMap((task) =>
      task === undefined ? [] : [{ name, state: task.state, trace: task.trace ?? '' }],
    ),
  );
}

/** @typedef {{state: string, trace?: string}} Task */
