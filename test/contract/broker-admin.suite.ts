import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { createKafkaBroker } from '../../src/adapters/kafka/kafka-broker.ts';
import { fingerprintOf } from '../../src/adapters/kafka/protocol/fingerprint.ts';
import { isFailure } from '../../src/domain/failure.ts';
import type { BrokerAdmin } from '../../src/ports/broker.ts';
import type { Position } from '../../src/ports/store.ts';
import { closedPort } from '../support/closed-port.ts';
import type { Cluster } from './broker.suite.ts';

export function adminContract(cluster: Cluster): void {
  describe('admin', () => {
    let admin: BrokerAdmin;
    beforeAll(async () => {
      admin = await cluster.broker().admin();
    });
    afterAll(() => admin[Symbol.asyncDispose]());

    it('knows the cluster, and no topic that is not there', async () => {
      expect(await admin.clusterId()).toMatch(/\S/);
      const topic = cluster.name('absent');
      expect(await admin.partitionCount(topic)).toBeUndefined();
      await expect(admin.ranges(topic)).rejects.toMatchObject({ code: 'not_found' });
      await expect(admin.ledRanges(topic)).rejects.toMatchObject({ code: 'not_found' });
      expect(await admin.partitionCount(topic)).toBeUndefined();
    });

    it('lists topics without Kafka’s own, and groups', async () => {
      const topic = cluster.name('listed');
      const group = cluster.name('listed-group');
      await admin.createTopic(topic, { partitions: 1 });
      await admin.commit(group, topic, [{ partition: 0, offset: 0, metadata: '' }]);
      const topics = await admin.topicNames();
      expect(topics).toContain(topic);
      expect(topics.filter((name) => name.startsWith('__'))).toEqual([]);
      expect(await admin.groupNames()).toContain(group);
    });

    it('creates a topic once, with its configuration', async () => {
      const topic = cluster.name('made');
      expect(
        await admin.createTopic(topic, { partitions: 4, configs: { 'max.message.bytes': '70000' } }),
      ).toBe(true);
      expect(await admin.createTopic(topic, { partitions: 2 })).toBe(false);
      expect(await admin.partitionCount(topic)).toBe(4);
      expect(await admin.topicConfig(topic, 'max.message.bytes')).toBe('70000');
      expect(await admin.topicConfig(topic, 'no.such.setting')).toBeUndefined();
      expect(await admin.ranges(topic)).toEqual(
        [0, 1, 2, 3].map((partition) => ({ partition, start: 0, end: 0 })),
      );
    });

    it('refuses a topic name that Kafka does not allow', async () => {
      await expect(admin.createTopic('no spaces', { partitions: 1 })).rejects.toMatchObject({
        code: 'invalid_value',
      });
    });

    it('finds offsets by time, the end where nothing is that late', async () => {
      const topic = cluster.name('times');
      await admin.createTopic(topic, { partitions: 2 });
      const producer = cluster.kafka().producer();
      await producer.connect();
      const messages = [1_000, 2_000, 3_000].map((at) => ({
        partition: 0,
        value: `${at}`,
        timestamp: `${at}`,
      }));
      for (const message of messages) await producer.send({ topic, messages: [message] });
      await producer.disconnect();
      expect((await admin.offsetsAt(topic, 2_000)).get(0)).toBe(1);
      expect((await admin.offsetsAt(topic, 2_001)).get(0)).toBe(2);
      expect((await admin.offsetsAt(topic, 9_000)).get(0)).toBe(3);
      expect((await admin.offsetsAt(topic, 1_000)).get(1)).toBe(0);
    });

    it('ends before an open transaction', async () => {
      const topic = cluster.name('open');
      await admin.createTopic(topic, { partitions: 1 });
      const producer = cluster.kafka().producer({ transactionalId: cluster.name('tx'), idempotent: true });
      await producer.connect();
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: 'a' }, { value: 'b' }] });
      expect(await admin.ranges(topic)).toEqual([{ partition: 0, start: 0, end: 0 }]);
      expect(await admin.ledRanges(topic)).toEqual([{ partition: 0, start: 0, end: 0 }]);
      await transaction.commit();
      await expect.poll(() => admin.ranges(topic)).toEqual([{ partition: 0, start: 0, end: 3 }]);
      await producer.disconnect();
    });

    it('refuses positions that do not follow the record that was read', async () => {
      const topic = cluster.name('prints');
      await admin.createTopic(topic, { partitions: 3 });
      const producer = cluster.kafka().producer();
      await producer.connect();
      const big = 'x'.repeat(600_000);
      for (const partition of [0, 1]) {
        await producer.send({
          topic,
          messages: [
            { partition, key: 'k', value: big, timestamp: '5000' },
            { partition, key: 'k', value: 'same', timestamp: '5000' },
            { partition, key: null, value: partition === 0 ? 'left' : 'right', timestamp: '6000' },
          ],
        });
      }
      await producer.disconnect();
      const positionAt = (partition: number, offset: number, value: string): Position => {
        const record = { offset, timestamp: 5000, key: Buffer.from('k'), value: Buffer.from(value) };
        return { topic, partition, next: offset + 1, last: fingerprintOf(record), clusterId: null };
      };
      const reasons = async (...positions: Position[]) =>
        [...(await admin.refusedPositions(topic, new Map(positions.map((one) => [one.partition, one]))))].map(
          ([partition, { reason }]) => `${partition}: ${reason}`,
        );
      // Behind the large record: what comes first in an answer fills it.
      expect(await reasons(positionAt(0, 1, 'same'), positionAt(1, 1, 'same'))).toEqual([]);
      expect(await reasons(positionAt(0, 1, 'same'), positionAt(1, 1, 'other'))).toEqual(['1: other_record']);
      expect(await reasons(positionAt(0, 2, 'same'))).toEqual(['0: other_record']);
      expect(await reasons(positionAt(2, 2, 'same'), positionAt(3, 2, 'same'))).toEqual([
        '3: no_partition',
        '2: past_end',
      ]);
      const elsewhere = { ...positionAt(1, 1, 'same'), clusterId: 'another' };
      expect(await reasons(elsewhere, { ...positionAt(0, 5, ''), next: 3 })).toEqual(['1: cluster']);
    });

    it('commits with metadata for a group without members, and reads it back', async () => {
      const topic = cluster.name('commits');
      const group = cluster.name('group');
      await admin.createTopic(topic, { partitions: 2 });
      expect(await admin.committed(group, topic)).toEqual([
        { partition: 0, offset: null, metadata: '' },
        { partition: 1, offset: null, metadata: '' },
      ]);
      await admin.commit(group, topic, [{ partition: 1, offset: 7, metadata: 'folder 1' }]);
      expect(await admin.committed(group, topic)).toEqual([
        { partition: 0, offset: null, metadata: '' },
        { partition: 1, offset: 7, metadata: 'folder 1' },
      ]);
      expect(await admin.group(group)).toEqual({ state: 'Empty', members: [] });
      await admin.removeMember(group, 'nobody-there');
    });

    it('gives up within its time-out where nobody listens, naming the address', async () => {
      const address = `127.0.0.1:${await closedPort()}`;
      const nobody = createKafkaBroker({
        brokers: [address],
        clientId: 'contract',
        tls: null,
        sasl: null,
        connectTimeoutMs: 1_000,
      });
      for (const open of [() => nobody.admin(), () => nobody.producer()]) {
        const error: unknown = await open().catch((failure: unknown) => failure);
        expect(isFailure(error, 'broker_unreachable') && error.message).toContain(address);
      }
    });
  });
}
