import type { Broker } from '../../ports/broker.ts';
import { FetchBudget } from './fetch-budget.ts';
import type { KafkaOptions } from './options.ts';

/** A Kafka cluster. Cheap to create: kafkajs is loaded and connections are made on first use. */
export function createKafkaBroker(options: KafkaOptions): Broker {
  const budget = new FetchBudget();
  return {
    addresses: options.brokers.join(','),
    admin: async () => (await import('./admin/admin.ts')).createAdmin(options),
    producer: async () => (await import('./produce/producer.ts')).createProducer(options),
    consumer: async () => (await import('./consume/consumer.ts')).createConsumer(options, budget),
  };
}
