import { spawn } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { fill, finish, observe, openShop, type Shop } from '../support/cli.ts';
import { sendByKcat, sendByPython, withoutKcat, withoutPython } from '../support/peers.ts';
import { createTopic, testBrokers, testRegistry } from '../support/topics.ts';

async function shopWithTopic(): Promise<Shop> {
  const shop = openShop();
  fill(shop, { alice: 'paid', bob: 'unpaid' }, { book: 100, pen: 100 });
  await createTopic(shop.topic, 3);
  return shop;
}

const ITEM = {
  type: 'record',
  name: 'OrderItem',
  fields: [
    { name: 'item', type: 'string' },
    { name: 'quantity', type: 'int' },
    {
      name: 'unit_price',
      type: ['null', { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 }],
      default: null,
    },
  ],
};

/** orderctl's own schema. */
const ORDER = {
  type: 'record',
  name: 'Order',
  namespace: 'orderctl',
  fields: [
    { name: 'order_id', type: 'string' },
    { name: 'user', type: 'string' },
    { name: 'items', type: { type: 'array', items: ITEM } },
    { name: 'created_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
  ],
};

const CREATED_AT = 1_760_000_000_000;

function order(id: string, user: string, item: string, quantity: number, unitPrice: string | null): object {
  return {
    order_id: id,
    user,
    items: [{ item, quantity, unit_price: unitPrice }],
    created_at: CREATED_AT,
  };
}

/** Consumes and gives what is in the log, by id. */
async function accepted(shop: Shop, expected: Record<string, unknown>): Promise<Map<string, unknown>> {
  const { stdout, stderr } = await shop.ok('consume --until-end -o json');
  expect(JSON.parse(stdout), stderr).toMatchObject(expected);
  return new Map(shop.jsonl('orders.jsonl').map((line) => [line.order_id, line]));
}

describe.skipIf(withoutPython)('orders sent by confluent-kafka with its own Avro serializer', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('compression %s', async (compression) => {
    const shop = await shopWithTopic();
    const records = Array.from({ length: 30 }, (_, i) => order(`p-${i}`, 'alice', 'book', 1, '12.50'));
    await sendByPython({ topic: shop.topic, schema: ORDER, batches: [{ records }], compression });
    const log = await accepted(shop, { read: 30, accepted: 30, dead_lettered: 0 });
    expect(log.get('p-7')).toMatchObject({
      user: 'alice',
      items: [{ item: 'book', quantity: 1, unit_price: '12.50' }],
      created_at: new Date(CREATED_AT).toISOString(),
    });
    expect(shop.stock()).toEqual({ book: 70, pen: 100 });
  });

  test('OrderCreated of the com.tutorial.orders examples is validated as it is', async () => {
    const { topic } = openShop();
    const names = ['orders.created', 'orders.validated', 'orders.rejected'];
    const shop = openShop({ ORDERCTL_TOPICS: names.map((name) => `${name}=${topic}-${name}`).join() });
    fill(shop, { alice: 'paid' }, {});
    shop.write('inventory.csv', 'item,quantity,price\nP-567,100,12.50\n');
    await createTopic(`${topic}-orders.created`, 3);
    const decimal = { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 };
    const line = {
      type: 'record',
      name: 'OrderItem',
      fields: [
        { name: 'product_id', type: 'string' },
        { name: 'quantity', type: 'int' },
        { name: 'unit_price', type: decimal },
      ],
    };
    const schema = {
      type: 'record',
      name: 'OrderCreated',
      namespace: 'com.tutorial.orders',
      fields: [
        { name: 'order_id', type: 'string' },
        { name: 'customer_id', type: 'string' },
        { name: 'items', type: { type: 'array', items: line } },
        { name: 'total_amount', type: decimal },
        { name: 'shipping_address', type: 'string' },
        { name: 'created_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
      ],
    };
    const created = {
      order_id: 'C-1',
      customer_id: 'alice',
      total_amount: '37.50',
      created_at: CREATED_AT,
      items: [{ product_id: 'P-567', quantity: 3, unit_price: '12.50' }],
      shipping_address: 'Zürich',
    };
    await sendByPython({ topic: `${topic}-orders.created`, schema, batches: [{ records: [created] }] });
    await shop.ok('run validation --until-end');
    expect(shop.jsonl('checkout.jsonl')).toMatchObject([
      { ...created, step: 'validated', created_at: new Date(CREATED_AT).toISOString() },
    ]);
  });

  test('an older schema without a price and a newer one with fields that we do not know', async () => {
    const shop = await shopWithTopic();
    const older = {
      ...ORDER,
      fields: [
        ORDER.fields[0],
        ORDER.fields[1],
        {
          name: 'items',
          type: { type: 'array', items: { ...ITEM, fields: ITEM.fields.slice(0, 2) } },
        },
      ],
    };
    const newer = {
      ...ORDER,
      fields: [
        { name: 'channel', type: { type: 'enum', name: 'Channel', symbols: ['WEB', 'STORE'] } },
        ...ORDER.fields,
        { name: 'tags', type: { type: 'map', values: 'string' } },
      ],
    };
    const { items } = order('', '', 'pen', 3, null) as { items: object[] };
    await sendByPython({
      topic: shop.topic,
      schema: older,
      batches: [{ records: [{ order_id: 'old', user: 'alice', items: [{ item: 'pen', quantity: 2 }] }] }],
    });
    await sendByPython({
      topic: shop.topic,
      schema: newer,
      batches: [
        {
          records: [
            {
              order_id: 'new',
              user: 'alice',
              items,
              created_at: CREATED_AT,
              channel: 'WEB',
              tags: { a: 'b' },
            },
          ],
        },
      ],
    });
    const log = await accepted(shop, { read: 2, accepted: 2, dead_lettered: 0 });
    expect([...log.keys()].sort()).toEqual(['new', 'old']);
    expect(shop.stock()).toEqual({ book: 100, pen: 95 });
  });

  test('other record names, customer_id and product_id, a nullable and a longer type', async () => {
    const shop = await shopWithTopic();
    const schema = {
      type: 'record',
      name: 'PurchaseEvent',
      namespace: 'com.example.shop.v2',
      fields: [
        { name: 'order_id', type: 'string' },
        { name: 'customer_id', type: 'string' },
        {
          name: 'items',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'Position',
              fields: [
                { name: 'product_id', type: 'string' },
                { name: 'quantity', type: 'int' },
              ],
            },
          },
        },
        { name: 'created_at', type: 'string' },
      ],
    };
    const records = [
      {
        order_id: 'c-1',
        customer_id: 'alice',
        items: [{ product_id: 'book', quantity: 4 }],
        created_at: '2026-05-01T10:00:00Z',
      },
      {
        order_id: 'c-2',
        customer_id: 'bob',
        items: [{ product_id: 'book', quantity: 4 }],
        created_at: '2026-05-01T10:00:00Z',
      },
    ];
    await sendByPython({ topic: shop.topic, schema, batches: [{ records }] });
    const log = await accepted(shop, { read: 2, accepted: 1, rejected: 1, dead_lettered: 0 });
    expect(log.get('c-1')).toMatchObject({
      user: 'alice',
      items: [{ item: 'book', quantity: 4 }],
      created_at: '2026-05-01T10:00:00.000Z',
    });
    expect(shop.stock()).toEqual({ book: 96, pen: 100 });
  });

  test('a flat order of one item', async () => {
    const shop = await shopWithTopic();
    const schema = {
      type: 'record',
      name: 'FlatOrder',
      fields: [
        { name: 'order_id', type: 'string' },
        { name: 'user', type: 'string' },
        { name: 'item', type: 'string' },
        { name: 'quantity', type: 'int' },
      ],
    };
    const records = [{ order_id: 'f-1', user: 'alice', item: 'pen', quantity: 9 }];
    await sendByPython({ topic: shop.topic, schema, batches: [{ records }] });
    const log = await accepted(shop, { read: 1, accepted: 1 });
    expect(log.get('f-1')).toMatchObject({ items: [{ item: 'pen', quantity: 9 }] });
    expect(shop.stock()).toEqual({ book: 100, pen: 91 });
  });

  test('a transactional producer: aborted transactions between leave no trace, and the end is reached', async () => {
    const shop = await shopWithTopic();
    const batch = (prefix: string, abort: boolean): { records: object[]; abort: boolean } => ({
      records: Array.from({ length: 5 }, (_, i) => order(`${prefix}-${i}`, 'alice', 'book', 1, null)),
      abort,
    });
    await sendByPython({
      topic: shop.topic,
      schema: ORDER,
      transactional_id: `${shop.topic}-tx`,
      batches: [batch('t1', false), batch('aborted', true), batch('t2', false), batch('aborted-too', true)],
    });
    const log = await accepted(shop, { read: 10, accepted: 10, stopped_by: 'end' });
    expect([...log.keys()].filter((id) => id.startsWith('aborted'))).toEqual([]);
    expect(shop.stock()).toEqual({ book: 90, pen: 100 });
    // The control records at the end are behind us: nothing is left to wait for.
    const [again] = await shop.lines('consume --until-end');
    expect(again).toMatchObject({ read: 0, stopped_by: 'end' });
  });

  test('what orderctl sends, replayed beside theirs: one schema, one subject, every id once', async () => {
    const shop = await shopWithTopic();
    await shop.ok('produce --user alice --item book --quantity 1');
    await sendByPython({
      topic: shop.topic,
      schema: ORDER,
      batches: [{ records: [order('m-1', 'alice', 'book', 1, null)] }],
    });
    await accepted(shop, { read: 2, accepted: 2 });
    expect(shop.stock()).toEqual({ book: 98, pen: 100 });
  });
});

describe.skipIf(withoutKcat)('kcat', () => {
  test('orders in JSON, flat and with other names, and with a time as text', async () => {
    const shop = await shopWithTopic();
    const values = [
      { order_id: 'k-1', user: 'alice', items: [{ item: 'book', quantity: 2 }], created_at: CREATED_AT },
      { order_id: 'k-2', customer_id: 'alice', items: [{ product_id: 'pen', quantity: 1 }] },
      { order_id: 'k-3', user: 'alice', item: 'pen', quantity: 5, created_at: '2026-05-01T12:00:00+02:00' },
      { order_id: 'k-4', user: 'bob', item: 'pen', quantity: 5 },
      { order_id: 'k-5', user: 'alice', item: 'pen', quantity: 0.5 },
    ];
    await sendByKcat(
      shop.topic,
      values.map((value) => `${value.order_id}\t${JSON.stringify(value)}`),
    );
    const log = await accepted(shop, {
      read: 5,
      accepted: 3,
      rejected: 2,
      rejected_by_reason: { user_not_paid: 1, invalid_quantity: 1 },
      dead_lettered: 0,
    });
    expect(log.get('k-3')).toMatchObject({ created_at: '2026-05-01T10:00:00.000Z' });
    expect(shop.stock()).toEqual({ book: 98, pen: 94 });
  });

  test('reads what orderctl sends: the key is the order id, the value begins with the magic byte', async () => {
    const shop = await shopWithTopic();
    const [sent] = await shop.lines('produce --user alice --item book --quantity 2');
    const child = spawn('kcat', ['-C', '-b', testBrokers(), '-t', shop.topic, '-e', '-q', '-f', '%k %S\\n']);
    const { stdout, code, stderr } = await finish(observe(child, 'kcat'), 'kcat', 60_000);
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(new RegExp(`^${sent?.order_id ?? '-'} \\d+\\n$`));
  });
});

test('a registry is found by its address alone, though its Confluent API lies under a path', async () => {
  const shop = openShop({ ORDERCTL_REGISTRY: new URL(testRegistry()).origin });
  fill(shop, { alice: 'paid' }, { book: 5 });
  await shop.ok('produce --user alice --item book --quantity 1');
  await accepted(shop, { read: 1, accepted: 1 });
});
