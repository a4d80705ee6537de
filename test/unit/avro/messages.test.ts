import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMessageCodec } from '../../../src/adapters/avro/messages/codec.ts';
import { MOST_LONG_BYTES, writeLong } from '../../../src/adapters/avro/write-values.ts';
import { ORDER_CREATED } from '../../../src/domain/messages/checkout/order-created.ts';
import { ORDER_VALIDATED } from '../../../src/domain/messages/checkout/order-validated.ts';
import { PAYMENT_FAILED } from '../../../src/domain/messages/checkout/payment-failed.ts';
import { MESSAGES } from '../../../src/domain/messages/index.ts';
import { message, type Message, type RecordType } from '../../../src/domain/messages/message.ts';
import { INVENTORY_EVENT } from '../../../src/domain/messages/shop/inventory-event.ts';
import type { Codec, Decoded } from '../../../src/ports/codec.ts';
import { avroBytes, framed } from '../../support/avro-values.ts';
import { tries } from '../../support/effort.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { valuesOf } from '../../support/message-values.ts';

let registry: FakeRegistry;

beforeAll(async () => {
  registry = await FakeRegistry.start();
});
afterAll(() => registry.stop());

function codecOf<Schema extends RecordType>(declared: Message<Schema>, register = true) {
  const subject = `${declared.name}-value`;
  return createMessageCodec(declared, { url: registry.url, credentials: null, subject, register });
}

const recordOf = (value: Uint8Array | null) => ({ offset: 0, timestamp: 99, key: null, value, headers: [] });

async function decode<T>(codec: Codec<T>, value: Uint8Array | null): Promise<Decoded<T>> {
  const [decoded] = await codec.decode([recordOf(value)]);
  if (decoded === undefined) throw new Error('nothing was decoded');
  return decoded;
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

const WITH_SCHEMA = MESSAGES.filter((one): one is Message => one.schema !== null);

describe('each message', () => {
  it.each(WITH_SCHEMA.map((one) => [one.name, one] as const))(
    '%s is the same after Avro and after JSON',
    async (_name, declared) => {
      const codec = codecOf(declared) as Codec<unknown>;
      await fc.assert(
        fc.asyncProperty(fc.array(valuesOf(declared.schema), { maxLength: 4 }), async (values) => {
          const expected = values.map((value) => ({ kind: 'message', value }));
          const encoded = await codec.encode(values);
          expect(await codec.decode(encoded.map(recordOf))).toEqual(expected);
          expect(await codec.decode(values.map((value) => recordOf(json(value))))).toEqual(expected);
        }),
        { numRuns: tries(50, 15) },
      );
    },
  );

  it.each(WITH_SCHEMA.map((one) => [one.name, one] as const))(
    '%s is read with a field more and without those that may be null, from bytes in any state',
    async (_name, declared) => {
      const codec = codecOf(declared) as Codec<unknown>;
      const later = {
        ...declared.schema,
        name: 'Later',
        fields: [
          { name: 'added_first', type: 'string' },
          ...declared.schema.fields,
          { name: 'added', type: { type: 'array', items: 'long' } },
        ],
      };
      const writer = message({ ...declared, name: `${declared.name}.later`, schema: later } as never);
      const laterCodec = codecOf(writer) as Codec<unknown>;
      await fc.assert(
        fc.asyncProperty(
          valuesOf(declared.schema),
          fc.nat(),
          fc.integer({ min: 0, max: 255 }),
          async (value, at, byte) => {
            const [bytes] = await laterCodec.encode([
              { ...(value as object), added_first: 'x', added: [1, 2] },
            ]);
            if (bytes === undefined) throw new Error('nothing was encoded');
            expect(await decode(codec, bytes)).toEqual({ kind: 'message', value });
            const given = Object.entries(value as object).filter(([, one]) => one !== null);
            expect(await decode(codec, json({ ...Object.fromEntries(given), more: [] }))).toEqual({
              kind: 'message',
              value,
            });
            bytes[5 + (at % (bytes.length - 5))] = byte;
            const broken = await decode(codec, bytes);
            if (broken.kind === 'dead_letter') expect(broken.message.length).toBeLessThan(400);
          },
        ),
        { numRuns: tries(30, 10) },
      );
    },
  );
});

describe('bytes of our own layout, which have a reader of their own', () => {
  /** What is said of an undecodable value names the schema. */
  const withoutId = <T>(decoded: Decoded<T>): Decoded<T> =>
    decoded.kind === 'message'
      ? decoded
      : { ...decoded, message: decoded.message.replace(/ \(schema \d+\)$/, '') };

  it.each(WITH_SCHEMA.map((one) => [one.name, one] as const))(
    '%s is read as by the general reader, whatever state the bytes are in',
    async (_name, declared) => {
      const codec = codecOf(declared) as Codec<unknown>;
      // With a field more that takes no bytes the layout is another one.
      const fields = [...declared.schema.fields, { name: 'nothing', type: 'null' }];
      const general = registry.add(`${declared.name}.general`, { ...declared.schema, fields });
      const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 2 });
      await fc.assert(
        fc.asyncProperty(
          valuesOf(declared.schema),
          changes,
          fc.uint8Array({ maxLength: 1 }),
          async (value, changed, more) => {
            const [encoded] = await codec.encode([value]);
            if (encoded === undefined) throw new Error('nothing was encoded');
            const bytes = Buffer.concat([encoded, more]);
            for (const [at, byte] of changed) bytes[5 + (at % (bytes.length - 5))] = byte;
            const around = Buffer.from(bytes);
            around.writeUInt32BE(general, 1);
            expect(withoutId(await decode(codec, bytes))).toEqual(withoutId(await decode(codec, around)));
          },
        ),
        { numRuns: tries(60, 20) },
      );
    },
  );

  it('hold no amount of more than ten digits, and no time beyond what a date can be', async () => {
    const codec = codecOf(PAYMENT_FAILED);
    const value = {
      order_id: 'ORD-1',
      customer_id: 'alice',
      amount: Buffer.of(1),
      reference: null,
      reason: 'declined',
      attempts: 1,
      failed_at: 5,
    };
    await codec.encode([]);
    const id = registry.subjects.get('payments.failed-value')?.[0]?.id ?? 0;
    const read = async (change: object) =>
      decode(codec, framed(id, avroBytes(PAYMENT_FAILED.schema, { ...value, ...change })));
    const amount = (hundredths: number): Buffer => {
      const bytes = Buffer.alloc(6);
      bytes.writeIntBE(hundredths, 0, 6);
      return bytes;
    };
    expect(await read({ amount: amount(-5) })).toMatchObject({ value: { amount: '-0.05' } });
    expect(await read({ amount: amount(9_999_999_999) })).toMatchObject({ value: { amount: '99999999.99' } });
    expect(await read({ amount: amount(10_000_000_000) })).toMatchObject({ code: 'invalid_field' });
    expect(await read({ amount: Buffer.alloc(0) })).toMatchObject({ value: { amount: '0.00' } });
    expect(await read({ amount: Buffer.alloc(9, 0) })).toMatchObject({ value: { amount: '0.00' } });
    // The time comes last, and avsc cannot write one as large.
    const at = async (time: number) => {
      const bytes = Buffer.alloc(MOST_LONG_BYTES);
      const timeBytes = bytes.subarray(0, writeLong(time, bytes, 0));
      return decode(codec, framed(id, avroBytes(PAYMENT_FAILED.schema, value).subarray(0, -1), timeBytes));
    };
    expect(await at(8.64e15)).toMatchObject({ value: { failed_at: 8.64e15 } });
    expect(await at(-8.64e15)).toMatchObject({ value: { failed_at: -8.64e15 } });
    expect(await at(8.64e15 + 1)).toMatchObject({ code: 'invalid_field' });
  });
});

it('many at once, and one larger than the buffers that they share, are each the same after Avro', async () => {
  const codec = codecOf(INVENTORY_EVENT);
  const values = Array.from({ length: 1_000 }, (_, at) => ({
    event_id: 'é'.repeat(at === 500 ? 100_000 : at),
    item: `i${at}`,
    revision: at,
    delta: 5 - at,
    on_hand: 2 ** 40 + at,
    cause: 'sale' as const,
    order_id: at % 2 === 0 ? null : `o${at}`,
    at,
  }));
  const decoded = await codec.decode((await codec.encode(values)).map(recordOf));
  expect(decoded).toEqual(values.map((value) => ({ kind: 'message', value })));
});

describe('a schema', () => {
  const before = message({
    name: 'versions',
    summary: '',
    key: 'id',
    partitions: 1,
    retentionDays: 1,
    writers: [],
    readers: [],
    schema: { type: 'record', name: 'V', fields: [{ name: 'id', type: 'string' }] },
  });
  const after = message({
    ...before,
    schema: {
      ...before.schema,
      fields: [
        { name: 'id', type: 'string', aliases: ['old_id'] },
        { name: 'count', type: 'int', default: 7 },
      ],
    },
  });

  it('with a new field that has a default reads what the one before has written', async () => {
    const [bytes] = await codecOf(before).encode([{ id: 'a' }]);
    expect(await decode(codecOf(after), bytes ?? null)).toEqual({
      kind: 'message',
      value: { id: 'a', count: 7 },
    });
    const old = { type: 'record', name: 'Old', fields: [{ name: 'old_id', type: 'string' }] };
    const renamed = framed(registry.add('old', old), avroBytes(old, { old_id: 'c' }));
    expect(await decode(codecOf(after), renamed)).toEqual({ kind: 'message', value: { id: 'c', count: 7 } });
    expect(await decode(codecOf(after), json({ old_id: 'b' }))).toEqual({
      kind: 'message',
      value: { id: 'b', count: 7 },
    });
  });

  it('with a new field that has none names it', async () => {
    const strict = message({
      ...before,
      schema: { ...before.schema, fields: [...before.schema.fields, { name: 'count', type: 'int' }] },
    });
    const [bytes] = await codecOf(before).encode([{ id: 'a' }]);
    expect(await decode(codecOf(strict), bytes ?? null)).toEqual({
      kind: 'dead_letter',
      stage: 'validate',
      code: 'missing_field',
      message: 'field count is missing',
    });
  });

  it('of another program is read by its fields: names, wider types, other units', async () => {
    const theirs = {
      type: 'record',
      name: 'Evt',
      namespace: 'other',
      fields: [
        { name: 'event_id', type: 'bytes' },
        { name: 'sku', type: 'string', aliases: ['item'] },
        { name: 'revision', type: 'int' },
        { name: 'delta', type: 'double' },
        { name: 'on_hand', type: ['null', 'long'] },
        { name: 'cause', type: 'string' },
        { name: 'at', type: { type: 'long', logicalType: 'timestamp-micros' } },
      ],
    };
    const id = registry.add('theirs', theirs);
    const value = { sku: 'P-5', revision: 3, delta: -2, on_hand: 8, cause: 'sale', at: 7_000 };
    const bytes = framed(id, avroBytes(theirs, { ...value, event_id: Buffer.from('e1') }));
    expect(await decode(codecOf(INVENTORY_EVENT), bytes)).toEqual({
      kind: 'message',
      value: {
        event_id: 'e1',
        item: 'P-5',
        revision: 3,
        delta: -2,
        on_hand: 8,
        cause: 'sale',
        order_id: null,
        at: 7,
      },
    });
  });
});

describe('what is no message is a dead letter that says where', () => {
  const created = {
    order_id: 'ORD-1',
    customer_id: 'alice',
    items: [{ product_id: 'P-1', quantity: 2, unit_price: '12.5' }],
    total_amount: 25,
    shipping_address: 'Main Street 1',
    created_at: '2026-01-02T03:04:05Z',
  };

  it('but an ISO time, a number for an amount and one place are taken', async () => {
    expect(await decode(codecOf(ORDER_CREATED), json(created))).toEqual({
      kind: 'message',
      value: {
        ...created,
        items: [{ product_id: 'P-1', quantity: 2, unit_price: '12.50' }],
        total_amount: '25.00',
        created_at: Date.UTC(2026, 0, 2, 3, 4, 5),
      },
    });
  });

  it.each([
    [
      { items: [created.items[0], { product_id: 'P-2', quantity: 1 }] },
      'missing_field',
      'field items[1].unit_price is missing',
    ],
    [
      { items: [{ ...created.items[0], quantity: 1.5 }] },
      'invalid_field',
      'items[0].quantity is 1.5, not a whole number',
    ],
    [
      { items: [{ ...created.items[0], quantity: 2 ** 31 }] },
      'invalid_field',
      'items[0].quantity is 2147483648, not a number from -2147483648 to 2147483647',
    ],
    [{ items: {} }, 'invalid_field', 'items is an object, not a list'],
    [{ items: [7] }, 'invalid_field', 'items[0] is 7, not an object'],
    [
      { total_amount: '12.345' },
      'invalid_field',
      'total_amount is "12.345", not an amount such as "12.50" of at most ten digits',
    ],
    [
      { total_amount: '123456789.00' },
      'invalid_field',
      'total_amount is "123456789.00", not an amount such as "12.50" of at most ten digits',
    ],
    [
      { created_at: '2026-02-31T00:00:00Z' },
      'invalid_field',
      'created_at is "2026-02-31T00:00:00Z", not a time that exists',
    ],
    [{ shipping_address: 7 }, 'invalid_field', 'shipping_address is 7, not text'],
    [{ shipping_address: null }, 'missing_field', 'field shipping_address is missing'],
  ])('%j', async (change, code, text) => {
    expect(await decode(codecOf(ORDER_CREATED), json({ ...created, ...change }))).toEqual({
      kind: 'dead_letter',
      stage: 'validate',
      code,
      message: text,
    });
  });

  it('also by the alphabet of names, and a symbol that the reader lacks', async () => {
    expect(await decode(codecOf(ORDER_CREATED), json({ ...created, order_id: '=1+1' }))).toMatchObject({
      code: 'invalid_name',
      message: expect.stringMatching(/^order_id "=1\+1" is not a name: /) as string,
    });
    const event = { event_id: 'e', item: 'pen', revision: 1, delta: 1, on_hand: 1, cause: 'theft', at: 0 };
    expect(await decode(codecOf(INVENTORY_EVENT), json(event))).toMatchObject({
      code: 'invalid_field',
      message: 'cause is "theft", not one of sale, reservation, release, restock, edit',
    });
  });

  it('also where the bytes are none, too many, or lie', async () => {
    const codec = codecOf(ORDER_VALIDATED);
    await codec.encode([]);
    const id = registry.subjects.get('orders.validated-value')?.[0]?.id ?? 0;
    expect(await decode(codec, null)).toMatchObject({ code: 'no_value', stage: 'decode' });
    expect(await decode(codec, Buffer.alloc(5_000_000))).toMatchObject({ code: 'too_large' });
    expect(await decode(codec, Buffer.from('garbage'))).toMatchObject({ code: 'unknown_format' });
    expect(await decode(codec, framed(99_999, Buffer.of(0)))).toMatchObject({ code: 'unknown_schema_id' });
    // Two texts, then a list that claims 2^31 − 1 lines.
    const lying = framed(id, Buffer.of(2, 0x61, 2, 0x62, 0xfe, 0xff, 0xff, 0xff, 0x0f));
    expect(await decode(codec, lying)).toMatchObject({
      code: 'undecodable',
      message: expect.stringMatching(
        /^byte \d+: a block claims 2147483647 items, 0 bytes are left/,
      ) as string,
    });
  });
});

describe('what cannot be written', () => {
  const failed = {
    order_id: 'ORD-1',
    customer_id: 'alice',
    amount: '10.00',
    reference: null,
    reason: 'declined',
    attempts: 1,
    failed_at: 5,
  };

  it('fails by the field, before anything is asked of the registry', async () => {
    const asked = registry.requests.length;
    await expect(
      codecOf(PAYMENT_FAILED).encode([failed, { ...failed, amount: '1e9' }]),
    ).rejects.toMatchObject({
      code: 'invalid_value',
      message: expect.stringMatching(
        /^message 2 of payments\.failed: amount is "1e9", not an amount/,
      ) as string,
    });
    expect(registry.requests.length).toBe(asked);
  });

  it('is a name outside the alphabet', async () => {
    await expect(codecOf(PAYMENT_FAILED).encode([{ ...failed, order_id: '=1' }])).rejects.toMatchObject({
      code: 'invalid_value',
      message: expect.stringMatching(/order_id "=1" is not a name/) as string,
    });
  });

  it('is a message whose schema may not be registered', async () => {
    await expect(codecOf({ ...PAYMENT_FAILED, name: 'new' }, false).encode([failed])).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});

it('OrderCreated is the schema of the com.tutorial.orders examples', () => {
  const MONEY = { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 };
  expect(ORDER_CREATED.schema).toEqual({
    type: 'record',
    name: 'OrderCreated',
    namespace: 'com.tutorial.orders',
    fields: [
      { name: 'order_id', type: 'string' },
      { name: 'customer_id', type: 'string' },
      {
        name: 'items',
        type: {
          type: 'array',
          items: {
            type: 'record',
            name: 'OrderItem',
            fields: [
              { name: 'product_id', type: 'string' },
              { name: 'quantity', type: 'int' },
              { name: 'unit_price', type: MONEY },
            ],
          },
        },
      },
      { name: 'total_amount', type: MONEY },
      { name: 'shipping_address', type: 'string' },
      { name: 'created_at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    ],
  });
});
