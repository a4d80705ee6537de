import { beforeEach, describe, expect, it } from 'vitest';
import { applyTopics, planTopics, type TopicAction, type TopicPlan } from '../../src/app/topics/plan.ts';
import { ensureDeadLetterTopic, ensureTopic } from '../../src/app/topics/ensure.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const NAMES = { topic: 'orders', dlqTopic: 'orders.dlq' };

let broker: ScriptedBroker;
beforeEach(() => {
  broker = new ScriptedBroker();
});

async function plan(): Promise<TopicPlan> {
  return planTopics(await broker.admin(), NAMES);
}

async function apply(): Promise<TopicAction[]> {
  const done: TopicAction[] = [];
  await applyTopics(await broker.admin(), await plan(), async (action) => void done.push(action));
  return done;
}

describe('topics against what is declared', () => {
  it.each([
    [1, 1, /1 of 3 copies, because the cluster has 1 broker$/],
    [2, 2, /2 of 3 copies, because the cluster has 2 brokers$/],
    [5, 3, null],
  ])('of a cluster of %i brokers get %i copies', async (brokers, copies, warning) => {
    broker.brokers = brokers;
    const { warnings } = await plan();
    expect(warnings).toHaveLength(warning === null ? 0 : 2);
    if (warning !== null) expect(warnings[0]).toMatch(warning);
    expect((await apply()).map(({ kind }) => kind)).toEqual(['create', 'create']);
    expect(Object.fromEntries(broker.replication)).toEqual({ orders: copies, 'orders.dlq': copies });
    expect(await apply()).toEqual([]);
  });

  it('are what consume makes, and need nothing then', async () => {
    const admin = await broker.admin();
    await ensureTopic(admin, 'orders', true, () => undefined);
    await ensureDeadLetterTopic(admin, 'orders', 'orders.dlq', true, () => undefined);
    expect((await plan()).actions).toEqual([]);
    expect(broker.configs.get('orders.dlq')?.get('max.message.bytes')).toBe(String(2_000 + 64 * 1024));
  });

  it('are not compacted: that is planned away, with a warning', async () => {
    await apply();
    broker.configs.get('orders.dlq')?.set('cleanup.policy', 'compact,delete');
    const { actions, warnings } = await plan();
    expect(actions).toEqual([
      {
        ...{ kind: 'alter_config', topic: 'orders.dlq', name: 'cleanup.policy' },
        ...{ from: 'compact,delete', to: 'delete' },
      },
    ]);
    expect(warnings.join()).toContain('orders.dlq is compacted');
    await apply();
    expect((await plan()).actions).toEqual([]);
  });

  it('are raised and never lowered', async () => {
    broker.createTopic('orders', 9);
    broker.createTopic('orders.dlq', 2);
    broker.configs.set(
      'orders',
      new Map([
        ['max.message.bytes', '9000000'],
        ['retention.ms', '5'],
      ]),
    );
    broker.configs.set(
      'orders.dlq',
      new Map([
        ['max.message.bytes', '99000000'],
        ['retention.ms', '-1'],
      ]),
    );
    broker.brokers = 3;
    const { actions, warnings } = await plan();
    expect(actions).toEqual([
      { kind: 'alter_config', topic: 'orders', name: 'retention.ms', from: '5', to: '604800000' },
      { kind: 'add_partitions', topic: 'orders.dlq', from: 2, to: 6 },
    ]);
    expect(warnings).toEqual([
      expect.stringContaining('orders: 1 of 3 copies: kafka-reassign-partitions'),
      expect.stringContaining('orders.dlq: 1 of 3 copies'),
      expect.stringContaining('orders.dlq: with more partitions, keys move'),
    ]);
    await apply();
    expect(broker.topics.get('orders')).toHaveLength(9);
    expect(broker.topics.get('orders.dlq')).toHaveLength(6);
    expect(await apply()).toEqual([]);
  });
});
