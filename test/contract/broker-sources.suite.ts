import { describe, expect, it } from 'vitest';

import type { Batch, ConsumerEvent, RunOptions } from '../../src/ports/broker.ts';
import type { Position } from '../../src/ports/store.ts';
import { text } from '../support/kafka-consume.ts';
import { openClients } from '../support/kafka-clients.ts';
import { waitFor } from '../support/wait.ts';
import type { Cluster } from './broker.suite.ts';

/** Several topics in one group, and who may be a member of it. */
export function sourcesContract(cluster: Cluster): void {
  describe('several topics in one group', () => {
    const clients = openClients(() => cluster.broker());

    const filled = async (values: readonly string[], partitions = 1): Promise<string> => {
      const topic = cluster.name('source');
      await clients.admin.createTopic(topic, { partitions });
      await send(topic, values);
      return topic;
    };
    const send = (topic: string, values: readonly string[]) =>
      clients.producer.send(
        topic,
        values.map((value) => ({ key: null, value: Buffer.from(value) })),
      );

    /** A run that stores positions as an application does, by topic and partition. */
    const start = async (
      options: Pick<RunOptions, 'topics' | 'group'> & Partial<RunOptions>,
      onBatch: (batch: Batch) => number = ({ next }) => next,
    ) => {
      const consumer = await cluster.broker().consumer();
      const stopping = new AbortController();
      const positions = new Map<string, Position>();
      const read: string[] = [];
      const events: ConsumerEvent[] = [];
      const done = consumer
        .run(
          {
            clientId: 'folder',
            storeId: 'store-1',
            mode: 'exclusive',
            metadata: 'mark',
            stallTimeoutMs: 20_000,
            positions: () => positions.values(),
            onEvent: (event) => void events.push(event),
            signal: stopping.signal,
            ...options,
          },
          async (batch) => {
            const { topic, partition, records, clusterId } = batch;
            const next = onBatch(batch);
            for (const { offset, value } of records)
              if (offset < next) read.push(`${topic} ${text(value) ?? ''}`);
            positions.set(`${topic}/${partition}`, { topic, partition, next, last: null, clusterId });
            return next;
          },
        )
        .finally(() => consumer[Symbol.asyncDispose]());
      done.catch(() => undefined);
      const stop = async (): Promise<void> => {
        stopping.abort();
        await done;
      };
      return { read, events, positions, done, stop };
    };

    it('are read each from its own positions, and committed', async () => {
      const orders = await filled(['a', 'b', 'c']);
      const returns = await filled(['d', 'e']);
      const group = cluster.name('group');
      const run = await start({ topics: [orders, returns], group });
      await waitFor('the records', () => run.read.length === 5);
      await send(returns, ['f']);
      await waitFor('the record of one', () => run.read.length === 6);
      await run.stop();
      expect(run.read.filter((one) => one.startsWith(orders))).toEqual(
        ['a', 'b', 'c'].map((v) => `${orders} ${v}`),
      );
      expect(run.read.filter((one) => one.startsWith(returns))).toEqual(
        ['d', 'e', 'f'].map((v) => `${returns} ${v}`),
      );
      expect(run.events).toContainEqual({
        kind: 'joined',
        partitions: expect.toSatisfy((all: readonly { topic: string }[]) => all.length === 2) as unknown,
      });
      for (const topic of [orders, returns]) {
        expect(await clients.admin.committed(group, topic)).toEqual([
          { partition: 0, offset: 3, metadata: 'mark' },
        ]);
      }
      const again = await start({
        topics: [returns, orders],
        group,
        positions: () => run.positions.values(),
      });
      await send(orders, ['g']);
      await waitFor('what is new', () => again.read.length > 0);
      await again.stop();
      expect(again.read).toEqual([`${orders} g`]);
    });

    it('are moved apart: going back in one leaves the other', async () => {
      const orders = await filled(['a', 'b']);
      const returns = await filled(['d', 'e']);
      let isBack = false;
      const run = await start(
        { topics: [orders, returns], group: cluster.name('group') },
        ({ topic, next }) => {
          if (topic !== orders || isBack) return next;
          isBack = true;
          return 0;
        },
      );
      await waitFor('the records', () => run.read.length === 4);
      await run.stop();
      expect([...run.read].sort()).toEqual(
        [`${orders} a`, `${orders} b`, `${returns} d`, `${returns} e`].sort(),
      );
    });

    it('are not begun while one of them is not there', async () => {
      const orders = await filled(['a']);
      const run = await start({ topics: [orders, cluster.name('missing')], group: cluster.name('group') });
      await expect(run.done).rejects.toMatchObject({ code: 'topic_missing' });
      expect(run.read).toEqual([]);
    });

    it('belong to one store: another is refused, and the first does not notice', async () => {
      const topics = [await filled(['a']), await filled(['b'])];
      const group = cluster.name('group');
      const first = await start({ topics, group, clientId: 'first' });
      await waitFor('the records', () => first.read.length === 2);
      const second = await start({ topics, group, clientId: 'second', storeId: 'store-2' });
      await expect(second.done).rejects.toMatchObject({
        code: 'group_in_use',
        message: expect.stringMatching(/first on \S+/) as unknown,
      });
      // Its next heartbeat would say so.
      await send(topics[0] ?? '', ['c']);
      await waitFor('the record after', () => first.read.length === 3);
      expect(first.events.filter(({ kind }) => kind === 'joined')).toHaveLength(1);
      await first.stop();
    });

    it('belong to one member of a store: a copy of it is refused, and the first reads on', async () => {
      const topics = [await filled(['a']), await filled(['b'])];
      const group = cluster.name('group');
      const first = await start({ topics, group });
      await waitFor('the records', () => first.read.length === 2);
      const copy = await start({ topics, group });
      await expect(copy.done).rejects.toMatchObject({ code: 'group_in_use' });
      await send(topics[1] ?? '', ['c']);
      await waitFor('the record after', () => first.read.length === 3);
      await first.stop();
      expect(copy.read).toEqual([]);
    });
  });
}
