import { describe, expect, it } from 'vitest';

import type { SendOutcome, SentRecord } from '../../src/ports/broker.ts';
import type { Headers } from '../../src/ports/record.ts';
import { consumed, text } from '../support/kafka-consume.ts';
import { openClients } from '../support/kafka-clients.ts';
import type { Cluster } from './broker.suite.ts';

export function producerContract(cluster: Cluster): void {
  describe('producer', () => {
    const clients = openClients(() => cluster.broker());

    const topicOf = async (partitions: number, configs: Record<string, string> = {}) => {
      const topic = cluster.name('sent');
      await clients.admin.createTopic(topic, { partitions, configs });
      return topic;
    };

    it('tells where each record went, in order, also of several sends at once', async () => {
      const topic = await topicOf(3);
      const batches = [0, 1, 2].map((batch) =>
        Array.from({ length: 40 }, (_, index) => ({
          key: `key-${index % 7}`,
          value: Buffer.from(`${batch}.${index}`),
        })),
      );
      const sent = (
        await Promise.all(batches.map((records) => clients.producer.send(topic, records)))
      ).flatMap(({ outcomes }) => outcomes);
      const seen = await consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        until: ({ records }) => records.length >= 120,
      });
      const found = new Map(
        seen.records.map((record) => [`${record.partition}@${record.offset}`, record.value]),
      );
      const expected = batches.flat().map(({ value }) => text(value));
      expect(sent.map(placed).map(({ partition, offset }) => found.get(`${partition}@${offset}`))).toEqual(
        expected,
      );
      for (const partition of [0, 1, 2]) {
        const keyed = seen.records.filter(
          (record) => record.partition === partition && record.key === 'key-3',
        );
        expect([0, 18]).toContain(keyed.length);
      }
    });

    it('puts keys where the Java clients and kafkajs put them', async () => {
      const topic = await topicOf(7);
      const keys = Array.from({ length: 50 }, (_, index) => 'k'.repeat(index % 6) + String(index * 31));
      const other = cluster.kafka().producer({ idempotent: true });
      await other.connect();
      await other.send({ topic, messages: keys.map((key) => ({ key, value: `other ${key}` })) });
      await other.disconnect();
      const sent = await clients.producer.send(
        topic,
        keys.map((key) => ({ key, value: Buffer.from(`ours ${key}`) })),
      );
      const seen = await consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        until: ({ records }) => records.length >= 100,
      });
      const theirs = new Map(seen.records.map(({ value, partition }) => [value, partition]));
      expect(sent.outcomes.map(placed).map(({ partition }) => partition)).toEqual(
        keys.map((key) => theirs.get(`other ${key}`)),
      );
    });

    it('keeps key, value and headers as they are, null and empty ones too', async () => {
      const topic = await topicOf(1);
      const value = Buffer.from([0, 255, 128, 7]);
      const headers: Headers = [
        ['many', 'a'],
        ['one', 'eins'],
        ['none', null],
        ['many', Buffer.from([9])],
        ['empty', Buffer.alloc(0)],
      ];
      await clients.producer.send(topic, [
        { key: null, value: null },
        { key: Buffer.alloc(0), value: Buffer.alloc(0) },
        { key: 'ключ', value, headers },
      ]);
      const seen = await consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        until: ({ records }) => records.length >= 3,
      });
      const [first, second, third] = seen.batches.flatMap((batch) => batch.records);
      expect([first?.key, first?.value]).toEqual([null, null]);
      expect([second?.key?.length, second?.value?.length]).toEqual([0, 0]);
      expect(text(third?.key ?? null)).toBe('ключ');
      expect(Buffer.from(third?.value ?? []).equals(value)).toBe(true);
      expect(third?.headers).toEqual(
        headers.map(([name, value]) => [name, value === null ? null : Buffer.from(value)]),
      );
      expect(first?.headers).toEqual([]);
    });

    it('splits what is larger than a batch may be', async () => {
      const topic = await topicOf(1, { 'max.message.bytes': '20000' });
      const records = Array.from({ length: 300 }, (_, index) => ({
        key: `key-${index}`,
        value: Buffer.alloc(1_000, index),
      }));
      const sent = await clients.producer.send(topic, records);
      expect(sent).toEqual({
        outcomes: records.map((_, index) => ({ partition: 0, offset: index })),
        failure: null,
      });
    });

    it('tells which record is larger than the topic allows, and sends the others', async () => {
      const topic = await topicOf(1, { 'max.message.bytes': '5000' });
      const records = [
        { key: 'small-1', value: Buffer.from('a') },
        { key: 'LARGE', value: Buffer.alloc(9_000) },
        { key: 'small-2', value: Buffer.from('b') },
      ];
      expect(await clients.producer.send(topic, records)).toEqual({
        outcomes: [{ partition: 0, offset: 0 }, 'too_large', { partition: 0, offset: 1 }],
        failure: null,
      });
      expect(await clients.admin.ranges(topic)).toEqual([{ partition: 0, start: 0, end: 2 }]);
      // What was refused must not have used up a sequence number.
      const after = await clients.producer.send(topic, [{ key: 'small-3', value: Buffer.from('c') }]);
      expect(after.outcomes).toEqual([{ partition: 0, offset: 2 }]);
    });

    it('says that there is no such topic, and makes none', async () => {
      const topic = cluster.name('absent');
      expect(await clients.producer.send(topic, [{ key: 'k', value: null }])).toMatchObject({
        outcomes: ['not_sent'],
        failure: { code: 'not_found' },
      });
      expect(await clients.admin.partitionCount(topic)).toBeUndefined();
    });
  });
}

function placed(outcome: SendOutcome): SentRecord {
  if (typeof outcome === 'string') throw new Error(`a record is ${outcome}`);
  return outcome;
}
