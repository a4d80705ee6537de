import { expect, test } from 'vitest';
import { HEADERS } from '../../src/domain/messages/headers.ts';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import { typeOf, type Message } from '../../src/domain/messages/message.ts';
import { openCheckoutShop } from '../support/checkout-shop.ts';
import { fill } from '../support/cli.ts';
import { serve } from '../support/serve.ts';
import { readTopic, withAdmin, type TopicRecord } from '../support/topics.ts';
import { TRACEPARENT } from '../support/traced-order.ts';

const BEFORE_WAREHOUSE = 'run orders validation payment inventory stock notification delivery --until-end';

const textsOf = ({ headers }: TopicRecord) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

test('every record of every topic has the headers of a message, and a second send of it the same ce_id', async () => {
  const { shop } = await openCheckoutShop({ ORDERCTL_TOPIC: 'orders', ORDERCTL_EVENTS: 'true' });
  const { ORDERCTL_BROKERS: brokers = '' } = shop.env;
  fill(shop, { alice: 'paid', bob: 'unpaid' }, { pen: 50 });
  await shop.ok('inventory update pen --price 2.50');
  const { call } = await serve(shop);
  const post = async (path: string, order_id: string) => {
    const lines = { user: 'alice', items: [{ item: 'pen', quantity: 1 }], shipping_address: 'Here 1' };
    const { status } = await call('POST', path, { order_id, ...lines }, { traceparent: TRACEPARENT });
    expect(status).toBe(202);
  };

  // All that clients send, twice where that is possible.
  for (const id of ['EV-1', 'EV-1']) {
    await shop.ok('produce --user alice --item pen=1 --order-id D-1');
    await shop.ok('produce --flow checkout --user alice --item pen=1 --order-id C-1');
    await shop.ok(['produce', '--source', 'store', '--store-id', 'S1', '--item', 'pen=1', '--order-id', id]);
    await shop.ok('produce --source all --count 20 --seed 7');
  }
  await post('/order', 'D-2');
  await post('/orders', 'C-2');
  await shop.ok('produce --flow checkout --user alice --item pen=1 --order-id C-3');
  expect((await call('POST', '/orders/C-2/cancel')).status).toBe(202);
  await shop.ok('order cancel C-3 --yet-to-come --wait 0');
  await shop.ok(BEFORE_WAREHOUSE);
  for (const wait of ['0', '0']) await shop.ok(['order', 'dispatch', 'C-1', '--wait', wait]);
  await shop.ok('replay --order D-1');
  await shop.ok('replay --order D-1 --as-new --again');
  await shop.ok('run --until-end');

  const messages = MESSAGES.filter((one): one is Message => one.schema !== null);
  const topics = await withAdmin((admin) => admin.listTopics(), brokers);
  const others = topics.filter((topic) => !messages.some(({ name }) => name === topic));
  expect(others.filter((topic) => !/(^|\.)dlq$/.test(topic))).toEqual([]);
  const read = messages.map(
    async ({ name }) => [name, (await readTopic(name, brokers)).map(textsOf)] as const,
  );
  const found = new Map(await Promise.all(read));
  for (const message of messages) {
    const expected = {
      ce_specversion: /^1\.0$/,
      ce_id: new RegExp(`^[^/]+/${message.name}/.`),
      ce_source: /^\/orderctl\/[^/]+$/,
      ce_type: new RegExp(`^${typeOf(message)}$`),
      ce_time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
      traceparent: /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/,
    } satisfies Record<(typeof HEADERS)[number], RegExp>;
    for (const headers of found.get(message.name) ?? []) {
      for (const name of HEADERS) expect(headers[name], `${name} in ${message.name}`).toMatch(expected[name]);
    }
  }

  const ofClients = (topic: string) =>
    (found.get(topic) ?? []).filter(({ ce_source }) => ce_source === '/orderctl/client');
  const idsIn = (topic: string) => ofClients(topic).map(({ ce_id = '' }) => ce_id.replace(/^client\//, ''));
  expect(idsIn('orders').sort()).toEqual([
    // Twice by produce, and by replay.
    'orders/D-1',
    'orders/D-1',
    'orders/D-1',
    'orders/D-1.r1',
    'orders/D-2',
  ]);
  expect(idsIn('orders.created').sort()).toEqual(
    ['C-1', 'C-1', 'C-2', 'C-3'].map((id) => `orders.created/${id}`),
  );
  // Two requests for one order are two messages.
  const requested = (topic: string) => [...new Set(idsIn(topic))].map((id) => id.replace(/@\d+$/, '')).sort();
  expect(requested('orders.cancel')).toEqual(['orders.cancel/C-2', 'orders.cancel/C-3']);
  expect(requested('shipments.dispatch')).toEqual(['shipments.dispatch/C-1', 'shipments.dispatch/C-1']);
  expect(idsIn('store_sales').filter((id) => id === 'store_sales/EV-1')).toHaveLength(2);
  for (const topic of ['online_orders', 'store_sales', 'supplier_restocks']) {
    const ids = idsIn(topic);
    expect(ids.length, topic).toBeGreaterThan(0);
    for (const id of ids)
      expect(
        ids.filter((other) => other === id),
        topic,
      ).toHaveLength(2);
  }

  // What is given goes on, and an id that is sent again has its own trace again.
  const traceOf = (topic: string, id: string) =>
    new Set(ofClients(topic).flatMap(({ ce_id, traceparent }) => (ce_id === id ? [traceparent] : [])));
  expect(traceOf('orders', 'client/orders/D-2')).toEqual(new Set([TRACEPARENT]));
  expect(traceOf('orders.created', 'client/orders.created/C-2')).toEqual(new Set([TRACEPARENT]));
  expect(traceOf('orders', 'client/orders/D-1').size).toBe(1);
  const replayed = ofClients('orders').filter(({ ['x-replay-id']: id }) => id !== undefined);
  expect(replayed.map((headers) => HEADERS.every((name) => name in headers))).toEqual([true, true]);
}, 120_000);
