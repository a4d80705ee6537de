import { topicsOfProcessor } from '../../src/app/topics/wanted.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { applyTopics, planTopics, type TopicAction, type TopicPlan } from '../../src/app/topics/plan.ts';
import { wantedTopics } from '../../src/app/topics/wanted.ts';
import { selectMessages } from '../../src/domain/messages/select.ts';
import type { TopicNames } from '../../src/domain/messages/topic-names.ts';
import { ensureTopics } from '../../src/app/topics/ensure.ts';
import { orderTopics } from '../../src/domain/topics/declared-topics.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const NAMES = { topic: 'orders', dlqTopic: 'orders.dlq' };

let broker: ScriptedBroker;
beforeEach(() => {
  broker = new ScriptedBroker();
});

async function plan(): Promise<TopicPlan> {
  return planTopics(await broker.admin(), orderTopics(NAMES));
}

async function apply(): Promise<TopicAction[]> {
  const done: TopicAction[] = [];
  await applyTopics(await broker.admin(), await plan(), async (action) => void done.push(action));
  return done;
}

describe('topics against what is declared', () => {
  it.each([
    [1, 1, /^orders, orders\.dlq: 1 of 3 copies, because the cluster has 1 broker$/],
    [2, 2, /2 of 3 copies, because the cluster has 2 brokers$/],
    [5, 3, null],
  ])('of a cluster of %i brokers get %i copies', async (brokers, copies, warning) => {
    broker.brokers = brokers;
    const { warnings } = await plan();
    expect(warnings).toEqual(warning === null ? [] : [expect.stringMatching(warning)]);
    expect((await apply()).map(({ kind }) => kind)).toEqual(['create', 'create']);
    expect(Object.fromEntries(broker.replication)).toEqual({ orders: copies, 'orders.dlq': copies });
    expect(await apply()).toEqual([]);
  });

  it('are counted where many have too few copies: one line', async () => {
    const many = Array.from({ length: 6 }, (_, at) => orderTopics({ ...NAMES, topic: `t${at}` })).flat();
    const { warnings } = await planTopics(await broker.admin(), many);
    expect(warnings).toEqual([
      expect.stringMatching(/^\d+ topics: 1 of 3 copies, because the cluster has 1 broker$/),
    ]);
  });

  it('are what consume makes, and need nothing then', async () => {
    const admin = await broker.admin();
    expect(await ensureTopics(admin, orderTopics(NAMES), true, () => undefined)).toBe(2);
    expect((await plan()).actions).toEqual([]);
    expect(broker.configs.get('orders.dlq')?.get('max.message.bytes')).toBe(String(2_000 + 64 * 1024));
  });

  it('are not compacted: that is planned away, with a warning', async () => {
    await apply();
    broker.configs.get('orders.dlq')?.set('cleanup.policy', 'compact,delete');
    const { actions, warnings } = await plan();
    expect(actions).toEqual([
      {
        kind: 'alter_config',
        topic: 'orders.dlq',
        name: 'cleanup.policy',
        from: 'compact,delete',
        to: 'delete',
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
      expect.stringContaining('orders has 1 of 3 copies: use kafka-reassign-partitions'),
      expect.stringContaining('orders.dlq has 1 of 3 copies'),
      expect.stringContaining('orders.dlq: adding partitions moves keys'),
    ]);
    await apply();
    expect(broker.topics.get('orders')).toHaveLength(9);
    expect(broker.topics.get('orders.dlq')).toHaveLength(6);
    expect(await apply()).toEqual([]);
  });
});

describe('topics of the catalogue', () => {
  const planned = async (wanted: readonly string[] | 'all', names: TopicNames): Promise<TopicPlan> =>
    planTopics(await broker.admin(), wantedTopics(selectMessages(wanted, names), names));
  const NO_NAMES = new Map<string, string>();

  it('are those that the platform declares, with a dead-letter topic where a processor reads', async () => {
    broker.brokers = 3;
    const { topics, warnings } = await planned('all', NO_NAMES);
    const days = ({ configs }: { configs: Readonly<Record<string, number>> }): number =>
      (configs['retention.ms'] ?? 0) / 86_400_000;
    expect(
      Object.fromEntries(
        topics.map(({ declared }) => [declared.topic, [declared.partitions, days(declared)]] as const),
      ),
    ).toEqual({
      orders: [6, 7],
      'orders.dlq': [6, 30],
      'inventory-events': [6, 7],
      alerts: [3, 7],
      'alerts.dlq': [3, 30],
      'orders.created': [6, 7],
      'orders.created.dlq': [6, 30],
      'orders.validated': [6, 7],
      'orders.validated.dlq': [6, 30],
      'orders.rejected': [3, 30],
      'orders.rejected.dlq': [3, 30],
      'payments.processed': [6, 7],
      'payments.processed.dlq': [6, 30],
      'payments.failed': [3, 30],
      'payments.failed.dlq': [3, 30],
      'payments.refunded': [3, 30],
      'payments.refunded.dlq': [3, 30],
      'inventory.reserved': [6, 7],
      'inventory.rejected': [3, 30],
      'inventory.rejected.dlq': [3, 30],
      'shipments.created': [6, 30],
      'shipments.created.dlq': [6, 30],
      'shipments.dispatch': [6, 7],
      'shipments.dispatch.dlq': [6, 30],
      'shipments.dispatched': [6, 30],
      'shipments.dispatched.dlq': [6, 30],
      'orders.cancel': [6, 7],
      'orders.cancel.dlq': [6, 30],
      'orders.cancelled': [3, 30],
      'orders.cancelled.dlq': [3, 30],
      'notifications.outbound': [3, 1],
      'notifications.outbound.dlq': [3, 30],
      online_orders: [6, 7],
      dlq: [3, 30],
      store_sales: [6, 7],
      supplier_restocks: [6, 7],
      inventory_updates: [6, 7],
    });
    expect(topics.every(({ declared }) => declared.replication === 3)).toBe(true);
    expect(warnings).toEqual([]);
    await applyTopics(await broker.admin(), await planned('all', NO_NAMES), async () => undefined);
    expect((await planned('all', NO_NAMES)).actions).toEqual([]);
  });

  it('are made by what runs, as they are declared, and then nothing is left to do', async () => {
    const admin = await broker.admin();
    broker.createTopic('online_orders', 6);
    broker.configs.set(
      'online_orders',
      new Map([
        ['max.message.bytes', '5000'],
        ['retention.ms', '-1'],
      ]),
    );
    const wanted = wantedTopics(selectMessages('all', NO_NAMES), NO_NAMES);
    await expect(ensureTopics(admin, wanted, false, () => undefined)).rejects.toMatchObject({
      code: 'topic_missing',
      context: { topic: 'orders' },
    });
    const made: string[] = [];
    expect(await ensureTopics(admin, wanted, true, ({ topic }) => made.push(topic))).toBe(wanted.length - 1);
    expect(made).not.toContain('online_orders');
    expect((await planned('all', NO_NAMES)).actions).toEqual([]);
  });

  it('for dead letters of several come after these, whose records they are to hold', async () => {
    const made: string[] = [];
    const wanted = wantedTopics(selectMessages('all', NO_NAMES), NO_NAMES);
    await ensureTopics(await broker.admin(), wanted, true, ({ topic }) => made.push(topic));
    expect(made.indexOf('dlq')).toBeGreaterThan(made.indexOf('supplier_restocks'));
    expect((await planned('all', NO_NAMES)).actions).toEqual([]);
  });

  it('have other names where the settings say so, and so have those of their dead letters', async () => {
    const names = new Map([
      ['orders.created', 'shop.orders'],
      ['payments.failed.dlq', 'unpaid'],
      ['dlq', 'poison'],
    ]);
    const { topics } = await planned(['store_sales', 'payments.failed', 'shop.orders'], names);
    expect(topics.map(({ message, declared }) => [message, declared.topic])).toEqual([
      ['orders.created', 'shop.orders'],
      ['orders.created', 'shop.orders.dlq'],
      ['payments.failed', 'payments.failed'],
      ['payments.failed', 'unpaid'],
      ['store_sales', 'store_sales'],
      ['dlq', 'poison'],
    ]);
  });

  it('take dead letters as large as the largest of the records that they carry', async () => {
    broker.createTopic('online_orders', 6);
    broker.createTopic('store_sales', 6);
    broker.configs.set('online_orders', new Map([['max.message.bytes', '5000']]));
    broker.configs.set('store_sales', new Map([['max.message.bytes', '7000']]));
    const { topics } = await planned(['dlq'], NO_NAMES);
    expect(topics.map(({ declared }) => declared.configs['max.message.bytes'])).toEqual([7_000 + 64 * 1024]);
  });

  it.each([
    [['payment'], {}, 'invalid_value', 'message payment does not exist'],
    [
      ['orders'],
      { payment: 'x' },
      'invalid_settings',
      'a topic name is set for payment, but no such message exists',
    ],
    [
      ['orders'],
      { 'inventory-events.dlq': 'x' },
      'invalid_settings',
      'a topic name is set for inventory-events.dlq',
    ],
    [['orders'], { alerts: 'orders' }, 'invalid_settings', 'orders and alerts both use topic orders'],
    [['orders'], { dlq: 'orders.dlq' }, 'invalid_settings', 'orders.dlq and dlq both use topic orders.dlq'],
  ])('%j with topics %j are refused', (wanted, names, code, text) => {
    expect(() => selectMessages(wanted, new Map(Object.entries(names)))).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(text) as string }),
    );
  });
});

it('what a run needs: what its processors read, with dead letters, and what they write', () => {
  const shop = { ...PLAIN_SHOP, events: { lowStock: 1 } };
  const topics = (name: string) => topicsOfProcessor(name, shop, new Map()).map(({ topic }) => topic);
  expect(topics('payment')).toEqual([
    'orders.validated',
    'orders.validated.dlq',
    'inventory.rejected',
    'inventory.rejected.dlq',
    'orders.cancelled',
    'orders.cancelled.dlq',
    'payments.processed',
    'payments.failed',
    'payments.refunded',
  ]);
  const all = topics('all');
  expect(all).toEqual(expect.arrayContaining(['orders', 'orders.dlq', 'inventory-events', 'alerts.dlq']));
  expect(new Set(all).size).toBe(all.length);
  expect(() => topics('pay')).toThrow('there is no processor');
});
