import { describe, expect, it } from 'vitest';

import type { Position } from '../../src/ports/store.ts';
import { consume, consumed, valuesOf } from '../support/kafka-consume.ts';
import { openClients } from '../support/kafka-clients.ts';
import { waitFor } from '../support/wait.ts';
import type { Cluster } from './broker.suite.ts';

/** Where a partition begins, ends and has holes: transactions, deletions, topics created again. */
export function endsContract(cluster: Cluster): void {
  describe('ends and gaps', () => {
    const clients = openClients(() => cluster.broker());

    const topicWith = async (values: readonly string[]) => {
      const topic = cluster.name('ends');
      await clients.admin.createTopic(topic, { partitions: 1 });
      await send(topic, values);
      return topic;
    };
    const send = async (topic: string, values: readonly string[]) =>
      clients.producer.send(
        topic,
        values.map((value) => ({ key: null, value: Buffer.from(value) })),
      );
    const inTransaction = async (topic: string, values: readonly string[], end: 'commit' | 'abort') => {
      const transactional = cluster.kafka().producer({
        transactionalId: cluster.name('tx'),
        idempotent: true,
        maxInFlightRequests: 1,
      });
      await transactional.connect();
      const transaction = await transactional.transaction();
      await transaction.send({ topic, messages: values.map((value) => ({ value })) });
      await transaction[end]();
      await transactional.disconnect();
    };
    const endOf = async (topic: string) => (await clients.admin.ranges(topic))[0]?.end ?? -1;
    /** What --until-end does: reads until each position has reached the end that was seen at the start. */
    const readToEnd = async (topic: string, from?: ReadonlyMap<number, Position>) => {
      const end = await endOf(topic);
      return consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        ...(from === undefined ? {} : { from }),
        until: ({ positions }) => (positions.get(0)?.next ?? 0) >= end,
      });
    };
    const otherAdmin = async <T>(
      use: (other: ReturnType<ReturnType<Cluster['kafka']>['admin']>) => Promise<T>,
    ) => {
      const other = cluster.kafka().admin();
      await other.connect();
      try {
        return await use(other);
      } finally {
        await other.disconnect();
      }
    };
    const deleteBefore = (topic: string, offset: number) =>
      otherAdmin(async (other) => {
        await other.fetchTopicOffsets(topic); // or kafkajs knows no leaders
        await other.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] });
      });
    const remake = async (topic: string, values: readonly string[]) => {
      await otherAdmin(async (other) => {
        await other.deleteTopics({ topics: [topic] });
      });
      await waitFor(
        'the topic to be gone',
        async () => (await clients.admin.partitionCount(topic)) === undefined,
      );
      await waitFor('the topic created again', () => clients.admin.createTopic(topic, { partitions: 1 }));
      const fresh = await cluster.broker().producer();
      await fresh.send(
        topic,
        values.map((value) => ({ key: null, value: Buffer.from(value) })),
      );
      await fresh[Symbol.asyncDispose]();
    };

    it('reaches the end behind a transaction marker', async () => {
      const topic = await topicWith(['a']);
      await inTransaction(topic, ['b', 'c'], 'commit');
      const seen = await readToEnd(topic);
      expect(valuesOf(seen)).toEqual(['a', 'b', 'c']);
      expect(seen.positions.get(0)?.next).toBe(4);
    });

    it('reaches the end behind aborted records, of which it shows none', async () => {
      const topic = await topicWith(['a']);
      await inTransaction(topic, ['never', 'nor this'], 'abort');
      const seen = await readToEnd(topic);
      expect(valuesOf(seen)).toEqual(['a']);
      expect(seen.positions.get(0)?.next).toBe(4);
      // Begun in the middle of what was aborted, and behind all that can be read.
      for (const next of [1, 2, 3]) {
        const from = new Map([[0, { topic, partition: 0, next, last: null, clusterId: null }]]);
        const later = await readToEnd(topic, from);
        expect(later.records).toEqual([]);
        expect(later.batches.at(-1)?.next).toBe(4);
      }
    });

    it('shows no record of transactions that overlap and are aborted, wherever it begins', async () => {
      const topic = await topicWith([]);
      const producers = ['a', 'b', 'c'].map((name) => ({
        name,
        end: name === 'c' ? ('commit' as const) : ('abort' as const),
        client: cluster.kafka().producer({ transactionalId: cluster.name('tx'), idempotent: true }),
      }));
      const open = [];
      for (const { name, end, client } of producers) {
        await client.connect();
        open.push({ name, end, transaction: await client.transaction() });
      }
      for (const round of [1, 2, 3]) {
        for (const { name, transaction } of open) {
          await transaction.send({ topic, messages: [{ value: `${name}${round}` }] });
        }
      }
      for (const { end, transaction } of open) await transaction[end]();
      for (const { client } of producers) await client.disconnect();
      await waitFor('all transactions to end', async () => (await endOf(topic)) === 12);
      for (let next = 0; next <= 9; next += 1) {
        const from = new Map([[0, { topic, partition: 0, next, last: null, clusterId: null }]]);
        const seen = await readToEnd(topic, from);
        const expected = ['c1', 'c2', 'c3'].filter((_, index) => 3 * index + 2 >= next);
        expect(valuesOf(seen)).toEqual(expected);
      }
    });

    it('does not read ahead of an open transaction, and goes on when it ends', async () => {
      const topic = await topicWith(['a']);
      const client = cluster.kafka().producer({ transactionalId: cluster.name('tx'), idempotent: true });
      await client.connect();
      const transaction = await client.transaction();
      await transaction.send({ topic, messages: [{ value: 'b' }] });
      await send(topic, ['c']);
      const running = await consume(cluster.broker(), { topic, group: cluster.name('group') });
      await waitFor('the first record', () => running.seen.records.length === 1);
      await transaction.commit();
      await client.disconnect();
      await waitFor('the others', () => running.seen.records.length === 3);
      running.stop();
      await running.done;
      expect(valuesOf(running.seen)).toEqual(['a', 'b', 'c']);
    });

    it('stops when the position was deleted before it began', async () => {
      const topic = await topicWith(['a', 'b', 'c', 'd', 'e']);
      const before = await consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        onBatch: () => 2,
        until: ({ batches }) => batches.length === 1,
      });
      await deleteBefore(topic, 4);
      await expect(readToEnd(topic, before.positions)).rejects.toMatchObject({
        code: 'offsets_gone',
        message: expect.stringMatching(/position 2 .* holds 4 to 4.*2 to 3/) as unknown,
        fix: { kind: 'offsets_gone', partition: 0 },
        context: { topic, partition: 0, offset: 2 },
      });
      // From what is left, without a position.
      expect(valuesOf(await readToEnd(topic))).toEqual(['e']);
    });

    it('says where it starts, and stops when what came after that was deleted before any of it was read', async () => {
      const topic = await topicWith([]);
      const running = await consume(cluster.broker(), { topic, group: cluster.name('group') });
      await waitFor('the start', () => running.seen.positions.size === 1);
      running.stop();
      await running.done;
      await send(topic, ['a', 'b', 'c']);
      await deleteBefore(topic, 2);
      await expect(readToEnd(topic, running.seen.positions)).rejects.toMatchObject({
        code: 'offsets_gone',
        message: expect.stringMatching(/position 0 .* holds 2 to 2.*0 to 1/) as unknown,
      });
    });

    it('starts where the store says, if that has learned of a position meanwhile', async () => {
      const topic = await topicWith(['a', 'b', 'c']);
      const positions = new Map<number, Position>();
      const seen = await consumed(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        positions: () => positions,
        onStart: async ([start]) => {
          expect(start).toEqual({ topic, partition: 0, offset: 0 });
          positions.set(0, { topic, partition: 0, next: 2, last: null, clusterId: null });
        },
        until: ({ records }) => records.length === 1,
      });
      expect(valuesOf(seen)).toEqual(['c']);
    });

    it('stops when the position is deleted while it reads', async () => {
      const topic = await topicWith(['a', 'b', 'c', 'd', 'e']);
      const running = await consume(cluster.broker(), {
        topic,
        group: cluster.name('group'),
        onBatch: async () => {
          await deleteBefore(topic, 5);
          return 3;
        },
      });
      await expect(running.done).rejects.toMatchObject({
        code: 'offsets_gone',
        context: { topic, partition: 0, offset: 3 },
      });
      expect(running.seen.records.map(({ offset }) => offset)).toEqual([0, 1, 2]);
    });

    it('stops when the position lies past the end', async () => {
      const topic = await topicWith(['a', 'b']);
      const from = new Map([[0, { topic, partition: 0, next: 9, last: null, clusterId: null }]]);
      await expect(readToEnd(topic, from)).rejects.toMatchObject({ code: 'offsets_gone' });
    });

    it('stops when the topic was created again, shorter or longer', async () => {
      const topic = await topicWith(['a', 'b', 'c']);
      const before = await readToEnd(topic);
      await remake(topic, ['x']);
      await expect(readToEnd(topic, before.positions)).rejects.toMatchObject({ code: 'offsets_gone' });
      await send(topic, ['y', 'z', 'more', 'and more']);
      await expect(readToEnd(topic, before.positions)).rejects.toMatchObject({
        code: 'topic_changed',
        context: { topic, partition: 0, offset: 3 },
      });
    });

    it('stops when the topic is created again while it runs', async () => {
      const topic = await topicWith(['a', 'b', 'c']);
      const running = await consume(cluster.broker(), { topic, group: cluster.name('group') });
      await waitFor('the records', () => running.seen.records.length === 3);
      await remake(topic, ['p', 'q', 'r', 's', 't', 'u']);
      await expect(running.done).rejects.toMatchObject({
        code: expect.stringMatching(/^(topic_changed|offsets_gone)$/) as unknown,
      });
      expect(valuesOf(running.seen)).toEqual(['a', 'b', 'c']);
    });

    it('stops when the topic is deleted while it runs', async () => {
      const topic = await topicWith(['a']);
      const running = await consume(cluster.broker(), { topic, group: cluster.name('group') });
      await waitFor('the record', () => running.seen.records.length === 1);
      await otherAdmin((other) => other.deleteTopics({ topics: [topic] }));
      await expect(running.done).rejects.toMatchObject({ code: 'topic_missing' });
    });

    it('stops when the position was read from another cluster', async () => {
      const topic = await topicWith(['a', 'b']);
      const from = new Map([[0, { topic, partition: 0, next: 1, last: null, clusterId: 'elsewhere' }]]);
      await expect(readToEnd(topic, from)).rejects.toMatchObject({ code: 'topic_changed' });
    });
  });
}
