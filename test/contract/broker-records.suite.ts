import { describe, expect, it } from 'vitest';

import type { RecordChunk, RecordRange } from '../../src/ports/broker.ts';
import { openClients } from '../support/kafka-clients.ts';
import type { Cluster } from './broker.suite.ts';

/** Reading without a group. */
export function recordsContract(cluster: Cluster): void {
  describe('records', () => {
    const clients = openClients(() => cluster.broker());

    const filled = async (count: number, sizeBytes = 0) => {
      const topic = cluster.name('records');
      await clients.admin.createTopic(topic, { partitions: 1 });
      await send(topic, 0, count, sizeBytes);
      return topic;
    };
    const send = async (topic: string, from: number, count: number, sizeBytes = 0) =>
      clients.producer.send(
        topic,
        Array.from({ length: count }, (_, index) => ({
          key: `k${from + index}`,
          value: Buffer.from(String(from + index).padEnd(sizeBytes)),
          headers: [['x-number', String(from + index)]] as const,
        })),
      );
    const inTransaction = async (topic: string, values: readonly string[], end: 'commit' | 'abort') => {
      const client = cluster.kafka().producer({ transactionalId: cluster.name('tx'), idempotent: true });
      await client.connect();
      const transaction = await client.transaction();
      await transaction.send({ topic, messages: values.map((value) => ({ value })) });
      await transaction[end]();
      await client.disconnect();
    };
    const read = async (topic: string, ranges: readonly RecordRange[]) => {
      const chunks: RecordChunk[] = [];
      for await (const chunk of clients.admin.records(topic, ranges)) chunks.push(chunk);
      return chunks;
    };
    const valuesOf = (chunks: readonly RecordChunk[]) =>
      chunks.flatMap(({ records }) =>
        records.map(({ value }) =>
          Buffer.from(value ?? [])
            .toString()
            .trim(),
        ),
      );
    const numbers = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, index) => String(from + index));
    const deleteBefore = async (topic: string, offset: number) => {
      const other = cluster.kafka().admin();
      await other.connect();
      await other.fetchTopicOffsets(topic); // or kafkajs knows no leaders
      await other.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
      await other.disconnect();
    };

    it('gives exactly the ranges, one after the other, with key, value, headers and time', async () => {
      const topic = await filled(20);
      const chunks = await read(topic, [
        { partition: 0, from: 12, to: 15 },
        { partition: 0, from: 3, to: 5 },
        { partition: 0, from: 7, to: 7 },
      ]);
      expect(valuesOf(chunks)).toEqual(['12', '13', '14', '3', '4']);
      expect(chunks.map(({ next }) => next)).toEqual([15, 5]);
      const record = chunks[0]?.records[0];
      expect(record?.offset).toBe(12);
      expect(Buffer.from(record?.key ?? []).toString()).toBe('k12');
      expect(record?.headers).toEqual([['x-number', Buffer.from('12')]]);
      expect(Math.abs((record?.timestamp ?? 0) - Date.now())).toBeLessThan(60_000);
    });

    it('reads many and large records in chunks of bounded size', async () => {
      const topic = await filled(9_000, 3_000);
      const chunks = await read(topic, [{ partition: 0, from: 0, to: 9_000 }]);
      expect(valuesOf(chunks)).toEqual(numbers(0, 9_000));
      expect(chunks.length).toBeGreaterThan(5);
      for (const { records } of chunks) expect(records.length * 3_000).toBeLessThan(10_000_000);
      expect(chunks.at(-1)?.next).toBe(9_000);
    });

    it('takes an end past the end for the end, and ends at once where nothing lies', async () => {
      const topic = await filled(5);
      expect(valuesOf(await read(topic, [{ partition: 0, from: 3, to: 1_000_000 }]))).toEqual(['3', '4']);
      expect(await read(topic, [{ partition: 0, from: 5, to: 9 }])).toEqual([]);
      expect(await read(topic, [{ partition: 0, from: 90, to: 99 }])).toEqual([]);
    });

    it('ends behind control records, shows no aborted record and reads none of an open transaction', async () => {
      const topic = await filled(1);
      await inTransaction(topic, ['committed'], 'commit');
      await inTransaction(topic, ['never', 'nor this'], 'abort');
      // Markers are written a moment after a transaction ends.
      await expect.poll(() => clients.admin.ranges(topic)).toEqual([{ partition: 0, start: 0, end: 6 }]);
      const chunks = await read(topic, [{ partition: 0, from: 0, to: 6 }]);
      expect(valuesOf(chunks)).toEqual(['0', 'committed']);
      expect(chunks.at(-1)?.next).toBe(6);
      for (const from of [2, 3, 4, 5]) {
        expect((await read(topic, [{ partition: 0, from, to: 6 }])).at(-1)?.next).toBe(6);
      }
      const client = cluster.kafka().producer({ transactionalId: cluster.name('tx'), idempotent: true });
      await client.connect();
      const open = await client.transaction();
      await open.send({ topic, messages: [{ value: 'not yet' }] });
      await send(topic, 7, 1);
      expect(await read(topic, [{ partition: 0, from: 6, to: 100 }])).toEqual([]);
      await open.commit();
      await client.disconnect();
      await expect
        .poll(async () => valuesOf(await read(topic, [{ partition: 0, from: 6, to: 100 }])))
        .toEqual(['not yet', '7']);
    });

    it('refuses what was deleted, at the start and while it reads', async () => {
      const topic = await filled(9_000, 3_000);
      await deleteBefore(topic, 10);
      await expect(read(topic, [{ partition: 0, from: 9, to: 20 }])).rejects.toMatchObject({
        code: 'offsets_gone',
        message: expect.stringContaining(`${topic}/0@9`) as unknown,
        context: { topic, partition: 0, offset: 9 },
      });
      const begun = clients.admin.records(topic, [{ partition: 0, from: 10, to: 9_000 }]);
      let seen = 10;
      const goOn = async () => {
        for await (const { records, next } of begun) {
          for (const { offset } of records) expect(offset).toBe(seen++);
          if (next < 9_000) await deleteBefore(topic, 8_999);
        }
      };
      await expect(goOn()).rejects.toMatchObject({ code: 'offsets_gone' });
      expect(seen).toBeLessThan(9_000);
    });

    it('knows no topic and no partition that is not there', async () => {
      await expect(read(cluster.name('absent'), [{ partition: 0, from: 0, to: 1 }])).rejects.toMatchObject({
        code: 'topic_missing',
      });
      const topic = await filled(1);
      await expect(read(topic, [{ partition: 3, from: 0, to: 1 }])).rejects.toMatchObject({
        code: 'not_found',
        message: expect.stringContaining('no partition 3') as unknown,
      });
    });

    it('stops by its signal between two chunks, and belongs to no group', async () => {
      const topic = await filled(9_000, 3_000);
      const stop = new AbortController();
      let chunks = 0;
      const reading = async () => {
        const ranges = [{ partition: 0, from: 0, to: 9_000 }];
        for await (const { records } of clients.admin.records(topic, ranges, stop.signal)) {
          expect(records.length).toBeGreaterThan(0);
          chunks += 1;
          stop.abort(new Error('enough'));
        }
      };
      await expect(reading()).rejects.toThrow('enough');
      expect(chunks).toBe(1);
      // What was asked before the stop does not spoil what is asked after it.
      expect(valuesOf(await read(topic, [{ partition: 0, from: 2, to: 4 }]))).toEqual(['2', '3']);
    });
  });
}
