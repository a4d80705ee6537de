import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createInspector } from '../../../src/adapters/avro/inspect.ts';
import { createSchemaTools } from '../../../src/adapters/avro/schema-tools.ts';
import type { BrokerRecord } from '../../../src/ports/broker.ts';
import type { DecodedRecord, OrderCodec } from '../../../src/ports/codec.ts';
import { avroBytes, field, framed, recordSchema } from '../../support/avro-values.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { orderCodecOn } from '../../support/order-codec.ts';

/* Orders as programs that are not ours send them: their names, prices, times and framings. */

let registry: FakeRegistry;
let codec: OrderCodec;

beforeEach(async () => {
  registry = await FakeRegistry.start();
  codec = orderCodecOn(registry);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await registry.stop();
});

async function decode(value: Uint8Array, rest: Partial<BrokerRecord> = {}): Promise<DecodedRecord> {
  const [decoded] = await codec.decode([
    { offset: 0, timestamp: 99, key: null, value, headers: [], ...rest },
  ]);
  if (decoded === undefined) throw new Error('nothing was decoded');
  return decoded;
}

const NAMES = [field('order_id', 'string'), field('user', 'string'), field('item', 'string')];
const FLAT = { order_id: 'X', user: 'alice', item: 'pen', quantity: 2 };

/** A flat order with some fields of other types than ours. */
async function flat(types: Record<string, unknown>, values: object): Promise<DecodedRecord> {
  const fields = { order_id: 'string', user: 'string', item: 'string', quantity: 'int', ...types };
  const schema = recordSchema('Flat', ...Object.entries(fields).map(([name, type]) => field(name, type)));
  return decode(framed(registry.add('theirs', schema), avroBytes(schema, { ...FLAT, ...values })));
}

describe('names', () => {
  const plainLine = recordSchema('Line', field('item', 'string'), field('quantity', 'int'));
  const plain = recordSchema(
    'Order',
    field('order_id', 'string'),
    field('user', 'string'),
    field('kind', { type: 'enum', name: 'Kind', symbols: ['a', 'b'] }),
    field('none', ['null', { type: 'enum', name: 'None', symbols: ['a'] }]),
    field('hash', { type: 'fixed', name: 'Hash', size: 2 }),
    field('items', { type: 'array', items: plainLine }),
    field('again', ['null', 'Line']),
    field('created_at', 'long'),
  );
  const value = {
    order_id: 'X',
    user: 'alice',
    kind: 'b',
    none: null,
    hash: Buffer.from([1, 2]),
    items: [{ item: 'pen', quantity: 2 }],
    again: { item: 'no', quantity: 1 },
    created_at: 7,
  };

  /** The same layout with these names. */
  function named(odd: string, namespace: string, line: string): object {
    return {
      ...recordSchema(
        odd,
        field('order_id', 'string', { aliases: [odd, ''] }),
        field('user', 'string'),
        field(odd === 'user' ? 'kind' : odd, { type: 'enum', name: `${odd}E`, symbols: [odd, 'ü-1'] }),
        field('none', ['null', { type: 'enum', name: 'None', symbols: [] }]),
        field('hash', { type: 'fixed', name: `${odd}F`, size: 2, aliases: [`${odd} G`] }),
        field('items', {
          type: 'array',
          items: {
            ...recordSchema(line, field('item', 'string'), field('quantity', 'int')),
            aliases: [odd, 'x-y.z 1'],
          },
        }),
        field('again', ['null', line === 'string' ? `${namespace}.string` : line]),
        field('created_at', 'long'),
      ),
      namespace,
      aliases: [`${namespace}.${odd}`],
    };
  }

  it.each([
    ['a hyphen in the namespace', 'Order', 'my-shop.orders', 'Line'],
    ['parts that begin with a digit', 'Order', '1shop.2024', 'Line'],
    ['spaces', 'my order', 'my shop', 'a line'],
    ['hyphens everywhere', 'my-order', 'my-shop', 'my-line'],
    ['a digit first', '1order', 'shop', '2line'],
    ['empty parts', 'Order', 'shop..orders', 'Line'],
    ['an empty name', '', 'shop', 'Line'],
    ['letters of other scripts', 'Bestellüng', 'größe.заказ', '注文'],
    ['a record that is called string in its namespace', 'Order', 'shop', 'string'],
    ['names that objects have', '__proto__', 'constructor', 'toString'],
    ['a name of one of our fields', 'user', 'items', 'quantity'],
  ])('that libraries take are read, and are a schema: %s', async (_what, odd, namespace, line) => {
    const schema = named(odd, namespace, line);
    const id = registry.add('theirs', schema);
    const bytes = framed(id, avroBytes(plain, value));
    expect(await decode(bytes)).toEqual({
      kind: 'message',
      value: {
        orderId: 'X',
        user: 'alice',
        items: [{ item: 'pen', quantity: 2, unitPrice: null }],
        createdAt: 7,
      },
    });
    const options = { url: registry.url, credentials: null };
    const { fields, error } = await createInspector(options).inspect({ value: bytes, headers: [] });
    expect(error).toBeNull();
    expect(fields.map(({ path }) => path)).toContain(odd === 'user' ? 'kind' : odd);
    expect(fields.map((each) => each.value)).toContain('"ü-1"');
    const tools = createSchemaTools(options);
    const text = JSON.stringify(schema);
    expect(() => tools.validate(text, 'theirs.avsc')).not.toThrow();
    expect(tools.differences(text, text)).toEqual([]);
  });

  it('of an enum without symbols are of none: a value cannot be', async () => {
    const bytes = framed(
      registry.add('theirs', named('a', 'b', 'c')),
      avroBytes(plain, { ...value, none: 'a' }),
    );
    expect(await decode(bytes)).toMatchObject({ code: 'undecodable', message: /there is no symbol 0/ });
  });

  it.each([
    ['of no type', '"nothing"'],
    ['in another namespace', '{"type":"array","items":"shop.Line"}'],
    ['that are no text', '{"type":"record","name":1,"fields":[]}'],
    ['of fields that are none', '{"type":"record","name":"R","fields":[{"type":"int"}]}'],
    ['of no fields', '{"type":"record","name":"R"}'],
    ['of no symbols', '{"type":"enum","name":"E"}'],
    ['without a size', '{"type":"fixed","name":"F","size":-1}'],
    ['in a schema without a type', '{"items":"int"}'],
    ['in a number', '5'],
  ])('%s are no schema', (_what, text) => {
    const tools = createSchemaTools({ url: registry.url, credentials: null });
    expect(() => tools.validate(text, 'theirs.avsc')).toThrow(/theirs\.avsc is not a valid Avro schema: /);
  });

  it('an alias counts where no field has the name itself, and not beside it', async () => {
    expect(await flat({ who: 'string' }, { who: 'bob' })).toMatchObject({ value: { user: 'alice' } });
    const beside = recordSchema('R', ...NAMES, field('quantity', 'int'), field('who', 'string'));
    const bytes = avroBytes(beside, { ...FLAT, who: 'bob' });
    const fields = beside.fields as object[];
    const aliased = (of: object[]) => ({
      ...beside,
      fields: [...of, field('who', 'string', { aliases: ['user'] })],
    });
    const both = registry.add('theirs', aliased(fields.slice(0, -1)));
    expect(await decode(framed(both, bytes))).toMatchObject({ value: { user: 'alice' } });
    const renamed = fields.slice(0, -1).map((each) => {
      return 'name' in each && each.name === 'user' ? field('wer', 'string') : each;
    });
    const alone = registry.add('theirs', aliased(renamed));
    expect(await decode(framed(alone, bytes))).toMatchObject({ value: { user: 'bob' } });
  });
});

describe('prices', () => {
  const decimal = (type: string | object, scale?: number, precision = 40) => ({
    ...(typeof type === 'string' ? { type } : type),
    logicalType: 'decimal',
    precision,
    ...(scale === undefined ? {} : { scale }),
  });
  const fixed = (size: number) => ({ type: 'fixed', name: 'F', size });

  it.each<[unknown, unknown, string]>([
    ['float', 12.3, '12.30'],
    ['double', 4.8999999999999995, '4.90'],
    ['int', 12, '12.00'],
    ['long', -3, '-3.00'],
    ['string', '12.345', '12.34'],
    [decimal('bytes'), Buffer.from([12]), '12.00'],
    [decimal('bytes', 3), Buffer.from([0x30, 0x39]), '12.34'],
    [decimal('bytes', 0), Buffer.from([]), '0.00'],
    [decimal('bytes', 30), Buffer.from((125n * 10n ** 29n).toString(16).padStart(28, '0'), 'hex'), '12.50'],
    [decimal('bytes', 40), Buffer.from((125n * 10n ** 39n).toString(16).padStart(36, '0'), 'hex'), '12.50'],
    [decimal(fixed(32), 2), Buffer.concat([Buffer.alloc(30), Buffer.from([4, 226])]), '12.50'],
    [decimal(fixed(32), 2), Buffer.concat([Buffer.alloc(30, 255), Buffer.from([251, 30])]), '-12.50'],
    [['null', 'double'], 0.125, '0.12'],
  ])('of type %j are rounded to two places', async (type, given, expected) => {
    const decoded = await flat({ unit_price: type }, { unit_price: given });
    expect(decoded).toMatchObject({ value: { items: [{ unitPrice: expected }] } });
    expect(decoded).not.toHaveProperty('ignored');
  });

  it.each<[unknown, unknown]>([
    ['float', NaN],
    ['double', Infinity],
    ['double', 1e8],
    ['long', 100_000_000],
    ['string', '12,50'],
    ['string', ''],
    ['boolean', true],
    ['bytes', Buffer.from('12.50')],
    [fixed(2), Buffer.from('12')],
    [{ type: 'array', items: 'int' }, [1]],
    [{ type: 'map', values: 'double' }, { amount: 1 }],
    [recordSchema('Price', field('amount', 'double')), { amount: 1 }],
    [decimal('bytes', 2), Buffer.from([0x02, 0x54, 0x0b, 0xe4, 0x00])],
    [decimal(fixed(600), 2), Buffer.alloc(600, 1)],
  ])('that are none, of type %j, decide nothing', async (type, given) => {
    expect(await flat({ unit_price: type }, { unit_price: given })).toMatchObject({
      kind: 'message',
      value: { items: [{ item: 'pen', quantity: 2, unitPrice: null }] },
      ignored: { count: 1, message: /^unit_price of pen is .*, not an amount/ },
    });
  });

  it('beyond ten digits in our own layout decide nothing', async () => {
    const own = await codec.encode([
      {
        orderId: 'X',
        user: 'alice',
        items: [{ item: 'pen', quantity: 1, unitPrice: '99999999.99' }],
        createdAt: 1,
      },
    ]);
    const value = Buffer.from(own[0] ?? []);
    const at = value.indexOf(Buffer.from([0x02, 0x54, 0x0b, 0xe3, 0xff]));
    value[at + 4] = 0xff;
    value[at + 1] = 0x7f;
    expect(await decode(value)).toMatchObject({
      value: { items: [{ unitPrice: null }] },
      ignored: { count: 1 },
    });
  });

  it.each([
    '12.3',
    '4.8999999999999995',
    '"12.345"',
    '100000001',
    '"12,50"',
    '""',
    '{"amount":1}',
    '[]',
    'true',
  ])('in JSON decide nothing: %s', async (price) => {
    const json = `{"order_id":"X","user":"alice","item":"pen","quantity":2,"unit_price":${price}}`;
    expect(await decode(Buffer.from(json))).toMatchObject({ kind: 'message', value: { orderId: 'X' } });
  });
});

describe('times', () => {
  const MS = Date.parse('2026-08-20T05:45:04.123Z');
  const of = (type: string, logicalType: string) => ({ type, logicalType });

  it.each<[unknown, unknown, number]>([
    [of('long', 'timestamp-millis'), MS, MS],
    [of('long', 'timestamp-micros'), MS * 1_000 + 999, MS],
    [of('long', 'local-timestamp-millis'), MS, MS],
    [of('long', 'local-timestamp-micros'), MS * 1_000, MS],
    [of('long', 'timestamp-micros'), -1, -1],
    [of('int', 'date'), 20_000, Date.parse('2024-10-04')],
    [of('int', 'date'), -1, -86_400_000],
    ['long', MS, MS],
    ['double', MS, MS],
    ['bytes', Buffer.from('2026-08-20T05:45:04.123Z'), MS],
    ['string', '2026-08-20T05:45:04.123', MS],
    [['null', of('int', 'date')], null, 99],
  ])('of type %j are moments', async (type, given, expected) => {
    expect(await flat({ created_at: type }, { created_at: given })).toMatchObject({
      value: { createdAt: expected },
    });
  });

  it.each(['timestamp-nanos', 'local-timestamp-nanos'])(
    'in nanoseconds are exact: %s',
    async (logicalType) => {
      const schema = recordSchema(
        'R',
        ...NAMES,
        field('quantity', 'int'),
        field('created_at', of('long', logicalType)),
      );
      const nanos: number[] = [];
      let raw = BigInt(MS) * 1_000_000n * 2n;
      for (; raw > 0x7fn; raw >>= 7n) nanos.push(Number(raw & 0x7fn) | 0x80);
      nanos.push(Number(raw));
      const head = avroBytes(recordSchema('R', ...NAMES, field('quantity', 'int')), FLAT);
      const value = framed(registry.add('theirs', schema), head, Buffer.from(nanos));
      expect(await decode(value)).toMatchObject({ value: { createdAt: MS } });
    },
  );

  it.each<[unknown, unknown, RegExp]>([
    [of('int', 'time-millis'), 5_000, /created_at is "a time without a date"/],
    [of('long', 'time-micros'), 5_000, /created_at is "a time without a date"/],
    ['string', '2026-02-30', /not a time that exists/],
    ['string', '2026-01-01T24:00:01', /not a time that exists/],
    ['double', 1.5, /created_at is 1.5/],
    ['double', NaN, /created_at is NaN/],
    [of('long', 'timestamp-millis'), 9e15, /created_at is 9000000000000000/],
  ])('of type %j that are none make dead letters', async (type, given, message) => {
    expect(await flat({ created_at: type }, { created_at: given })).toMatchObject({
      code: 'invalid_field',
      message,
    });
  });

  it('of the record count where the order names none, and none of −1 or beyond what a date can be', async () => {
    const value = Buffer.from('{"order_id":"X","user":"alice","item":"pen","quantity":2}');
    const madeAt = async (timestamp: number) => {
      const decoded = await decode(value, { timestamp });
      return decoded.kind === 'message' ? decoded.value.createdAt : decoded.message;
    };
    expect(await madeAt(0)).toBe(0);
    expect(await madeAt(8.64e15)).toBe(8.64e15);
    expect(await madeAt(-1)).toBeNaN();
    expect(await madeAt(8.64e15 + 1)).toBeNaN();
  });
});

describe('texts and numbers', () => {
  it('bytes are promoted to text, fixed are not', async () => {
    const bytes = Object.fromEntries(['order_id', 'user', 'item'].map((name) => [name, 'bytes']));
    const values = Object.fromEntries(
      Object.entries(FLAT).map(([name, value]) => [
        name,
        typeof value === 'string' ? Buffer.from(value) : value,
      ]),
    );
    expect(await flat(bytes, values)).toMatchObject({
      value: { orderId: 'X', user: 'alice', items: [{ item: 'pen' }] },
    });
    expect(await flat({ order_id: ['null', 'bytes'] }, { order_id: Buffer.from('Y') })).toMatchObject({
      value: { orderId: 'Y' },
    });
    expect(await flat({ order_id: 'bytes' }, { order_id: Buffer.from([0xff]) })).toMatchObject({
      code: 'invalid_name',
    });
    const fixed = { type: 'fixed', name: 'F', size: 1 };
    expect(await flat({ order_id: fixed }, { order_id: Buffer.from('X') })).toMatchObject({
      code: 'invalid_field',
    });
  });

  it.each<[unknown, unknown, number]>([
    ['double', NaN, NaN],
    ['float', Infinity, Infinity],
    ['double', -Infinity, -Infinity],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 1 }, Buffer.from([20]), 2],
    [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 1 }, Buffer.from([15]), 1.5],
  ])('a quantity of type %j may be any number', async (type, given, expected) => {
    const decoded = await flat({ quantity: type }, { quantity: given });
    expect(decoded.kind === 'message' && decoded.value.items[0]?.quantity).toBe(expected);
  });

  it.each<[unknown, unknown]>([
    ['string', '2'],
    ['boolean', true],
    ['bytes', Buffer.from('2')],
  ])('a quantity of type %j is none', async (type, given) => {
    expect(await flat({ quantity: type }, { quantity: given })).toMatchObject({ code: 'invalid_field' });
  });
});

describe('JSON behind a schema id', () => {
  const json = Buffer.from(JSON.stringify(FLAT));
  const order = { kind: 'message', value: { orderId: 'X', items: [{ item: 'pen', quantity: 2 }] } };
  const inspect = (value: Uint8Array) =>
    createInspector({ url: registry.url, credentials: null }).inspect({ value, headers: [] });

  it('is read as JSON for a JSON schema, and says where it is none', async () => {
    const id = registry.add('theirs', { type: 'object' }, { schemaType: 'JSON' });
    expect(await decode(framed(id, json))).toMatchObject(order);
    expect(await decode(framed(id, Buffer.from(' '), json))).toMatchObject(order);
    expect(await decode(framed(id, json.subarray(1)))).toMatchObject({
      code: 'undecodable',
      message: expect.stringContaining(`(schema ${id})`) as string,
    });
    expect(await decode(framed(id, Buffer.from('[]')))).toMatchObject({ code: 'invalid_field' });
    expect(await inspect(framed(id, json))).toMatchObject({ format: 'json', schemaId: id, error: null });
    expect(await inspect(framed(id, Buffer.from('{"a"')))).toMatchObject({
      format: 'json',
      error: { position: 9 },
    });
  });

  it('is read as JSON where the registry does not say so, but it is no Avro', async () => {
    const untold = registry.add('theirs', { type: 'object', properties: {} });
    expect(await decode(framed(untold, json))).toMatchObject(order);
    const avro = registry.add('theirs', recordSchema('R', ...NAMES));
    expect(await decode(framed(avro, json))).toMatchObject(order);
    expect(await inspect(framed(avro, json))).toMatchObject({ format: 'json', schemaId: avro, error: null });
    expect(await decode(framed(avro, json.subarray(0, -1)))).toMatchObject({
      code: 'undecodable',
      message: expect.stringContaining('byte 6: -62 is not a length') as string,
    });
    expect(await decode(framed(9_999, json))).toMatchObject({ code: 'unknown_schema_id' });
  });

  it('is not what Avro can be read from, brace or not', async () => {
    const schema = recordSchema('R', field('n', 'int'), ...NAMES, field('quantity', 'int'));
    const value = framed(registry.add('theirs', schema), avroBytes(schema, { ...FLAT, n: -62 }));
    expect(value[5]).toBe(0x7b);
    expect(await decode(value)).toMatchObject(order);
  });
});

describe('a schema id that the registry does not know yet', () => {
  it('is asked for again some seconds later, and its orders are read from then on', async () => {
    const now = vi.spyOn(performance, 'now').mockReturnValue(1_000);
    const asked = () => registry.requests.filter((request) => request.startsWith('GET /schemas')).length;
    const schema = recordSchema('R', ...NAMES, field('quantity', 'int'));
    const value = framed(1, avroBytes(schema, FLAT));
    expect(await decode(value)).toMatchObject({ code: 'unknown_schema_id' });
    expect(registry.add('theirs', schema)).toBe(1);
    now.mockReturnValue(5_999);
    expect(await decode(value)).toMatchObject({ code: 'unknown_schema_id' });
    expect(asked()).toBe(1);
    now.mockReturnValue(6_000);
    expect(await decode(value)).toMatchObject({ kind: 'message', value: { orderId: 'X' } });
    expect(await decode(value)).toMatchObject({ kind: 'message' });
    expect(asked()).toBe(2);
  });
});
