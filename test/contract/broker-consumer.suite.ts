import { setTimeout as sleep } from 'node:timers/promises';

import { describe, expect, it } from 'vitest';

import { Failure } from '../../src/domain/failure.ts';
import { createKafkaBroker } from '../../src/adapters/kafka/kafka-broker.ts';
import type { Position } from '../../src/ports/store.ts';
import { closedPort } from '../support/closed-port.ts';
import { consume, consumed, valuesOf } from '../support/kafka-consume.ts';
import { openClients } from '../support/kafka-clients.ts';
import { waitFor } from '../support/wait.ts';
import type { Cluster } from './broker.suite.ts';

export function consumerContract(cluster: Cluster): void {
  describe('consumer', () => {
    const clients = openClients(() => cluster.broker());

    /** A topic with `count` numbered records, keys going round so that each partition has some. */
    const filled = async (count: number, partitions = 1) => {
      const topic = cluster.name('read');
      await clients.admin.createTopic(topic, { partitions });
      await send(topic, 0, count);
      return topic;
    };
    const send = async (topic: string, from: number, count: number) =>
      clients.producer.send(
        topic,
        Array.from({ length: count }, (_, index) => ({
          key: null,
          value: Buffer.from(String(from + index)),
        })),
      );
    const allOf = (topic: string, partitions: number) =>
      Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    const position = (topic: string, partition: number, next: number): [number, Position] => [
      partition,
      { topic, partition, next, last: null, clusterId: null },
    ];

    it('reads every partition in order, from the earliest offset where there is no position', async () => {
      const topic = await filled(30, 3);
      const seen = await consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        until: ({ records }) => records.length >= 30,
      });
      for (const partition of [0, 1, 2]) {
        const offsets = seen.records.filter((record) => record.partition === partition);
        expect(offsets.map(({ offset }) => offset)).toEqual(offsets.map((_, index) => index));
      }
      expect(new Set(seen.records.map(({ value }) => value)).size).toBe(30);
      expect(seen.events[0]).toEqual({ kind: 'joined', partitions: allOf(topic, 3) });
    });

    it('begins at the positions, whatever the group has committed', async () => {
      const topic = await filled(10);
      const group = cluster.name('group');
      await clients.admin.commit(group, topic, [{ partition: 0, offset: 9, metadata: '' }]);
      const seen = await consumed(cluster.broker(), {
        topic,
        group,
        from: new Map([position(topic, 0, 4)]),
        until: ({ records }) => records.length >= 6,
      });
      expect(valuesOf(seen)).toEqual(['4', '5', '6', '7', '8', '9']);
    });

    it('goes on where the handler says: in the middle of a batch, back, and ahead', async () => {
      const topic = await filled(20);
      const answers = [7, 3, 15];
      const seen = await consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        onBatch: (batch) => answers.shift() ?? batch.next,
        until: ({ records }) => records.at(-1)?.offset === 19,
      });
      const begins = seen.batches.map(({ records }) => records[0]?.offset);
      expect(begins).toEqual([0, 7, 3, 15]);
    });

    it('waits for records that come later, and delivers each', async () => {
      const topic = await filled(0);
      const running = await consume(cluster.broker(), { topic, group: cluster.name('group') });
      await waitFor('the join', () => running.seen.events.length > 0);
      for (const round of [0, 1, 2]) {
        await send(topic, round, 1);
        await waitFor('the record', () => running.seen.records.length === round + 1);
      }
      running.stop();
      await running.done;
      expect(valuesOf(running.seen)).toEqual(['0', '1', '2']);
    });

    it('keeps the group while a handler works for longer than the session', async () => {
      const topic = await filled(3);
      const group = cluster.name('group');
      const running = await consume(cluster.broker(), {
        topic,
        group,
        onBatch: async (batch) => {
          await sleep(8_000);
          return batch.next;
        },
        until: ({ records }) => records.length >= 3,
      });
      await waitFor('a member', async () => (await clients.admin.group(group)).members.length === 1);
      const [before] = (await clients.admin.group(group)).members;
      await sleep(7_000);
      expect((await clients.admin.group(group)).members).toEqual([before]);
      await running.done;
      expect(running.seen.events.filter(({ kind }) => kind !== 'joined')).toEqual([]);
    });

    it('finds partitions that are added while it runs, and reads them from their beginning', async () => {
      const topic = await filled(4, 1);
      const running = await consume(cluster.broker(), { topic, group: cluster.name('group') });
      await waitFor('the first records', () => running.seen.records.length === 4);
      const other = cluster.kafka();
      const creator = other.admin();
      await creator.connect();
      await creator.createPartitions({ topicPartitions: [{ topic, count: 3 }] });
      await creator.disconnect();
      const sender = other.producer();
      await sender.connect();
      await sender.send({ topic, messages: [{ partition: 2, value: 'new' }] });
      await sender.disconnect();
      await waitFor('the record of the new partition', () => valuesOf(running.seen, 2).length === 1);
      running.stop();
      await running.done;
      expect(running.seen.events.at(-1)).toEqual({ kind: 'joined', partitions: allOf(topic, 3) });
      expect(valuesOf(running.seen)).toEqual(['0', '1', '2', '3']);
    });

    it('stops at once by its signal, also before the first record, and leaves the group', async () => {
      const topic = await filled(0);
      const group = cluster.name('group');
      const running = await consume(cluster.broker(), { topic, group });
      await waitFor('the join', () => running.seen.events.length > 0);
      running.stop();
      await running.done;
      expect((await clients.admin.group(group)).members).toEqual([]);
    });

    it('finishes the batch in hand when it is stopped', async () => {
      const topic = await filled(5);
      const group = cluster.name('group');
      const stop = new AbortController();
      const running = await consume(cluster.broker(), {
        topic,
        group,
        signal: stop.signal,
        onBatch: async (batch) => {
          stop.abort();
          await sleep(200);
          return batch.next;
        },
      });
      await running.done;
      expect(running.seen.records).toHaveLength(5);
      expect(await clients.admin.committed(group, topic)).toMatchObject([{ offset: 5, metadata: 'mark' }]);
    });

    it.each([
      ['a bug', new TypeError('from the handler')],
      ['what it did not find', new Failure('not_found', 'no schema')],
    ])('ends as the handler ends when that fails: %s', async (_, boom) => {
      const topic = await filled(1);
      const group = cluster.name('group');
      const running = await consume(cluster.broker(), {
        topic,
        group,
        onBatch: () => {
          throw boom;
        },
      });
      await expect(running.done).rejects.toBe(boom);
      expect(await clients.admin.committed(group, topic)).toMatchObject([{ offset: null }]);
      expect((await clients.admin.group(group)).members).toEqual([]);
    });

    it('says that there is no such topic, and that nobody listens', async () => {
      const group = cluster.name('group');
      const topic = cluster.name('absent');
      await expect(consumed(cluster.broker(), { topic, group })).rejects.toMatchObject({
        code: 'topic_missing',
        context: { topic },
      });
      const nobody = createKafkaBroker({
        brokers: [`127.0.0.1:${await closedPort()}`],
        clientId: 'contract',
        tls: null,
        sasl: null,
        connectTimeoutMs: 500,
      });
      await expect(consumed(nobody, { topic, group })).rejects.toMatchObject({ code: 'broker_unreachable' });
    });

    it('carries a backlog that is larger than one fetch', async () => {
      const topic = cluster.name('large');
      await clients.admin.createTopic(topic, { partitions: 2 });
      const value = Buffer.alloc(2_000, 7);
      const records = Array.from({ length: 8_000 }, (_, index) => ({ key: `${index}`, value }));
      await clients.producer.send(topic, records);
      const keys = new Set<string>();
      const seen = await consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        until: ({ records: read }) => read.length >= 8_000,
      });
      for (const { key } of seen.records) keys.add(key ?? '');
      expect(keys.size).toBe(8_000);
      expect(seen.batches.length).toBeGreaterThan(3);
    });
  });
}
