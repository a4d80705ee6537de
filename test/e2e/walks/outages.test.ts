import { describe, expect, test } from 'vitest';
import { failureOf, finish, penShop, type Shop } from '../../support/cli.ts';
import { startPrivateBroker, startPrivateRegistry } from '../../support/cluster.ts';
import { silentServer } from '../../support/silent-server.ts';
import {
  createTopic,
  deleteRecordsBefore,
  deleteTopic,
  pens,
  sendRaw,
  withAdmin,
} from '../../support/topics.ts';
import { waitFor } from '../../support/wait.ts';

test('a registry that is away is waited for: no order becomes a dead letter', async () => {
  const registry = await startPrivateRegistry();
  const shop = penShop({ ORDERCTL_REGISTRY: registry.address });
  await shop.ok('produce --user alice --item pen --quantity 2');
  await registry.kill();
  const consumer = shop.start('consume');
  await consumer.says(/registry/);
  expect(consumer.stderr()).not.toMatch(/accepted|dead/);
  await registry.start();
  await consumer.says(/accepted/);
  consumer.signal('SIGINT');
  const { code, stderr } = await finish(consumer, 'consume', 60_000);
  expect(code, stderr).toBe(0);
  expect(shop.stock()).toEqual({ pen: 48 });
});

test(
  'a broker that dies in flight is waited for; a stop without it takes at most 10 s',
  { timeout: 180_000 },
  async () => {
    const broker = await startPrivateBroker();
    const shop = penShop({ ORDERCTL_BROKERS: broker.address });
    await createTopic(shop.topic, 2, broker.address);
    const consumer = shop.start('consume');
    // Of two partitions: the last one sent is not the last one read.
    const allAccepted = async (name: string): Promise<void> => {
      for (let at = 0; at < 5; at++) await consumer.says(new RegExp(`accepted ${name}-${at}`), 60_000);
    };
    await sendRaw(shop.topic, pens('a', 5), broker.address);
    await allAccepted('a');

    await broker.kill();
    await broker.start();
    await sendRaw(shop.topic, pens('b', 5), broker.address);
    await allAccepted('b');

    // A pause is an outage without a closed connection.
    broker.signal('SIGSTOP');
    await consumer.says(/wait|no answer|unreachable/i, 60_000);
    broker.signal('SIGCONT');
    await sendRaw(shop.topic, pens('c', 5), broker.address);
    await allAccepted('c');

    await broker.kill();
    consumer.signal('SIGTERM');
    const { code, stderr } = await finish(consumer, 'consume', 15_000);
    expect(code, stderr).toBe(0);
    expect(shop.stock()).toEqual({ pen: 35 });

    // And what was decided is not read twice when it is back.
    await broker.start();
    const [summary] = await shop.lines('consume --until-end');
    expect(summary).toMatchObject({ accepted: 0, conflicts: 0, dead_lettered: 0 });

    // Another cluster under the same address, whose topic is longer: offsets alone do not tell.
    await broker.kill();
    await broker.start({ fresh: true });
    await createTopic(shop.topic, 2, broker.address);
    await sendRaw(shop.topic, pens('z', 40), broker.address);
    const other = await shop.run('consume --until-end -o json');
    expect(other.code, other.stderr).toBe(6);
    expect(failureOf(other)).toMatchObject({ code: 'topic_changed', topic: shop.topic });
    expect(failureOf(other).fix).not.toBeNull();
    expect(shop.stock()).toEqual({ pen: 35 });
  },
);

describe('an endless produce is stopped within 10 s, with its summary', () => {
  test('while no broker has answered yet', async () => {
    const shop = penShop({ ORDERCTL_BROKERS: await silentServer() });
    const producer = shop.start('produce --count 0 --log-level debug');
    await producer.says(/Connecting/);
    producer.signal('SIGTERM');
    const stoppedAt = performance.now();
    const { code, stdout, stderr } = await finish(producer, 'produce', 12_000);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^sent 0 orders/m);
    // It would have given up by itself after 9 s.
    expect(performance.now() - stoppedAt).toBeLessThan(8_000);
  });

  test('while the broker has stopped answering: what was under way is named', async () => {
    const broker = await startPrivateBroker();
    const shop = penShop({ ORDERCTL_BROKERS: broker.address });
    await createTopic(shop.topic, 1, broker.address);
    const producer = shop.start('produce --count 0 --delay 0.05 --log-level debug');
    await waitFor('an order', () => producer.stdout().includes('sent ORD-'));
    broker.signal('SIGSTOP');
    const heard = (pattern: RegExp): number => producer.stderr().match(pattern)?.length ?? 0;
    // The second look: not one that is answered in this very moment.
    await waitFor('a request without an answer', async () => {
      const asked = heard(/Request Produce/g);
      const isDue = asked > heard(/Response Produce/g);
      await new Promise((resolve) => setTimeout(resolve, 300));
      return isDue && asked > heard(/Response Produce/g) && asked === heard(/Request Produce/g);
    });
    producer.signal('SIGTERM');
    const { code, stdout, stderr } = await finish(producer, 'produce', 12_000);
    expect(code, stderr).toBe(5);
    const unknown = stdout.split('\n').filter((line) => line.startsWith('{"type":"unknown"'));
    expect(unknown).toHaveLength(1);
    const { order_id: id } = JSON.parse(unknown[0] ?? '{}') as { order_id: string };
    expect(stdout).toMatch(/^sent [1-9]\d* orders? to .*, 1 order unknown$/m);
    expect(stderr).toContain(`whether these orders are stored is unknown: ${id}`);
  });
});

describe('a topic that is not the one that was read', () => {
  async function readShop(): Promise<Shop> {
    const shop = penShop();
    await createTopic(shop.topic, 1);
    await sendRaw(shop.topic, pens('a', 6));
    await shop.ok('consume --until-end');
    return shop;
  }

  async function stopsWith(shop: Shop, code: string): Promise<void> {
    const before = shop.read('orders.jsonl');
    const result = await shop.run('consume --until-end -o json');
    expect(result.code, result.stderr).toBe(6);
    const failure = failureOf(result);
    expect(failure).toMatchObject({ code, exit_code: 6, topic: shop.topic, partition: 0 });
    // Both ways out: go on from what there is, or from the start.
    expect(failure.fix).toMatch(/earliest/);
    expect(shop.read('orders.jsonl')).toBe(before);
  }

  test('created again and shorter: the position lies past its end', async () => {
    const shop = await readShop();
    await deleteTopic(shop.topic);
    await createTopic(shop.topic, 1);
    await sendRaw(shop.topic, pens('b', 2));
    await stopsWith(shop, 'offsets_gone');
    const [summary] = await shop.lines('consume --until-end --reset-to earliest');
    expect(summary).toMatchObject({ read: 2, accepted: 2 });
    expect(shop.stock()).toEqual({ pen: 42 });
  });

  test('created again and longer: the record before the position is another', async () => {
    const shop = await readShop();
    await deleteTopic(shop.topic);
    await createTopic(shop.topic, 1);
    await sendRaw(shop.topic, pens('b', 9));
    await stopsWith(shop, 'topic_changed');
    const [summary] = await shop.lines('consume --until-end --reset-to earliest');
    expect(summary).toMatchObject({ read: 9, accepted: 9 });
  });

  test('gone: it is not created again for a folder that has read it, unless that is asked for', async () => {
    const shop = await readShop();
    await deleteTopic(shop.topic);
    await stopsWith(shop, 'topic_changed');
    expect(await withAdmin((admin) => admin.listTopics())).not.toContain(shop.topic);
    const [summary] = await shop.lines('consume --until-end --reset-to earliest');
    expect(summary).toMatchObject({ read: 0 });
  });

  test('records deleted beyond the position: the gap is named, not stepped over', async () => {
    const shop = await readShop();
    await sendRaw(shop.topic, pens('b', 5));
    await deleteRecordsBefore(shop.topic, 9);
    await stopsWith(shop, 'offsets_gone');
    const [summary] = await shop.lines('consume --until-end --reset-to earliest');
    expect(summary).toMatchObject({ read: 2, accepted: 2 });
  });

  test('records deleted before the first of a partition was read: a gap as well', async () => {
    const shop = penShop();
    await createTopic(shop.topic, 1);
    await shop.ok('consume --until-end');
    await sendRaw(shop.topic, pens('a', 5));
    await deleteRecordsBefore(shop.topic, 3);
    await stopsWith(shop, 'offsets_gone');
    // Another group has missed nothing: the topic begins there.
    const [summary] = await penShop({ ORDERCTL_TOPIC: shop.topic }).lines('consume --until-end');
    expect(summary).toMatchObject({ read: 2 });
  });

  test('records deleted before the position are no gap', async () => {
    const shop = await readShop();
    await deleteRecordsBefore(shop.topic, 6);
    await sendRaw(shop.topic, pens('b', 2));
    const [summary] = await shop.lines('consume --until-end');
    expect(summary).toMatchObject({ read: 2, accepted: 2 });
  });
});
