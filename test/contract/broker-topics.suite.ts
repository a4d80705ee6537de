import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { BrokerAdmin } from '../../src/ports/broker.ts';
import type { Cluster } from './broker.suite.ts';

/** Topics described and changed. */
export function topicsContract(cluster: Cluster): void {
  describe('topics', () => {
    let admin: BrokerAdmin;
    beforeAll(async () => {
      admin = await cluster.broker().admin();
    });
    afterAll(() => admin[Symbol.asyncDispose]());

    it('are described with partitions, copies and configuration, defaults included', async () => {
      const topic = cluster.name('described');
      expect(await admin.describeTopic(topic)).toBeUndefined();
      expect(await admin.partitionCount(topic)).toBeUndefined();
      const brokers = await admin.brokerCount();
      expect(brokers).toBeGreaterThan(0);
      await admin.createTopic(topic, {
        partitions: 3,
        replication: 99,
        configs: { 'retention.ms': '123456' },
      });
      const found = await admin.describeTopic(topic);
      expect(found).toMatchObject({ partitions: 3, replication: brokers });
      expect(found?.configs.get('retention.ms')).toBe('123456');
      expect(Number(found?.configs.get('max.message.bytes'))).toBeGreaterThan(0);
      expect(found?.configs.get('cleanup.policy')).toBe('delete');
    });

    it('get more partitions, never fewer', async () => {
      const topic = cluster.name('grown');
      await admin.createTopic(topic, { partitions: 2 });
      await admin.addPartitions(topic, 5);
      expect((await admin.describeTopic(topic))?.partitions).toBe(5);
      expect(await admin.ranges(topic)).toHaveLength(5);
      for (const total of [5, 3]) {
        await expect(admin.addPartitions(topic, total)).rejects.toMatchObject({ code: 'broker_refused' });
      }
      expect((await admin.describeTopic(topic))?.partitions).toBe(5);
    });

    it('get one configuration changed, and keep the others', async () => {
      const topic = cluster.name('altered');
      await admin.createTopic(topic, { partitions: 1, configs: { 'retention.ms': '111111' } });
      await admin.alterTopicConfig(topic, { 'max.message.bytes': '70000' });
      await expect.poll(() => admin.topicConfig(topic, 'max.message.bytes')).toBe('70000');
      expect(await admin.topicConfig(topic, 'retention.ms')).toBe('111111');
    });

    it('refuse a value that Kafka does not take, naming it', async () => {
      const topic = cluster.name('refused');
      await admin.createTopic(topic, { partitions: 1 });
      await expect(admin.alterTopicConfig(topic, { 'max.message.bytes': 'many' })).rejects.toMatchObject({
        code: 'broker_refused',
        message: expect.stringContaining('max.message.bytes') as string,
      });
      await expect(
        admin.alterTopicConfig(cluster.name('absent'), { 'max.message.bytes': '70000' }),
      ).rejects.toMatchObject({ code: 'not_found' });
    });
  });
}
