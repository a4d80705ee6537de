import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ORDER as ORDER_MESSAGE } from '../../../src/domain/messages/shop/order.ts';
import type { Order } from '../../../src/domain/orders/order.ts';
import type { DecodedRecord, OrderCodec } from '../../../src/ports/codec.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { orderCodecOn } from '../../support/order-codec.ts';

/*
 * Schemas come from anybody too: each of these is small and makes a small value stand for much. The test bounds what it
 * costs, generously for a busy machine and far below what the naive way takes.
 */

const MIB = 1024 * 1024;
const OUR_FIELDS: readonly object[] = ORDER_MESSAGE.schema.fields;
const ORDER: Order = {
  orderId: 'ORD-7',
  user: 'alice',
  items: [{ item: 'book', quantity: 2, unitPrice: null }],
  createdAt: 1_790_000_000_000,
};

let registry: FakeRegistry;
let codec: OrderCodec;
let encoded: Buffer;

beforeAll(async () => {
  registry = await FakeRegistry.start();
  codec = orderCodecOn(registry);
  const [value = new Uint8Array()] = await codec.encode([ORDER]);
  encoded = Buffer.from(value.subarray(5));
});
afterAll(() => registry.stop());

async function decode(value: Buffer): Promise<DecodedRecord | undefined> {
  const [decoded] = await codec.decode([{ offset: 0, timestamp: 5, key: null, value, headers: [] }]);
  return decoded;
}

/** Decodes and fails when that takes seconds or hundreds of megabytes. */
async function decodeCheaply(value: Buffer): Promise<DecodedRecord | undefined> {
  const heapBefore = process.memoryUsage().heapUsed;
  // Of this process, so that others which want the machine too do not count.
  const before = process.cpuUsage();
  const decoded = await decode(value);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(3_000);
  expect((process.memoryUsage().heapUsed - heapBefore) / MIB).toBeLessThan(100);
  return decoded;
}

function framed(id: number, ...body: Uint8Array[]): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, ...body]);
}

/** Our order with a field before all others. */
function orderWith(extra: unknown): object {
  return { type: 'record', name: 'Order', fields: [{ name: 'extra', type: extra }, ...OUR_FIELDS] };
}

/** 2^20 as Avro writes it. */
const MILLION = Buffer.from([0x80, 0x80, 0x80, 0x01]);

describe('schemas', () => {
  it('whose records double at each level and take no bytes', async () => {
    const levels = 40;
    let type: unknown = { type: 'record', name: 'L0', fields: [] };
    for (let level = 1; level <= levels; level++) {
      type = {
        type: 'record',
        name: `L${level}`,
        fields: [
          { name: 'a', type },
          { name: 'b', type: `L${level - 1}` },
        ],
      };
    }
    const id = registry.add('theirs', orderWith(type));
    expect(await decodeCheaply(framed(id, encoded))).toEqual({ kind: 'message', value: ORDER });
  });

  it('of records that hold themselves, which no value ever can', async () => {
    const id = registry.add('theirs', {
      type: 'record',
      name: 'R',
      fields: [{ name: 'r', type: 'R' }],
    });
    expect(await decodeCheaply(framed(id))).toMatchObject({ code: 'undecodable' });
  });

  it.each<[string, unknown]>([
    ['records', { type: 'record', name: 'Flag', fields: [{ name: 'on', type: 'boolean' }] }],
    ['arrays', { type: 'array', items: 'int' }],
    ['maps', { type: 'map', values: 'int' }],
    ['texts', 'string'],
    ['decimals', [{ type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }]],
  ])('with a million %s that nobody asked for: they are read past, not built', async (_, items) => {
    const id = registry.add('theirs', orderWith({ type: 'array', items }));
    const width = Array.isArray(items) ? 2 : 1;
    const value = framed(id, MILLION, Buffer.alloc(width * MIB), Buffer.from([0]), encoded);
    expect(await decodeCheaply(value)).toEqual({ kind: 'message', value: ORDER });
  });

  it.each([
    ['no JSON', '{'],
    ['no schema', '{"type":"thing"}'],
    ['too deep', `${'{"type":"array","items":'.repeat(30_000)}"int"${'}'.repeat(30_000)}`],
    ['too long', JSON.stringify({ type: 'fixed', name: 'F', size: 1, doc: 'x'.repeat(3 * MIB) })],
  ])('that are %s make dead letters that name them', async (_, text) => {
    const id = registry.add('theirs', text);
    const decoded = await decodeCheaply(framed(id, encoded));
    expect(decoded).toMatchObject({ code: 'undecodable', stage: 'decode' });
    expect(decoded).toMatchObject({ message: expect.stringContaining(`schema ${id}`) as string });
  });

  it('with defaults that another library takes more lightly are read all the same', async () => {
    const price = { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 };
    const id = registry.add('theirs', {
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'fee', type: price, default: '\u0000' },
        { name: 'note', type: ['null', 'string'], default: 'none' },
        { name: 'weight', type: 'long', default: 2 ** 60 },
        ...OUR_FIELDS,
      ],
    });
    const decoded = await decode(framed(id, Buffer.from([2, 0, 0, 0]), encoded));
    expect(decoded).toEqual({ kind: 'message', value: ORDER });
  });

  it('with fields called after what JavaScript has of its own', async () => {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
    const id = registry.add('theirs', {
      type: 'record',
      name: '__proto__',
      fields: [...names.map((name) => ({ name, type: 'string' })), ...OUR_FIELDS],
    });
    const value = framed(id, ...names.map(() => Buffer.from([2, 0x78])), encoded);
    expect(await decode(value)).toEqual({ kind: 'message', value: ORDER });
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});

it('an order cut off where its lines begin is answered', async () => {
  const whole = framed(
    registry.add('theirs', { type: 'record', name: 'Order', fields: OUR_FIELDS }),
    encoded,
  );
  for (let size = 5; size < whole.length; size++) {
    expect(await decode(whole.subarray(0, size))).toMatchObject({ code: 'undecodable' });
  }
});

it('an id beyond 2^31 exists nowhere, and no registry is asked for it', async () => {
  const asked = registry.requests.length;
  expect(await decode(framed(0xfffffff0, encoded))).toMatchObject({ code: 'unknown_schema_id' });
  expect(registry.requests.slice(asked)).toEqual([]);
});
