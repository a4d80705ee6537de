// @ts-check
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { CannotStart } from './install.mjs';
import { HOST, freePort, startService } from './services.mjs';

/**
 * @typedef {import('./services.mjs').Installation} Installation
 * @typedef {import('./services.mjs').Service} Service
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
 * A node of a cluster: broker and controller in one process, loopback only. What others learn of where it listens
 * may differ from where it does, so that a proxy can stand in between.
 *
 * @typedef {object} KafkaNode
 * @property {number} id from 1
 * @property {string} folder holds its data, its log and its server.properties
 * @property {number} port for clients
 * @property {number} [advertisedPort] what clients receive; `port` when absent
 * @property {{port: number, advertisedPort: number}} [peers] what the other brokers use; the clients' when absent
 * @property {number} controllerPort
 * @property {number} [advertisedControllerPort] where the other nodes reach the controller; `controllerPort` when absent
 * @property {string} voters the controllers as this node reaches them: `1@127.0.0.1:PORT,…`
 */

/**
 * Apache Kafka in KRaft mode, one node, loopback only. Its data, kept across restarts, is in `folder/kafka`.
 *
 * @param {Installation} installation
 * @param {{folder: string, port: number, secure?: SecureListener}} options
 * @returns {Promise<Service>} once it answers
 * @throws {CannotStart} 1 when it dies, as it does when the port is taken, or does not answer
 */
export async function startKafka(installation, { folder, port, secure }) {
  // The controller is reached by nobody but this broker, so any free port does and it may change between starts:
  // a static voter is known by its id, not by its address.
  const controllerPort = await freePort();
  const node = { id: 1, folder, port, controllerPort, voters: voter(1, controllerPort) };
  formatNodes(installation, [node], secure);
  return launch(installation, node, {
    name: 'Apache Kafka',
    heap: ['-Xms256m', '-Xmx512m', '-XX:+UseG1GC', '-XX:MaxGCPauseMillis=20'],
  });
}

/**
 * @param {number} id
 * @param {number} port
 */
export const voter = (id, port) => `${id}@${HOST}:${port}`;

/**
 * Apache Kafka in KRaft mode, several nodes, loopback only. Their data, kept across restarts, is in
 * `folder/nodes-COUNT/ID`.
 *
 * @param {Installation} installation
 * @param {{folder: string, ports: readonly number[]}} options the clients' ports, one a node
 * @returns {Promise<Service[]>} once all answer
 * @throws {CannotStart} 1 when one dies, as it does when its port is taken, or does not answer; none is left running
 */
export async function startKafkaNodes(installation, { folder, ports }) {
  const controllerPorts = await Promise.all(ports.map(() => freePort()));
  const voters = controllerPorts.map((port, index) => voter(index + 1, port)).join(',');
  const nodes = controllerPorts.map((controllerPort, index) => ({
    id: index + 1,
    folder: join(folder, `nodes-${ports.length}`, String(index + 1)),
    port: Number(ports[index]),
    controllerPort,
    voters,
  }));
  formatNodes(installation, nodes);
  const started = await Promise.allSettled(nodes.map((node) => startNode(installation, node)));
  const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  for (const result of started) {
    if (result.status === 'fulfilled') continue;
    await stopNodes(running);
    throw result.reason;
  }
  return running;
}

/** How long nodes that stop together may take to hand over: the last ones find no majority to hand over to. */
const HANDOVER_MS = 3_000;

/**
 * Stops all nodes of a cluster. What they have acknowledged is kept however they end.
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
 * @param {AbortSignal} [abort] kills it while it starts
 * @returns {Promise<Service>} once it answers and counts itself among the living
 * @throws {CannotStart} 1 when it dies or does not answer
 */
export async function startNode(installation, node, abort) {
  const service = await launch(installation, node, {
    abort,
    name: `Apache Kafka node ${node.id}`,
    // 170 MB each; the compiler that starts fast is enough for what one machine sends itself.
    heap: ['-Xms128m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
  });
  return { ...service, restart: (abort) => startNode(installation, node, abort) };
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
 * @param {{name: string, heap: readonly string[], abort?: AbortSignal | undefined}} options
 */
function launch(installation, node, { name, heap, abort }) {
  const { properties, logFile } = pathsOf(node);
  return startService({
    name,
    port: node.port,
    address: `${HOST}:${node.advertisedPort ?? node.port}`,
    command: installation.java,
    args: [...heap, ...classPath(installation), 'kafka.Kafka', properties],
    logFile,
    answers: () => brokerAnswers(node.port),
    abort,
  });
}

/**
 * Writes the settings of each node, and prepares the data folders that are not yet, as one cluster.
 *
 * @param {Installation} installation
 * @param {readonly KafkaNode[]} nodes all of the cluster
 * @param {SecureListener} [secure]
 * @throws {CannotStart} 1 when Kafka refuses the folder
 */
export function formatNodes(installation, nodes, secure) {
  let clusterId = nodes.map(clusterIdOf).find((id) => id !== undefined);
  // An id that begins with a dash would be read as an option.
  clusterId ??= `K${randomBytes(16).toString('base64url').slice(1)}`;
  for (const node of nodes) {
    const { data, properties } = pathsOf(node);
    mkdirSync(data, { recursive: true });
    writeFileSync(properties, kafkaProperties(node, nodes.length, data, secure));
    if (clusterIdOf(node) !== undefined) continue;
    const heap = ['-Xmx128m', '-XX:TieredStopAtLevel=1'];
    const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties];
    const { status, stdout, stderr } = spawnSync(
      installation.java,
      [...heap, ...classPath(installation), ...format],
      { encoding: 'utf8' },
    );
    if (status !== 0) {
      throw new CannotStart(`Kafka could not prepare its data folder:\n${stdout}${stderr}`, 1);
    }
  }
}

/** @param {KafkaNode} node */
function clusterIdOf(node) {
  const file = join(pathsOf(node).data, 'meta.properties');
  return existsSync(file) ? /^cluster\.id=(.+)$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}

/**
 * @param {KafkaNode} node
 * @param {number} count
 * @param {string} data
 * @param {SecureListener} [secure]
 */
function kafkaProperties(node, count, data, secure) {
  const { id, port, advertisedPort = port, peers, controllerPort, voters } = node;
  const { advertisedControllerPort = controllerPort } = node;
  const listeners = [
    { name: 'PLAINTEXT', protocol: 'PLAINTEXT', port, advertisedPort },
    ...(secure ? [{ name: 'SECURE', ...secure, advertisedPort: secure.port }] : []),
    ...(peers ? [{ name: 'PEERS', protocol: 'PLAINTEXT', ...peers }] : []),
  ];
  return `# Written at each start.
process.roles=broker,controller
node.id=${id}
controller.quorum.voters=${voters}
controller.listener.names=CONTROLLER
listeners=${listeners.map((one) => `${one.name}://${HOST}:${one.port}`).join(',')},CONTROLLER://${HOST}:${controllerPort}
advertised.listeners=${listeners.map((one) => `${one.name}://${HOST}:${one.advertisedPort}`).join(',')},CONTROLLER://${HOST}:${advertisedControllerPort}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,${listeners.map((one) => `${one.name}:${one.protocol}`).join(',')}
inter.broker.listener.name=${peers ? 'PEERS' : 'PLAINTEXT'}
log.dirs=${data}

${count === 1 ? ONE_NODE : THREE_NODES}
# One machine: fewer internal partitions, no wait for more members to join.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
# Its default of 128 MiB would be a quarter of this heap.
log.cleaner.dedupe.buffer.size=16777216
${secure?.properties ?? ''}`;
}

const ONE_NODE = `# One broker holds every replica there is.
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
`;

const THREE_NODES = `# Three replicas of everything, and two of them have what is acknowledged.
default.replication.factor=3
min.insync.replicas=2
offsets.topic.replication.factor=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2

# A broker that is gone is replaced in three seconds instead of nine: nothing but this machine's load delays it.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
# A broker that waits for a controller which is gone asks the new one after three seconds instead of thirty.
controller.socket.timeout.ms=3000
replica.lag.time.max.ms=4000
# A leader that came back is not moved behind one's back.
auto.leader.rebalance.enable=false
`;

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
