// @ts-check
import { securityProperties } from './security.mjs';
import { HOST } from './services.mjs';

/**
 * The settings of a node, as Kafka reads them.
 *
 * @param {import('./broker.mjs').KafkaNode} node
 * @param {number} count
 * @param {string} data
 * @param {import('./broker.mjs').ClusterOptions} cluster
 */
export function kafkaProperties(node, count, data, { security, extra = [] }) {
  const { id, port, advertisedPort = port, peers, controllerPort, voters, hosts } = node;
  const at = hosts === undefined ? HOST : '0.0.0.0';
  const toPeers = hosts?.peers ?? HOST;
  const { advertisedControllerPort = controllerPort } = node;
  const between = security === undefined ? 'PLAINTEXT' : 'SSL';
  const listeners = [
    {
      name: 'CLIENTS',
      protocol: security === undefined ? 'PLAINTEXT' : 'SASL_SSL',
      port,
      advertisedPort,
      host: hosts?.clients ?? HOST,
    },
    ...extra.map((one) => ({ ...one, advertisedPort: one.port, host: HOST })),
    ...(peers ? [{ name: 'PEERS', protocol: between, ...peers, host: toPeers }] : []),
  ];
  return `# Written at each start.
process.roles=broker,controller
node.id=${id}
controller.quorum.voters=${voters}
controller.listener.names=CONTROLLER
listeners=${listeners.map((one) => `${one.name}://${at}:${one.port}`).join(',')},CONTROLLER://${at}:${controllerPort}
advertised.listeners=${listeners.map((one) => `${one.name}://${one.host}:${one.advertisedPort}`).join(',')},CONTROLLER://${toPeers}:${advertisedControllerPort}
listener.security.protocol.map=CONTROLLER:${between},${listeners.map((one) => `${one.name}:${one.protocol}`).join(',')}
inter.broker.listener.name=${peers ? 'PEERS' : 'CLIENTS'}
log.dirs=${data}

${count === 1 ? ONE_NODE : THREE_NODES}
# One machine: fewer internal partitions, and no wait for more members to join.
offsets.topic.num.partitions=4
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
# The default of 128 MiB would be a quarter of this heap.
log.cleaner.dedupe.buffer.size=16777216
${security === undefined ? '' : securityProperties(security)}${extra.map(({ properties }) => properties).join('')}`;
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

# A broker that is down is replaced in three seconds instead of nine: only this machine's load delays heartbeats.
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
# A broker that waits for a controller that is down asks the new one after three seconds instead of thirty.
controller.socket.timeout.ms=3000
replica.lag.time.max.ms=4000
# No automatic move back to a leader that has returned.
auto.leader.rebalance.enable=false
`;
