import { describe, expect, it } from 'vitest';

import { consume, consumed } from '../support/kafka-consume.ts';
import { openClients } from '../support/kafka-clients.ts';
import { waitFor } from '../support/wait.ts';
import type { Cluster } from './broker.suite.ts';

/** One folder has the group, and says so to everybody who looks. */
export function groupContract(cluster: Cluster): void {
  describe('group', () => {
    const clients = openClients(() => cluster.broker());

    const filled = async (count: number, partitions = 2) => {
      const topic = cluster.name('grouped');
      await clients.admin.createTopic(topic, { partitions });
      await clients.producer.send(
        topic,
        Array.from({ length: count }, (_, index) => ({ key: null, value: Buffer.from(String(index)) })),
      );
      return topic;
    };

    it('commits what was read, with its mark, and shows its client id', async () => {
      const topic = await filled(6);
      const group = cluster.name('group');
      const running = await consume(cluster.broker(), {
        topic,
        group,
        clientId: 'folder-7',
        metadata: 'mark of folder 7',
      });
      await waitFor('the commits', async () =>
        (await clients.admin.committed(group, topic)).every(({ offset }) => offset === 3),
      );
      expect(await clients.admin.group(group)).toMatchObject({
        state: 'Stable',
        members: [{ clientId: 'folder-7', host: expect.stringMatching(/^[^/]+$/) as unknown }],
      });
      await expect(
        clients.admin.commit(group, topic, [{ partition: 0, offset: 0, metadata: '' }]),
      ).rejects.toMatchObject({
        code: 'group_in_use',
        message: expect.stringContaining('folder-7') as unknown,
      });
      running.stop();
      await running.done;
      expect(await clients.admin.committed(group, topic)).toEqual(
        [0, 1].map((partition) => ({ partition, offset: 3, metadata: 'mark of folder 7' })),
      );
    });

    it('refuses a second folder and names the first, which reads on', async () => {
      const topic = await filled(2);
      const group = cluster.name('group');
      const first = await consume(cluster.broker(), { topic, group, clientId: 'first' });
      await waitFor('the records', () => first.seen.records.length === 2);
      await expect(consumed(cluster.broker(), { topic, group, clientId: 'second' })).rejects.toMatchObject({
        code: 'group_in_use',
        message: expect.stringMatching(/first on \S+/) as unknown,
      });
      await clients.producer.send(topic, [{ key: null, value: Buffer.from('after') }]);
      await waitFor('the record after', () => first.seen.records.length === 3);
      first.stop();
      await first.done;
      expect(first.seen.records.map(({ value }) => value).sort()).toEqual(['0', '1', 'after']);
    });

    it('refuses where a foreign consumer is, and names it', async () => {
      const topic = await filled(2);
      const group = cluster.name('group');
      const foreign = cluster.kafka().consumer({ groupId: group });
      await foreign.connect();
      await foreign.subscribe({ topic });
      const joined = new Promise((resolve) => foreign.on(foreign.events.GROUP_JOIN, resolve));
      await foreign.run({ eachMessage: async () => undefined });
      await joined;
      await expect(consumed(cluster.broker(), { topic, group })).rejects.toMatchObject({
        code: 'group_in_use',
        message: expect.stringContaining('other on ') as unknown,
      });
      await foreign.disconnect();
    });

    it('is kept from foreign consumers while it runs', async () => {
      const topic = await filled(2);
      const group = cluster.name('group');
      const running = await consume(cluster.broker(), { topic, group });
      await waitFor('the records', () => running.seen.records.length === 2);
      const foreign = cluster.kafka().consumer({ groupId: group, retry: { retries: 0 } });
      await foreign.connect();
      await foreign.subscribe({ topic });
      const crashed = new Promise<Error>((resolve) =>
        foreign.on(foreign.events.CRASH, ({ payload }) => {
          resolve(payload.error);
        }),
      );
      await foreign.run({ eachMessage: async () => undefined });
      expect((await crashed).message).toMatch(/protocol/i);
      await foreign.disconnect();
      running.stop();
      await running.done;
    });

    it('takes the group over from a member that vanished', async () => {
      const topic = await filled(4);
      const group = cluster.name('group');
      const ghost = await consume(cluster.broker(), { topic, group, clientId: 'folder-1' });
      await waitFor('the records', () => ghost.seen.records.length === 4);
      await ghost.vanish();
      const [member] = (await clients.admin.group(group)).members;
      expect(member?.clientId).toBe('folder-1');
      await clients.admin.removeMember(group, member?.memberId ?? '');
      expect((await clients.admin.group(group)).members).toEqual([]);
      const seen = await consumed(cluster.broker(), {
        topic,
        group,
        clientId: 'folder-1',
        until: ({ records }) => records.length === 4,
      });
      expect(seen.records).toHaveLength(4);
    });

    it('waits for a member that vanished to expire when nobody removes it', async () => {
      const topic = await filled(2);
      const group = cluster.name('group');
      const ghost = await consume(cluster.broker(), { topic, group, clientId: 'folder-1' });
      await waitFor('the records', () => ghost.seen.records.length === 2);
      await ghost.vanish();
      const seen = await consumed(cluster.broker(), {
        topic,
        group,
        clientId: 'folder-1',
        until: ({ records }) => records.length === 2,
      });
      expect(seen.records).toHaveLength(2);
    });

    it('joins again when somebody has removed it, and reads on', async () => {
      const topic = await filled(2);
      const group = cluster.name('group');
      const running = await consume(cluster.broker(), { topic, group });
      await waitFor('the records', () => running.seen.records.length === 2);
      const [member] = (await clients.admin.group(group)).members;
      await clients.admin.removeMember(group, member?.memberId ?? '');
      await waitFor(
        'another join',
        () => running.seen.events.filter(({ kind }) => kind === 'joined').length === 2,
      );
      await clients.producer.send(topic, [{ key: null, value: Buffer.from('after') }]);
      await waitFor('the record after', () => running.seen.records.length === 3);
      running.stop();
      await running.done;
      const committed = await clients.admin.committed(group, topic);
      expect(committed.reduce((sum, { offset }) => sum + (offset ?? 0), 0)).toBe(3);
    });
  });
}
