import avro from 'avsc';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOrderCodec, type OrderCodecOptions } from '../../../src/adapters/avro/orders/codec.ts';
import { ORDER as ORDER_MESSAGE } from '../../../src/domain/messages/shop/order.ts';
import type { Failure } from '../../../src/domain/failure.ts';
import type { Order } from '../../../src/domain/orders/order.ts';
import type { DecodedRecord, OrderCodec } from '../../../src/ports/codec.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { fixText } from '../../support/ways-out.ts';

const OWN_SCHEMA = JSON.stringify(ORDER_MESSAGE.schema);

let registry: FakeRegistry;
let codec: OrderCodec;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  codec = open();
});
afterEach(() => registry.stop());

function open(options: Partial<OrderCodecOptions> = {}): OrderCodec {
  return createOrderCodec({
    url: registry.url,
    credentials: null,
    subject: 'orders-value',
    register: true,
    ...options,
  });
}

function record(value: Uint8Array | null) {
  return { offset: 0, timestamp: 99, key: null, value, headers: [] };
}

async function decode(value: Uint8Array | null): Promise<DecodedRecord> {
  const [decoded] = await codec.decode([record(value)]);
  if (decoded === undefined) throw new Error('nothing was decoded');
  return decoded;
}

/** A value as another program's serializer makes it. */
function written(schema: unknown, value: unknown, id = registry.add('theirs', schema)): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  const type = avro.Type.forSchema(schema as avro.Schema);
  return Buffer.concat([header, type.toBuffer(value)]);
}

async function order(value: Uint8Array): Promise<Order> {
  const decoded = await decode(value);
  if (decoded.kind !== 'message') throw new Error(`${decoded.code}: ${decoded.message}`);
  return decoded.value;
}

async function deadLetter(value: Uint8Array | null) {
  const decoded = await decode(value);
  if (decoded.kind !== 'dead_letter') throw new Error(`decoded: ${JSON.stringify(decoded.value)}`);
  return decoded;
}

function failureOf(run: Promise<unknown>): Promise<Failure> {
  return run.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Failure,
  );
}

const alice: Order = {
  orderId: 'ORD-1',
  user: 'alice',
  items: [
    { item: 'book', quantity: 2, unitPrice: '12.50' },
    { item: 'pen', quantity: -7, unitPrice: null },
  ],
  createdAt: 1_795_266_927_378,
};
const theirItem = {
  type: 'record',
  name: 'Line',
  fields: [
    { name: 'item', type: 'string' },
    { name: 'quantity', type: 'int' },
  ],
};
const theirs = (fields: unknown[], name = 'Purchase') => ({
  type: 'record',
  name,
  namespace: 'shop',
  fields,
});

it('reads an order of nobody where orders need no user, in our layout, in JSON and in another schema', async () => {
  const nobody = { ...alice, user: '' };
  const [ours = Buffer.alloc(0)] = await codec.encode([nobody]);
  const bare = { order_id: 'ORD-1', product_id: 'P-567', quantity: 3 };
  const json = Buffer.from(JSON.stringify(bare));
  const fields = [
    { name: 'order_id', type: 'string' },
    { name: 'product_id', type: 'string' },
    { name: 'quantity', type: 'int' },
  ];
  const theirs = written({ type: 'record', name: 'Sale', fields }, bare);
  for (const value of [ours, json, theirs]) expect(await deadLetter(value)).toBeDefined();

  codec = open({ users: 'optional' });
  expect(await order(ours)).toEqual(nobody);
  const read = { orderId: 'ORD-1', user: '', items: [{ item: 'P-567', quantity: 3, unitPrice: null }] };
  for (const value of [json, theirs]) expect(await order(value)).toMatchObject(read);
  const [named = Buffer.alloc(0)] = await codec.encode([alice]);
  expect(await order(named)).toEqual(alice);
});

describe('orders of our own schema', () => {
  const anyName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,40}$/);
  const anyPrice = fc.integer({ min: 0, max: 10 ** 10 - 1 }).map((cents) => (cents / 100).toFixed(2));
  const anyOrder: fc.Arbitrary<Order> = fc.record({
    orderId: anyName,
    user: anyName,
    items: fc.array(
      fc.record({
        item: anyName,
        quantity: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer()),
        unitPrice: fc.option(anyPrice),
      }),
      { maxLength: 5 },
    ),
    createdAt: fc.oneof(
      fc.integer({ min: 0, max: 2 ** 45 }),
      fc.integer({ min: -(2 ** 52) + 1, max: 2 ** 52 - 1 }),
    ),
  });

  it('come back as they were, and are what Avro itself reads', async () => {
    const type = avro.Type.forSchema(JSON.parse(OWN_SCHEMA) as avro.Schema);
    await fc.assert(
      fc.asyncProperty(fc.array(anyOrder, { maxLength: 20 }), async (orders) => {
        const values = await codec.encode(orders);
        const decoded = await codec.decode(values.map(record));
        expect(decoded).toEqual(orders.map((given) => ({ kind: 'message', value: given })));
        for (const [i, value] of values.entries()) {
          const read = type.fromBuffer(Buffer.from(value).subarray(5)) as {
            order_id: string;
            created_at: number;
          };
          expect([read.order_id, read.created_at]).toEqual([orders[i]?.orderId, orders[i]?.createdAt]);
        }
      }),
    );
  });

  it('come back when a batch is larger than a buffer, and one order too', async () => {
    const items = Array.from({ length: 40_000 }, (_, i) => ({
      item: `item-${i}`,
      quantity: 1,
      unitPrice: null,
    }));
    const orders = [
      alice,
      { ...alice, orderId: 'LARGE', items },
      ...Array.from({ length: 9_000 }, () => alice),
    ];
    const decoded = await codec.decode((await codec.encode(orders)).map(record));
    expect(decoded.map((entry) => entry.kind === 'message' && entry.value)).toEqual(orders);
  });

  it('are refused when the schema cannot hold them', async () => {
    const broken = { ...alice, items: [{ item: 'pen', quantity: 1.5, unitPrice: null }] };
    expect(await failureOf(codec.encode([broken]))).toMatchObject({
      code: 'invalid_value',
      context: { orderId: 'ORD-1' },
    });
  });
});

describe('orders of other schemas', () => {
  it('count by fields: other record names, other order, more fields of any type', async () => {
    const schema = theirs([
      { name: 'noise', type: { type: 'map', values: ['null', 'long', { type: 'array', items: 'double' }] } },
      { name: 'created_at', type: 'long' },
      { name: 'items', type: { type: 'array', items: theirItem } },
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['A', 'B'] } },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 3 } },
      { name: 'self', type: ['null', 'shop.Purchase'], default: null },
      { name: 'order_id', type: 'string' },
      { name: 'flag', type: 'boolean' },
      { name: 'ratio', type: 'float' },
      { name: 'user', type: ['null', 'string'] },
    ]);
    const inner = {
      noise: {},
      created_at: 1,
      items: [],
      kind: 'B',
      hash: Buffer.from('abc'),
      self: null,
      order_id: 'inner',
      flag: true,
      ratio: 0.5,
      user: null,
    };
    const value = {
      ...inner,
      noise: { a: 2 ** 45, b: [1, 2], c: null },
      items: [{ item: 'book', quantity: 2 }],
      self: inner,
      order_id: 'ORD-9',
      user: 'alice',
    };
    expect(await order(written(schema, value))).toEqual({
      orderId: 'ORD-9',
      user: 'alice',
      items: [{ item: 'book', quantity: 2, unitPrice: null }],
      createdAt: 1,
    });
  });

  it.each<[string, unknown[], object, Partial<Order>]>([
    [
      'aliases and the flat form',
      ['customer_id', 'product_id'],
      { customer_id: 'alice', product_id: 'pen', quantity: 3 },
      { user: 'alice', items: [{ item: 'pen', quantity: 3, unitPrice: null }], createdAt: 99 },
    ],
    [
      'an ISO time',
      ['user', 'item', 'created_at'],
      { user: 'a', item: 'pen', quantity: 3, created_at: '1970-01-01T00:00:01Z' },
      { createdAt: 1000 },
    ],
  ])('count with %s', async (_, names, value, expected) => {
    const schema = theirs([
      { name: 'order_id', type: 'string' },
      ...names.map((name) => ({ name, type: 'string' })),
      { name: 'quantity', type: 'int' },
    ]);
    expect(await order(written(schema, { order_id: 'X', ...value }))).toMatchObject({
      orderId: 'X',
      ...expected,
    });
  });

  it.each<[unknown, unknown, number]>([
    ['long', 5, 5],
    ['double', 1.5, 1.5],
    ['float', -2, -2],
    [['null', 'long'], 7, 7],
  ])('keep a quantity of type %j as the number it is', async (type, given, expected) => {
    const schema = theirs([
      { name: 'order_id', type: 'string' },
      { name: 'user', type: 'string' },
      { name: 'item', type: 'string' },
      { name: 'quantity', type },
    ]);
    const value = { order_id: 'X', user: 'a', item: 'pen', quantity: given };
    expect((await order(written(schema, value))).items[0]?.quantity).toBe(expected);
  });

  it.each<[unknown, unknown, string | null]>([
    [
      { type: 'bytes', logicalType: 'decimal', precision: 12, scale: 4 },
      Buffer.from([0x01, 0xe8, 0x48]),
      '12.50',
    ],
    [
      { type: 'fixed', name: 'F', size: 4, logicalType: 'decimal', precision: 9, scale: 2 },
      Buffer.from([0, 0, 4, 0xe2]),
      '12.50',
    ],
    [{ type: 'bytes', logicalType: 'decimal', precision: 4, scale: 0 }, Buffer.from([7]), '7.00'],
    ['string', '3.5', '3.50'],
    ['double', 0.25, '0.25'],
    ['null', null, null],
  ])('read a price of type %j', async (type, given, expected) => {
    const schema = theirs([
      { name: 'order_id', type: 'string' },
      { name: 'user', type: 'string' },
      { name: 'item', type: 'string' },
      { name: 'quantity', type: 'int' },
      { name: 'unit_price', type },
    ]);
    const value = { order_id: 'X', user: 'a', item: 'pen', quantity: 1, unit_price: given };
    expect((await order(written(schema, value))).items[0]?.unitPrice).toBe(expected);
  });

  it('read our own fields when only the scale of the price differs', async () => {
    const schema = OWN_SCHEMA.replace('"scale":2', '"scale":3');
    const value = {
      order_id: 'X',
      user: 'a',
      items: [{ item: 'pen', quantity: 1, unit_price: Buffer.from([0x30, 0xd4]) }],
      created_at: 5,
    };
    expect((await order(written(JSON.parse(schema), value))).items[0]?.unitPrice).toBe('12.50');
  });

  it('read times in finer units', async () => {
    const fields = (logicalType: string) => [
      { name: 'order_id', type: 'string' },
      { name: 'user', type: 'string' },
      { name: 'item', type: 'string' },
      { name: 'quantity', type: 'int' },
      { name: 'created_at', type: { type: 'long', logicalType } },
    ];
    const value = { order_id: 'X', user: 'a', item: 'pen', quantity: 1, created_at: 1_795_266_927_378_123 };
    expect(await order(written(theirs(fields('timestamp-micros')), value))).toMatchObject({
      createdAt: 1_795_266_927_378,
    });
    expect(
      await order(written(theirs(fields('timestamp-millis')), { ...value, created_at: 5 })),
    ).toMatchObject({ createdAt: 5 });
  });

  it('follow references between schemas', async () => {
    registry.add('lines', { ...theirItem, namespace: 'shop' });
    const id = registry.add(
      'theirs',
      theirs([
        { name: 'order_id', type: 'string' },
        { name: 'user', type: 'string' },
        { name: 'items', type: { type: 'array', items: 'shop.Line' } },
      ]),
      { references: [{ name: 'shop.Line', subject: 'lines', version: 1 }] },
    );
    const whole = theirs([
      { name: 'order_id', type: 'string' },
      { name: 'user', type: 'string' },
      { name: 'items', type: { type: 'array', items: { ...theirItem, namespace: 'shop' } } },
    ]);
    const value = { order_id: 'X', user: 'a', items: [{ item: 'pen', quantity: 4 }] };
    expect((await order(written(whole, value, id))).items).toEqual([
      { item: 'pen', quantity: 4, unitPrice: null },
    ]);
  });
});

describe('JSON', () => {
  it('is recognised by its first byte', async () => {
    const json =
      '{"order_id":"J","customer_id":"bob","product_id":"pen","quantity":1,"extra":{"deep":[[[]]]}}';
    expect(await order(Buffer.from(json))).toMatchObject({ orderId: 'J', user: 'bob', createdAt: 99 });
  });

  it('with a quantity beyond any number is an order, to be rejected', async () => {
    const json = '{"order_id":"a","user":"b","item":"x","quantity":1e999}';
    expect((await order(Buffer.from(json))).items[0]?.quantity).toBe(Infinity);
  });

  it.each([
    ['{"order_id":', 'undecodable'],
    ['{"order_id":"a"}', 'missing_field'],
    ['{"order_id":"a","user":"=1+1","item":"x","quantity":1}', 'invalid_name'],
    ['{"order_id":"a","user":"b","item":"x","quantity":"1"}', 'invalid_field'],
    ['{"order_id":"a","user":"b","item":"x","quantity":true}', 'invalid_field'],
    ['{"__proto__":{"order_id":"a","user":"b","item":"x","quantity":1}}', 'missing_field'],
  ])('that is no order is a dead letter: %s', async (json, code) => {
    expect((await deadLetter(Buffer.from(json))).code).toBe(code);
  });
});

describe('the registry', () => {
  const own = async (): Promise<Uint8Array> => {
    const [value] = await codec.encode([alice]);
    if (value === undefined) throw new Error('nothing was encoded');
    return value;
  };

  it('gets our schema once, and answers for it after that', async () => {
    await codec.encode([alice]);
    await codec.encode([alice]);
    await open().encode([alice]);
    expect(registry.requests.filter((request) => request.endsWith('/versions'))).toHaveLength(1);
    expect(registry.subjects.get('orders-value')).toHaveLength(1);
  });

  it('is asked for each id once', async () => {
    const value = await own();
    const fresh = open();
    await fresh.decode([record(value), record(value)]);
    await fresh.decode([record(value)]);
    expect(registry.requests.filter((request) => request.startsWith('GET /schemas'))).toHaveLength(1);
  });

  it('that knows no such id makes a dead letter, and is not asked again for each', async () => {
    const value = Buffer.concat([Buffer.from([0, 0, 0, 1, 0]), Buffer.from('x')]);
    expect((await deadLetter(value)).code).toBe('unknown_schema_id');
    await deadLetter(value);
    expect(registry.requests.filter((request) => request.startsWith('GET /schemas'))).toHaveLength(1);
  });

  it('that fails or is away is no verdict on the record', async () => {
    const value = await own();
    codec = open();
    for (const status of [500, 503, 429]) {
      registry.failWith = status;
      expect(await failureOf(codec.decode([record(value)]))).toMatchObject({ code: 'registry_unreachable' });
    }
    registry.failWith = 404;
    expect(await failureOf(codec.decode([record(value)]))).toMatchObject({ code: 'registry_refused' });
    registry.failWith = null;
    expect((await decode(value)).kind).toBe('message');
    const gone = await FakeRegistry.start();
    const url = gone.url;
    await gone.stop();
    codec = open({ url: url });
    expect(await failureOf(codec.decode([record(value)]))).toMatchObject({ code: 'registry_unreachable' });
    expect(await failureOf(codec.encode([alice]))).toMatchObject({ code: 'registry_unreachable' });
  });

  it('that fails is asked again: Apicurio does while another process registers the same schema', async () => {
    registry.failWith = 500;
    registry.fails = 2;
    expect(await order(await own())).toEqual(alice);
    registry.fails = 3;
    const failure = await failureOf(open().encode([alice]));
    expect(failure).toMatchObject({
      code: 'registry_unreachable',
      message: expect.stringContaining('fails: it answers 500') as unknown,
    });
  });

  it('gets our credentials, and a refusal names the setting', async () => {
    registry.credentials = 'me:secret';
    const failure = await failureOf(codec.encode([alice]));
    expect(failure).toMatchObject({ code: 'registry_refused' });
    expect(fixText(failure)).toContain('ORDERCTL_REGISTRY_PASSWORD');
    codec = open({ credentials: { username: 'me', password: 'secret' } });
    expect(await order(await own())).toEqual(alice);
  });

  it('may have its API under a path of its own, which is found', async () => {
    registry.prefix = '/apis/ccompat/v7';
    expect(await order(await own())).toEqual(alice);
    codec = open({ url: `${registry.url}/apis/ccompat/v7/` });
    expect(await order(await own())).toEqual(alice);
  });

  it('that finds our schema incompatible, or may not be written to, is said so', async () => {
    registry.incompatible = 'READER_FIELD_MISSING_DEFAULT_VALUE';
    const failure = await failureOf(codec.encode([alice]));
    expect(failure).toMatchObject({ code: 'incompatible_schema' });
    expect(failure.message).toContain('READER_FIELD_MISSING_DEFAULT_VALUE');
    codec = open({ register: false });
    expect(await failureOf(codec.encode([alice]))).toMatchObject({ code: 'not_found' });
  });

  it.each<[string, unknown, object]>([
    ['no Avro', '{"type":"object"}', { schemaType: 'JSON' }],
    ['not JSON', '{', {}],
    ['no schema', '{"type":"nonsense"}', {}],
    ['too deep', `${'{"type":"array","items":'.repeat(20_000)}"int"${'}'.repeat(20_000)}`, {}],
  ])('with a schema that is %s makes a dead letter', async (_, schema, rest) => {
    const id = registry.add('theirs', schema, rest);
    const dead = await deadLetter(Buffer.from([0, 0, 0, 0, id, 1, 2, 3]));
    expect(dead).toMatchObject({ code: 'undecodable', stage: 'decode' });
    expect(dead.message).toContain(`schema ${id}`);
    expect(dead.message.length).toBeLessThan(300);
  });
});
