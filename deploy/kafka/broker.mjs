// @ts-check
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brokerAnswers } from './answers.mjs';
import { CannotStart } from './install.mjs';
import { kafkaProperties } from './properties.mjs';
import { scramOptions } from './security.mjs';
import { HOST, freePort, startService } from './services.mjs';

/**
 * @typedef {import('./services.mjs').Installation} Installation
 * @typedef {import('./services.mjs').Service} Service
 */

/**
 * An additional listener of the broker.
 *
 * @typedef {object} ExtraListener
 * @property {string} name in capitals
 * @property {number} port
 * @property {'SSL' | 'SASL_SSL' | 'SASL_PLAINTEXT'} protocol
 * @property {string} properties further lines of server.properties, such as `listener.name.secure.…`
 */

/**
 * @typedef {object} ClusterOptions
 * @property {import('./security.mjs').Security} [security] without it, everyone may do everything
 * @property {readonly ExtraListener[]} [extra] only for a cluster of one node
 */

/**
 * A node of a cluster: broker and controller in one process, loopback only. The addresses that it advertises may differ
 * from those on which it listens, so that a proxy can be put in between.
 *
 * @typedef {object} KafkaNode
 * @property {number} id from 1
 * @property {string} folder holds its data, its log and its server.properties
 * @property {number} port for clients
 * @property {number} [advertisedPort] the port that clients receive; by default `port`
 * @property {{port: number, advertisedPort: number}} [peers] for the other brokers; by default, and where the cluster
 *   is not secured, they use the port for clients
 * @property {number} controllerPort
 * @property {number} [advertisedControllerPort] where the other nodes reach the controller; by default `controllerPort`
 * @property {string} voters the controllers as this node reaches them: `1@127.0.0.1:PORT,…`
 * @property {{clients: string, peers: string}} [hosts] where clients and the other nodes reach it, if not on this
 *   machine's loopback; then it listens on all of its addresses
 */

/**
 * Apache Kafka in KRaft mode, one node, loopback only. Its data, kept across restarts, is in `folder/kafka`.
 *
 * @param {Installation} installation
 * @param {{folder: string, port: number} & ClusterOptions} options
 * @returns {Promise<Service>} once it answers
 * @throws {CannotStart} 1 when it exits, as it does when the port is taken, or does not answer
 */
export async function startKafka(installation, { folder, port, ...cluster }) {
  // Only this broker reaches the controller, so any free port works, and it may change between starts: a static voter
  // is known by its id, not by its address.
  const controllerPort = await freePort();
  const peers = await peersOf(cluster);
  const node = { id: 1, folder, port, controllerPort, voters: voter(1, controllerPort), ...peers };
  formatNodes(installation, [node], cluster);
  return launch(installation, node, {
    security: cluster.security,
    name: 'Apache Kafka',
    heap: ['-Xms256m', '-Xmx512m', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'],
  });
}

/**
 * The nodes of a secured cluster reach each other on ports that no client uses.
 *
 * @param {ClusterOptions} cluster
 * @returns {Promise<Pick<KafkaNode, 'peers'>>}
 */
async function peersOf({ security }) {
  if (security === undefined) return {};
  const port = await freePort();
  return { peers: { port, advertisedPort: port } };
}

/**
 * @param {number} id
 * @param {number} port
 * @param {string} [host]
 */
export const voter = (id, port, host = HOST) => `${id}@${host}:${port}`;

/**
 * Apache Kafka in KRaft mode, several nodes, loopback only. Their data, kept across restarts, is in
 * `folder/nodes-COUNT/ID`.
 *
 * @param {Installation} installation
 * @param {{folder: string, ports: readonly number[], security?: import('./security.mjs').Security | undefined}} options
 *   `ports`: for clients, one per node
 * @returns {Promise<Service[]>} once all answer
 * @throws {CannotStart} 1 when one exits, as it does when its port is taken, or does not answer; none is left running
 */
export async function startKafkaNodes(installation, { folder, ports, security }) {
  const cluster = security === undefined ? {} : { security };
  const controllerPorts = await Promise.all(ports.map(() => freePort()));
  const voters = controllerPorts.map((port, index) => voter(index + 1, port)).join(',');
  const peers = await Promise.all(ports.map(() => peersOf(cluster)));
  const nodes = controllerPorts.map((controllerPort, index) => ({
    ...peers[index],
    id: index + 1,
    folder: join(folder, `nodes-${ports.length}`, String(index + 1)),
    port: Number(ports[index]),
    controllerPort,
    voters,
  }));
  formatNodes(installation, nodes, cluster);
  const started = await Promise.allSettled(nodes.map((node) => startNode(installation, node, { security })));
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  for (const result of started) {
    if (result.status === 'fulfilled') continue;
    await stopNodes(running);
    throw result.reason;
  }
  return running;
}

/** Time for nodes that stop together to hand over: the last ones find no majority to hand over to. */
const HANDOVER_MS = 3_000;

/**
 * Stops all nodes of a cluster. What they have acknowledged is kept however they exit.
 *
 * @param {readonly Service[]} nodes
 */
export async function stopNodes(nodes) {
  const killer = setTimeout(() => {
    for (const node of nodes) node.signal('SIGKILL');
  }, HANDOVER_MS);
  await Promise.all(nodes.map((node) => node.stop()));
  clearTimeout(killer);
}

/**
 * Starts a node of a cluster that `formatNodes` has prepared.
 *
 * @param {Installation} installation
 * @param {KafkaNode} node
 * @param {{abort?: AbortSignal | undefined, security?: import('./security.mjs').Security | undefined}} [options]
 *   `abort` kills it while it starts
 * @returns {Promise<Service>} once it answers and lists itself as available
 * @throws {CannotStart} 1 when it exits or does not answer
 */
export async function startNode(installation, node, { abort, security } = {}) {
  const service = await launch(installation, node, {
    abort,
    security,
    name: `Apache Kafka node ${node.id}`,
    // 170 MB each; the compiler that starts fast is enough for the load of one machine.
    heap: ['-Xms128m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
  });
  return { ...service, restart: (abort) => startNode(installation, node, { abort, security }) };
}

/** @param {KafkaNode} node */
function pathsOf({ folder }) {
  const root = resolve(folder);
  return {
    data: join(root, 'kafka'),
    properties: join(root, 'server.properties'),
    logFile: join(root, 'kafka.log'),
  };
}

/** @param {Installation} installation */
function classPath({ jars }) {
  return [
    `-Dlog4j2.configurationFile=${join(import.meta.dirname, 'log4j2.xml')}`,
    '-Djava.awt.headless=true',
    '-cp',
    join(jars, 'kafka', '*'),
  ];
}

/**
 * @param {Installation} installation
 * @param {KafkaNode} node
 * @param {{name: string, heap: readonly string[], abort?: AbortSignal | undefined,
 *   security?: import('./security.mjs').Security | undefined}} options
 */
function launch(installation, node, { name, heap, abort, security }) {
  const { properties, logFile } = pathsOf(node);
  return startService({
    name,
    port: node.port,
    address: `${node.hosts?.clients ?? HOST}:${node.advertisedPort ?? node.port}`,
    command: installation.java,
    args: [...heap, ...classPath(installation), 'kafka.Kafka', properties],
    logFile,
    answers: () => brokerAnswers(node, security),
    abort,
  });
}

/**
 * Writes the settings of each node, and formats the data folders that are not formatted yet, as one cluster.
 *
 * @param {Installation} installation
 * @param {readonly KafkaNode[]} nodes all nodes of the cluster
 * @param {ClusterOptions} [cluster]
 * @throws {CannotStart} 1 when Kafka refuses a folder
 */
export function formatNodes(installation, nodes, cluster = {}) {
  let clusterId = nodes.map(clusterIdOf).find((id) => id !== undefined);
  // An id that starts with a dash would be read as an option.
  clusterId ??= `K${randomBytes(16).toString('base64url').slice(1)}`;
  for (const node of nodes) {
    const { data, properties } = pathsOf(node);
    mkdirSync(data, { recursive: true });
    writeFileSync(properties, kafkaProperties(node, nodes.length, data, cluster));
    if (clusterIdOf(node) !== undefined) continue;
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties];
    const users = cluster.security === undefined ? [] : scramOptions(cluster.security);
    const { status, stdout, stderr } = runJava(installation, node, [...format, ...users]);
    if (status !== 0) {
      // Its output about users contains their keys.
      const said = users.length === 0 ? `${stdout}${stderr}` : stderr;
      throw new CannotStart(`Kafka could not prepare its data folder:\n${said}`, 1);
    }
  }
}

/**
 * Passes arguments in a file that only its owner can read: everyone on the machine sees the arguments of a process.
 *
 * @param {Installation} installation
 * @param {KafkaNode} node
 * @param {readonly string[]} args
 */
function runJava(installation, node, args) {
  const file = join(resolve(node.folder), 'java-arguments');
  const all = ['-Xmx128m', '-XX:TieredStopAtLevel=1', ...classPath(installation), ...args];
  writeFileSync(file, all.map((arg) => `"${arg.replaceAll('\\', '\\\\')}"\n`).join(''), { mode: 0o600 });
  try {
    return spawnSync(installation.java, [`@${file}`], { encoding: 'utf8' });
  } finally {
    rmSync(file);
  }
}

/** @param {KafkaNode} node */
function clusterIdOf(node) {
  const file = join(pathsOf(node).data, 'meta.properties');
  return existsSync(file) ? /^cluster\.id=(.+)$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}
