import { randomBytes } from 'node:crypto';
import path from 'node:path';

import { Users } from './auth/users.ts';
import { Topics } from './cluster/topics.ts';
import { GroupCoordinator, type GroupSettings } from './groups/coordinator.ts';
import { StateLog } from './state-log.ts';
import { TransactionCoordinator } from './transactions/coordinator.ts';

export interface BrokerOptions {
  readonly dataDir: string;
  /** Passwords by user; when given, every connection must authenticate by SASL. */
  readonly users?: ReadonlyMap<string, string>;
  /** Creates a missing topic when a request names it and allows that; default true, as in Kafka. */
  readonly autoCreateTopics?: boolean;
  /** Partitions of a topic that is created without a partition count; default 1. */
  readonly defaultPartitions?: number;
  /** Defaults: `GROUP_SETTINGS`. */
  readonly groups?: Partial<GroupSettings>;
  /** Receives problems that no response reports. */
  readonly warn: (message: string) => void;
}

/** The state on which request handlers work. */
export interface Broker {
  /** Id of the only node. */
  readonly nodeId: number;
  /** Created with the data folder: another folder is another cluster. */
  readonly clusterId: string;
  readonly dataDir: string;
  readonly autoCreateTopics: boolean;
  readonly defaultPartitions: number;
  readonly topics: Topics;
  readonly groups: GroupCoordinator;
  readonly transactions: TransactionCoordinator;
  /** Undefined when connections need not authenticate. */
  readonly users: Users | undefined;
}

const NODE_ID = 1;

/**
 * Opens the data folder.
 *
 * @throws CorruptLogError · CorruptStateError
 */
export function openBroker(options: BrokerOptions): Broker & { close(): void } {
  const { dataDir } = options;
  const topics = new Topics(dataDir, options.warn);
  const groups = new GroupCoordinator(dataDir, options.groups);
  topics.onDeleted((name) => groups.forgetTopic(name));
  const transactions = new TransactionCoordinator(dataDir, {
    endInPartition({ topic, partition }, { producerId, epoch }, committed) {
      topics.partition(topic, partition)?.endTransaction(producerId, epoch, committed);
    },
    endInGroups: ({ producerId }, committed) => groups.endTransaction(producerId, committed),
  });
  return {
    nodeId: NODE_ID,
    clusterId: durableClusterId(path.join(dataDir, 'cluster.log')),
    dataDir: path.resolve(dataDir),
    autoCreateTopics: options.autoCreateTopics ?? true,
    defaultPartitions: options.defaultPartitions ?? 1,
    topics,
    groups,
    transactions,
    users: options.users === undefined ? undefined : new Users(options.users),
    close() {
      groups.close();
      transactions.close();
      topics.close();
    },
  };
}

function durableClusterId(file: string): string {
  const log = new StateLog<string>(file);
  try {
    const known = log.get('clusterId') ?? randomBytes(16).toString('base64url');
    if (!log.has('clusterId')) log.set('clusterId', known);
    return known;
  } finally {
    log.close();
  }
}
