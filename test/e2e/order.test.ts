import { expect, test } from 'vitest';
import { failureOf, penShop } from '../support/cli.ts';
import { createTopic, jsonOrder, pens, sendRaw } from '../support/topics.ts';

test('an order is shown, listed and explained, with every record of it in the topic', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, [
    { ...jsonOrder('ORD-1', 'alice', { pen: 2 }), partition: 0, headers: { 'x-replay-id': 'r-1' } },
    { ...jsonOrder('ORD-1', 'alice', { pen: 2 }), partition: 0 },
    { ...jsonOrder('ORD-1', 'alice', { pen: 3 }), partition: 0 },
    { ...jsonOrder('ORD-2', 'mallory', { pen: 1 }), partition: 1 },
    { key: 'ORD-1', value: 'not an order', partition: 1 },
  ]);
  await shop.ok('consume --until-end');
  await sendRaw(shop.topic, [
    { ...jsonOrder('ORD-1', 'alice', { pen: 2 }), partition: 1 },
    { ...jsonOrder('ORD-3', 'alice', { pen: 99 }), partition: 1 },
  ]);

  expect(await shop.json('order show ORD-2')).toMatchObject({ status: 'rejected', reason: 'unknown_user' });
  const ids = (await shop.lines('order list')).map(({ order_id: id }) => id);
  expect(ids.sort()).toEqual(['ORD-1', 'ORD-2']);

  const { records: unscanned, scanned: not } = await shop.json('order explain ORD-1');
  expect({ unscanned, not }).toMatchObject({
    unscanned: [{ role: 'deciding', timestamp: null }],
    not: false,
  });
  const { records, scanned, explanation } = await shop.json('order explain ORD-1 --scan');
  expect(scanned).toBe(true);
  expect(explanation).toContain(`${shop.topic}/1@1 has this key, but cannot be read as an order`);
  expect(records).toMatchObject([
    { topic: shop.topic, partition: 0, offset: 0, role: 'deciding', replay_id: 'r-1' },
    { partition: 0, offset: 1, role: 'duplicate', replay_id: null },
    { partition: 0, offset: 2, role: 'conflict' },
    { partition: 1, offset: 2, role: 'unread' },
  ]);

  const waiting = await shop.run('order explain ORD-3 -o json');
  expect(waiting.code).toBe(3);
  expect(failureOf(waiting).fix).toContain('--scan');
  const found = await shop.json('order explain ORD-3 --scan');
  expect(found).toMatchObject({ status: null, decided_at: null, records: [{ offset: 3, role: 'unread' }] });
  expect((found.next as string[])[0]).toContain('insufficient_stock');
  expect(await shop.run('order explain ORD-4 --scan')).toMatchObject({ code: 3, stdout: '' });
  const missing = await shop.run(['order', 'explain', 'ORD-1', '--scan', '--topic', `${shop.topic}-none`]);
  expect(missing.code).toBe(3);
});

test('orders are shown beside a running consumer, by its last commit', async () => {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  const consumer = shop.host('consume');
  await sendRaw(shop.topic, pens('a', 3));
  await consumer.says(/accepted a-2/);
  expect(await shop.json('order show a-2')).toMatchObject({ status: 'accepted', offset: 2 });
  expect(await shop.lines('order list')).toHaveLength(3);
});
