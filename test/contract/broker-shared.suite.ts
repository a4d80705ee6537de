import { describe, expect, it } from 'vitest';

import { openClients } from '../support/kafka-clients.ts';
import { joinShared, SharedStore, type MemberOptions, type SharedMember } from '../support/shared-store.ts';
import { waitFor } from '../support/wait.ts';
import type { Cluster } from './broker.suite.ts';

/** Members that divide the partitions of a group, on a store that all of them share. */
export function sharedContract(cluster: Cluster): void {
  describe('a group whose members share a store', () => {
    const clients = openClients(() => cluster.broker());

    async function opened(sizes: readonly number[]) {
      const topics: string[] = [];
      for (const partitions of sizes) {
        const topic = cluster.name('shared');
        await clients.admin.createTopic(topic, { partitions });
        topics.push(topic);
      }
      const store = new SharedStore();
      const group = cluster.name('group');
      let sent = 0;
      return {
        topics,
        store,
        group,
        join: (clientId: string, options: Partial<MemberOptions> = {}): Promise<SharedMember> =>
          joinShared(cluster.broker(), { topics, group, clientId, store, ...options }),
        /** So many records for each topic. */
        send: async (count: number): Promise<void> => {
          for (const topic of topics) {
            const values = Array.from({ length: count }, (_, index) => `${topic} ${sent + index}`);
            await clients.producer.send(
              topic,
              values.map((value) => ({ key: null, value: Buffer.from(value) })),
            );
          }
          sent += count;
        },
        /** That each record is stored once, and all of them. */
        isWhole: async (): Promise<void> => {
          await waitFor('all records', () => store.count >= sent * topics.length, Boolean, {
            timeoutMs: 30_000,
          });
          const values = [...store.stored.values()].flat();
          expect(values).toHaveLength(sent * topics.length);
          expect(new Set(values).size).toBe(values.length);
        },
      };
    }

    /** That the members have everything between them, each as much as the other. */
    async function divided(members: readonly SharedMember[], partitions: number): Promise<void> {
      const sizes = (): number[] => members.map(({ owned }) => owned.size);
      await waitFor(
        `${partitions} partitions for ${members.length} members`,
        () => sizes().reduce((sum, size) => sum + size, 0),
        (sum) => sum === partitions && Math.max(...sizes()) - Math.min(...sizes()) <= 1,
        { timeoutMs: 30_000 },
      );
      const all = members.flatMap(({ owned }) => [...owned]);
      expect(new Set(all).size).toBe(partitions);
    }

    it('divides all topics evenly, again whenever a member comes or goes, and stores each record once', async () => {
      const shop = await opened([4, 3]);
      await shop.send(40);
      const first = await shop.join('first');
      await divided([first], 7);
      const second = await shop.join('second');
      await shop.send(40);
      await divided([first, second], 7);
      const third = await shop.join('third');
      await shop.send(40);
      await divided([first, second, third], 7);
      await first.stop();
      await shop.send(40);
      await divided([second, third], 7);
      await second.stop();
      await divided([third], 7);
      await shop.send(40);
      await shop.isWhole();
      await third.stop();
      for (const topic of shop.topics) {
        const committed = await clients.admin.committed(shop.group, topic);
        for (const { partition, offset } of committed) {
          expect(offset).toBe(shop.store.position({ topic, partition })?.next ?? null);
        }
      }
      expect([first, second, third].map(({ refused }) => refused())).toEqual([0, 0, 0]);
    });

    it('keeps reading what a member keeps while others join', async () => {
      const shop = await opened([4]);
      const first = await shop.join('first');
      await divided([first], 4);
      const kept = new Set(first.owned);
      const second = await shop.join('second');
      await divided([first, second], 4);
      // Two of them never left it.
      expect([...first.owned].filter((name) => kept.has(name))).toHaveLength(2);
      expect(first.events.filter(({ kind }) => kind === 'commit_failed')).toEqual([]);
      await Promise.all([first.stop(), second.stop()]);
    });

    it('takes over what a member had that was killed, when its session is over', async () => {
      const shop = await opened([3]);
      const first = await shop.join('first');
      const second = await shop.join('second');
      await divided([first, second], 3);
      await shop.send(30);
      await shop.isWhole();
      await second.vanish();
      await divided([first], 3);
      await shop.send(30);
      await shop.isWhole();
      await first.stop();
    });

    it('takes a member back that was removed, with a share of its own', async () => {
      const shop = await opened([4]);
      const first = await shop.join('first');
      const second = await shop.join('second');
      await divided([first, second], 4);
      await shop.send(20);
      const joins = (): number => first.events.filter(({ kind }) => kind === 'joined').length;
      const before = joins();
      const { members } = await clients.admin.group(shop.group);
      const removed = members.find(({ clientId }) => clientId === 'first');
      await clients.admin.removeMember(shop.group, removed?.memberId ?? '');
      await waitFor('another join of the first', () => joins() > before);
      await divided([first, second], 4);
      await shop.send(20);
      await shop.isWhole();
      await Promise.all([first.stop(), second.stop()]);
    });

    it('finds partitions that are added', async () => {
      const shop = await opened([2]);
      const [topic = ''] = shop.topics;
      const members = [await shop.join('first'), await shop.join('second')];
      await divided(members, 2);
      await clients.admin.addPartitions(topic, 5);
      await divided(members, 5);
      await shop.send(30);
      await shop.isWhole();
      await Promise.all(members.map((member) => member.stop()));
    });
  });
}
