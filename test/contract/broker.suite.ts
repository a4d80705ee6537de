import { randomUUID } from 'node:crypto';

import kafkajs, { type Kafka } from 'kafkajs';
import { describe } from 'vitest';

import { createKafkaBroker } from '../../src/adapters/kafka/kafka-broker.ts';
import type { Broker } from '../../src/ports/broker.ts';
import { adminContract } from './broker-admin.suite.ts';
import { consumerContract } from './broker-consumer.suite.ts';
import { endsContract } from './broker-ends.suite.ts';
import { groupContract } from './broker-group.suite.ts';
import { producerContract } from './broker-producer.suite.ts';
import { topicsContract } from './broker-topics.suite.ts';
import { recordsContract } from './broker-records.suite.ts';
import { sharedContract } from './broker-shared.suite.ts';
import { sourcesContract } from './broker-sources.suite.ts';

/** What the parts of the suite work with. */
export interface Cluster {
  /** The broker under test. */
  broker(): Broker;
  /** Another client, for what the port does not do: transactions, deletions, foreign consumers. */
  kafka(): Kafka;
  /** A name that no other test uses. */
  name(prefix: string): string;
}

/**
 * What `src/ports/broker.ts` promises, held against a cluster: a real Kafka or anything that speaks its protocol.
 *
 * @param connect gives the cluster's addresses; called once the tests run
 */
export function brokerContract(connect: () => Promise<readonly string[]> | readonly string[]): void {
  describe('broker contract', async () => {
    const brokers = [...(await connect())];
    const cluster: Cluster = {
      broker: () => createKafkaBroker({ brokers, clientId: 'contract', tls: null, sasl: null }),
      kafka: () => new kafkajs.Kafka({ brokers, clientId: 'other', logLevel: kafkajs.logLevel.NOTHING }),
      name: (prefix) => `${prefix}-${randomUUID().slice(0, 13)}`,
    };
    adminContract(cluster);
    topicsContract(cluster);
    producerContract(cluster);
    recordsContract(cluster);
    consumerContract(cluster);
    endsContract(cluster);
    groupContract(cluster);
    sourcesContract(cluster);
    sharedContract(cluster);
  });
}
