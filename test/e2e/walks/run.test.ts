import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ALERT } from '../../../src/domain/messages/shop/alert.ts';
import { INVENTORY_EVENT } from '../../../src/domain/messages/shop/inventory-event.ts';
import { fill, openShop, type Shop } from '../../support/cli.ts';
import { randomFrom } from '../../support/random.ts';
import { messagesOf } from '../../support/run-kills/messages.ts';
import { openPostOffice } from '../../support/run-kills/post-office.ts';
import {
  createTopic,
  deleteTopic,
  jsonOrder,
  openSender,
  readTopic,
  sendRaw,
  testBrokers,
  type TopicRecord,
} from '../../support/topics.ts';
import { waitFor } from '../../support/wait.ts';

const seed = Number(process.env.ORDERCTL_TEST_SEED ?? Date.now() % 1_000_000);

/** A shop that announces changes of stock, on topics of its own. */
function announcing(env: Readonly<Record<string, string>> = {}): {
  shop: Shop;
  events: string;
  alerts: string;
} {
  const { topic } = openShop();
  const topics = { 'inventory-events': `${topic}-events`, alerts: `${topic}-alerts` };
  const shop = openShop({
    ...env,
    ORDERCTL_EVENTS: 'true',
    ORDERCTL_TOPICS: [
      ...Object.entries(topics).map((pair) => pair.join('=')),
      ...['alerts.dlq', 'notifications.outbound', 'notifications.outbound.dlq'].map(
        (name) => `${name}=${topic}-${name}`,
      ),
    ].join(','),
  });
  return { shop, events: topics['inventory-events'], alerts: topics.alerts };
}

/** The records of a topic by ce_id: a message that was sent twice is the same both times. */
async function byId(topic: string): Promise<Map<string, TopicRecord>> {
  const found = new Map<string, TopicRecord>();
  for (const record of await readTopic(topic)) {
    const id = String(record.headers.ce_id);
    const before = found.get(id);
    if (before !== undefined) {
      const same = ({ key, value, headers }: TopicRecord): unknown => ({ key, value, headers });
      expect(same(record)).toEqual(same(before));
    }
    found.set(id, record);
  }
  return found;
}

test('run decides orders, announces the stock and delivers alerts, to the end of what that leads to', async () => {
  const { shop, events, alerts } = announcing();
  fill(shop, { alice: 'paid' }, { 'P-567': 3, pen: 50 });
  await createTopic(shop.topic, 2);
  await sendRaw(shop.topic, [
    jsonOrder('r-1', 'alice', { 'P-567': 2 }),
    jsonOrder('r-2', 'alice', { pen: 1 }),
  ]);
  const { stdout, stderr } = await shop.ok('run orders delivery --until-end -o json');
  expect(JSON.parse(stdout)).toMatchObject({
    type: 'summary',
    command: 'run',
    stopped_by: 'end',
    unsent: {},
    effects_owed: 0,
    processors: [
      { processor: 'orders', group: shop.group, read: 2, outcomes: { accepted: 2 } },
      { processor: 'delivery', group: `${shop.group}.delivery`, read: 1 },
    ],
  });
  expect(stderr).toContain('Low stock alert for Product P-567: only 1 item left!');
  expect([...(await byId(events)).keys()].map((id) => id.replace(/^[^/]*/, ''))).toEqual(
    expect.arrayContaining(['/inventory-events/P-567/1', '/inventory-events/pen/1']),
  );
  expect((await byId(alerts)).size).toBe(1);
  // Nobody owns the folder.
  await shop.ok('inventory update --item pen --by +5');
  const { stdout: none } = await shop.ok('run orders --until-end -o json');
  expect(JSON.parse(none)).toMatchObject({ processors: [{ processor: 'orders', read: 0 }] });
  expect([...(await byId(events)).keys()].map((id) => id.replace(/^[^/]*/, ''))).toContain(
    '/inventory-events/pen/3',
  );
  const unknown = await shop.run('run paymant');
  expect(unknown.code, unknown.stderr).toBe(2);
  expect(unknown.stderr).toContain('payment');
});

test('--users optional: an order of three fields needs no user', async () => {
  const shop = openShop({ ORDERCTL_USERS: 'optional' });
  fill(shop, {}, { 'P-567': 3 });
  await createTopic(shop.topic, 1);
  const order = { order_id: 't-1', product_id: 'P-567', quantity: 2 };
  await sendRaw(shop.topic, [{ key: 't-1', value: JSON.stringify(order) }]);
  const [decision, summary] = await shop.lines('consume --until-end --quiet --each');
  expect(decision).toMatchObject({ decision: 'accepted', user: null });
  expect(summary).toMatchObject({ accepted: 1, dead_lettered: 0 });
  expect(shop.stock()).toEqual({ 'P-567': 1 });
  expect(await shop.json('order show t-1')).toMatchObject({ user: null, user_status: null });
  expect((await shop.ok('order explain t-1')).stdout).toContain('it needs no user, and');
  expect(await shop.lines('replay --dry-run')).toContainEqual(expect.objectContaining({ user: null }));
  const audited = { ok: true, records: { deciding: 1, dead_letters: 0 } };
  expect(await shop.json('audit --with-topic --users required')).toMatchObject(audited);
});

test('a topic that is deleted is made again, or waited for with one warning; orders are decided meanwhile', async () => {
  const { shop, events } = announcing();
  fill(shop, { alice: 'paid' }, { pen: 50 });
  await createTopic(shop.topic, 1);
  const changes = async (): Promise<string[]> =>
    [...(await byId(events)).keys()].map((id) => id.split('/').slice(2).join('/'));

  const making = shop.start('run orders');
  await sendRaw(shop.topic, [jsonOrder('g-1', 'alice', { pen: 1 })]);
  await waitFor('the first sale', async () => (await changes()).includes('pen/2'));
  await deleteTopic(events);
  await sendRaw(shop.topic, [jsonOrder('g-2', 'alice', { pen: 1 })]);
  await making.says(new RegExp(`created topic ${events} with`));
  await waitFor('what followed', async () => (await changes()).includes('pen/3'));
  making.signal('SIGTERM');
  expect((await making.exited).code).toBe(0);

  const waiting = shop.start('run orders --no-create');
  await sendRaw(shop.topic, [jsonOrder('g-3', 'alice', { pen: 1 })]);
  await waitFor('the third sale', async () => (await changes()).includes('pen/4'));
  await deleteTopic(events);
  await sendRaw(shop.topic, [jsonOrder('g-4', 'alice', { pen: 1 })]);
  const gone = new RegExp(
    `topic ${events} does not exist.* everything else continues .*orderctl setup --execute`,
    'g',
  );
  await waiting.says(gone);
  await sendRaw(shop.topic, [jsonOrder('g-5', 'alice', { pen: 1 })]);
  await waitFor('the fifth sale', () => shop.stock().pen === 45);
  await createTopic(events, 1);
  await waitFor('what waited', async () => (await changes()).includes('pen/6'));
  expect(await changes()).toEqual(['pen/5', 'pen/6']);
  waiting.signal('SIGTERM');
  const { code, stderr } = await waiting.exited;
  expect(code, stderr).toBe(0);
  expect(stderr.match(gone)).toHaveLength(1);
});

test('the last but one of an item by an order of three fields: one event, one alert and one mail, through kill -9', async () => {
  let isDown = true;
  const office = await openPostOffice(() => isDown);
  const { shop, events, alerts } = announcing({
    ORDERCTL_USERS: 'optional',
    ORDERCTL_ALERTS: `smtp://127.0.0.1:${office.port}?from=shop@example.org&to=stock@example.org`,
  });
  fill(shop, {}, { 'P-567': 2 });
  await createTopic(shop.topic, 1);
  await shop.ok('setup orders --execute');

  // It dies when the order is decided, and nothing that follows from it is sent.
  const deciding = shop.start('run orders --no-create');
  await waitFor('the row', async () => (await byId(events)).size === 1);
  for (const topic of [events, alerts]) await deleteTopic(topic);
  const order = { order_id: 't-1', product_id: 'P-567', quantity: 1 };
  await sendRaw(shop.topic, [{ key: 't-1', value: JSON.stringify(order) }]);
  await deciding.says(new RegExp(`topic ${alerts} does not exist`));
  deciding.signal('SIGKILL');
  await deciding.exited;

  // It dies when the mail is taken, and has not heard so.
  const mailing = shop.start('run orders delivery');
  await waitFor('a mail', () => office.mails.size > 0);
  mailing.signal('SIGKILL');
  await mailing.exited;
  isDown = false;
  await shop.ok('run orders delivery --until-end');

  const text = 'Low stock alert for Product P-567: only 1 item left!';
  const changed = await messagesOf({ ...INVENTORY_EVENT, name: events }, testBrokers());
  expect(changed).toMatchObject([
    { key: 'P-567', value: { item: 'P-567', delta: -1, on_hand: 1, order_id: 't-1', cause: 'sale' } },
  ]);
  const [alert, ...others] = await messagesOf({ ...ALERT, name: alerts }, testBrokers());
  expect(others).toEqual([]);
  expect(alert).toMatchObject({ key: 'P-567', value: { kind: 'low_stock', on_hand: 1, message: text } });
  expect([...office.mails.keys()].map(decodeURIComponent)).toEqual([alert?.id]);
  const copies = [...office.mails.values()].flat();
  expect(copies.length).toBeGreaterThanOrEqual(2);
  expect(new Set(copies).size).toBe(1);
  expect(copies[0]).toContain(`Subject: ${text}`);
  expect(shop.stock()).toEqual({ 'P-567': 1 });
  await shop.ok('audit');
});

test(
  `kill -9 in a run with events and effects: each message has one id, none is missing, none has two contents (ORDERCTL_TEST_SEED=${seed})`,
  { timeout: 120_000 },
  async () => {
    const random = randomFrom(seed);
    const { shop, events, alerts } = announcing();
    fill(shop, { alice: 'paid' }, { book: 400, pen: 30 });
    await createTopic(shop.topic, 2);
    const sender = await openSender(shop.topic);
    let sent = 0;
    for (let kill = 0; kill < 4; kill++) {
      const run = shop.start('run orders delivery');
      const orders = Array.from({ length: 50 }, () => {
        sent += 1;
        return jsonOrder(`k-${sent}`, 'alice', sent % 2 === 0 ? { book: 1 } : { pen: 1 });
      });
      await sender.send(orders);
      await sleep(300 + random() * 1_500);
      run.signal('SIGKILL');
      await run.exited;
    }
    await shop.ok('run orders delivery --until-end');

    const accepted = shop.jsonl('orders.jsonl').length;
    expect(shop.stock()).toEqual({ book: 400 - 100, pen: 0 });
    const changes = [...(await byId(events)).keys()].map((id) => id.split('/').slice(2).join('/'));
    // The first of each is the edit that put it in.
    expect(changes).toHaveLength(accepted + 2);
    const expected = [
      ...Array.from({ length: 101 }, (_, i) => `book/${i + 1}`),
      ...Array.from({ length: 31 }, (_, i) => `pen/${i + 1}`),
    ];
    expect(changes.sort()).toEqual(expected.sort());
    const alerted = [...(await byId(alerts)).keys()].map((id) => id.split('/').at(-1));
    expect(alerted.sort()).toEqual(['insufficient_stock', 'low_stock', 'out_of_stock']);
    // Each is delivered, and none is owed.
    const delivered = shop
      .jsonl('deliveries.jsonl')
      .filter((fact) => JSON.stringify(fact).includes('delivered'));
    expect(delivered.length).toBeGreaterThanOrEqual(3);
    await shop.ok('audit');
  },
);
