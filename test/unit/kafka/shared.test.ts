import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { createKafkaBroker } from '../../../src/adapters/kafka/kafka-broker.ts';
import { embeddedBroker } from '../../support/embedded-broker.ts';
import { joinShared, SharedStore, type MemberOptions } from '../../support/shared-store.ts';
import { waitFor } from '../../support/wait.ts';

const { start } = embeddedBroker();

async function opened() {
  const embedded = await start();
  const broker = createKafkaBroker({ brokers: [embedded.address], clientId: 'c', tls: null, sasl: null });
  await using admin = await broker.admin();
  await admin.createTopic('orders', { partitions: 2 });
  const store = new SharedStore();
  return {
    broker,
    store,
    faults: embedded.faults,
    join: (clientId: string, onBatch?: MemberOptions['onBatch'], storeId = 'shared-store') =>
      joinShared(broker, {
        topics: ['orders'],
        group: 'g',
        clientId,
        store,
        storeId,
        ...(onBatch === undefined ? {} : { onBatch }),
      }),
    /** One record for each partition. */
    send: async (value: string): Promise<void> => {
      await using producer = await broker.producer();
      const records = [0, 1].map((partition) => ({ key: null, value: Buffer.from(`${value} ${partition}`) }));
      await producer.send('orders', records);
    },
    committed: async (partition: number): Promise<number | null> => {
      await using asking = await broker.admin();
      return (await asking.committed('g', 'orders'))[partition]?.offset ?? null;
    },
  };
}

const MOVING = 'orders/1';

describe('a partition that moves to another member', () => {
  it('is given back when the batch in hand is stored and committed, and not before', async () => {
    const shop = await opened();
    let isHeld = true;
    const first = await shop.join('first', async ({ partition }) => {
      if (partition === 1)
        await waitFor('the end of the hold', () => !isHeld, Boolean, { timeoutMs: 60_000 });
    });
    await waitFor('both partitions', () => first.owned.size === 2);
    await shop.send('a');
    await waitFor('the other batch', () => shop.store.count === 1);
    const takenAt: (number | null)[] = [];
    const second = await shop.join('second');
    const watching = waitFor(
      'the move',
      async () => {
        if (!second.owned.has(MOVING)) return false;
        takenAt.push(await shop.committed(1));
        return true;
      },
      Boolean,
      { timeoutMs: 30_000, everyMs: 10 },
    );
    // By then both have joined: the first claims it still.
    await sleep(4_000);
    expect([first.owned.has(MOVING), second.owned.has(MOVING), first.owned.size]).toEqual([true, false, 2]);
    isHeld = false;
    await watching;
    expect(takenAt).toEqual([1]);
    expect([...first.owned]).toEqual(['orders/0']);
    await shop.send('b');
    await waitFor('the records', () => shop.store.count === 4);
    expect([first.refused(), second.refused()]).toEqual([0, 0]);
    await Promise.all([first.stop(), second.stop()]);
  });

  it('is taken from a member that is not heard of, which changes nothing by what it goes on to read', async () => {
    const shop = await opened();
    const first = await shop.join('first');
    const second = await shop.join('second');
    await waitFor('a partition each', () => first.owned.size === 1 && second.owned.size === 1);
    await shop.send('a');
    await waitFor('the records', () => shop.store.count === 2);
    const silent = ['Heartbeat', 'OffsetCommit', 'JoinGroup'].map((api) =>
      shop.faults.add({ api, clientId: 'first', fault: { kind: 'silence' }, times: Infinity }),
    );
    await waitFor('all of it', () => second.owned.size === 2, Boolean, { timeoutMs: 30_000 });
    // It has not heard that it has lost it, and reads the record too: one of them comes first.
    expect(first.owned.size).toBe(1);
    for (let round = 0; round < 10; round += 1) await shop.send(`b${round}`);
    await waitFor('the records', () => shop.store.count === 22);
    await waitFor('a batch that came too late', () => first.refused() + second.refused() > 0);
    for (const fault of silent) fault.remove();
    await waitFor('a partition each', () => first.owned.size === 1 && second.owned.size === 1, Boolean, {
      timeoutMs: 30_000,
    });
    await waitFor(
      'another one',
      () => first.events.filter(({ kind }) => kind === 'joined').length > 1,
      Boolean,
      {
        timeoutMs: 30_000,
      },
    );
    await waitFor('a partition each', () => first.owned.size === 1 && second.owned.size === 1, Boolean, {
      timeoutMs: 30_000,
    });
    await shop.send('c');
    await waitFor('the records', () => shop.store.count === 24);
    const values = [...shop.store.stored.values()].flat();
    expect(new Set(values).size).toBe(24);
    await Promise.all([first.stop(), second.stop()]);
  });
});

describe('a group', () => {
  it('is refused to a member of another store, and its own does not notice', async () => {
    const shop = await opened();
    const first = await shop.join('first');
    await waitFor('both partitions', () => first.owned.size === 2);
    const other = await shop.join('other', undefined, 'another-store');
    await expect(other.done).rejects.toMatchObject({ code: 'group_in_use' });
    // Two heartbeats: a rebalance would have been noticed.
    await sleep(4_500);
    expect(first.events.filter(({ kind }) => kind === 'joined')).toHaveLength(1);
    await first.stop();
  });

  it('reads what a later member reads and its leader does not, and sees it grow', async () => {
    const { broker, store, join } = await opened();
    await using admin = await broker.admin();
    await admin.createTopic('returns', { partitions: 1 });
    const first = await join('first');
    await waitFor('both partitions', () => first.owned.size === 2);
    // The new version of a program while the old one still runs.
    const topics = ['orders', 'returns'];
    const second = await joinShared(broker, { topics, group: 'g', clientId: 'second', store });
    const own = (): string[] => [...second.owned].filter((name) => name.startsWith('returns')).sort();
    await waitFor('its topic', () => own().length === 1, Boolean, { timeoutMs: 30_000 });
    await admin.addPartitions('returns', 2);
    await waitFor('the partition that is new', () => own().length === 2, Boolean, { timeoutMs: 30_000 });
    expect([...first.owned].filter((name) => name.startsWith('returns'))).toEqual([]);
    await Promise.all([first.stop(), second.stop()]);
  });
});
