import avro from 'avsc';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ORDER as ORDER_MESSAGE } from '../../../src/domain/messages/shop/order.ts';
import type { DecodedRecord, OrderCodec } from '../../../src/ports/codec.ts';
import type { HeaderValue, Headers } from '../../../src/ports/record.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { orderCodecOn } from '../../support/order-codec.ts';

const OWN_SCHEMA = JSON.stringify(ORDER_MESSAGE.schema);
/** Of a flat order, as another program writes it. */
const FLAT_SCHEMA = {
  type: 'record',
  name: 'Flat',
  fields: ['order_id', 'user', 'item']
    .map((name): object => ({ name, type: 'string' }))
    .concat({ name: 'quantity', type: 'int' }),
};
const GUID = '89791762-2336-186f-9674-299b90a802e2';

let registry: FakeRegistry;
let codec: OrderCodec;
beforeEach(async () => {
  registry = await FakeRegistry.start();
  codec = orderCodecOn(registry);
});
afterEach(() => registry.stop());

const guidHeader = Buffer.from(`01${GUID.replaceAll('-', '')}`, 'hex');

function idHeader(id: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeInt32BE(id, 1);
  return bytes;
}

/** Avro without a prefix. */
function flat(orderId: string): Buffer {
  const type = avro.Type.forSchema(FLAT_SCHEMA as avro.Schema);
  return type.toBuffer({ order_id: orderId, user: 'alice', item: 'pen', quantity: 3 });
}

async function decode(value: Buffer, ...schemas: HeaderValue[]): Promise<DecodedRecord | undefined> {
  const headers: Headers = [
    ['trace', Buffer.from('abc')],
    ...schemas.map((schema) => ['__value_schema_id', schema] as const),
  ];
  const [decoded] = await codec.decode([{ offset: 0, timestamp: 99, key: null, value, headers }]);
  return decoded;
}

const ORDER = { kind: 'message', value: { user: 'alice', items: [{ item: 'pen', quantity: 3 }] } };

it('an order whose schema a header names is read, by GUID and by id, and the registry is asked once', async () => {
  const id = registry.add('theirs', FLAT_SCHEMA, { guid: GUID });
  expect(await decode(flat('A'), guidHeader)).toMatchObject(ORDER);
  expect(await decode(flat('B'), guidHeader)).toMatchObject(ORDER);
  // What follows is of Protobuf's.
  expect(await decode(flat('C'), Buffer.concat([guidHeader, Buffer.from([0])]))).toMatchObject(ORDER);
  expect(await decode(flat('D'), idHeader(id))).toMatchObject(ORDER);
  expect(registry.requests.filter((request) => request.includes('/schemas/'))).toEqual([
    `GET /schemas/guids/${GUID}`,
    `GET /schemas/ids/${id}`,
  ]);
});

it('an order of our own schema is read by a header too, and the header counts before what looks like a prefix', async () => {
  registry.add('orders-value', OWN_SCHEMA, { guid: GUID });
  const order = {
    orderId: 'ORD-1',
    user: 'alice',
    createdAt: 1_795_266_927_378,
    items: [{ item: 'pen', quantity: 3, unitPrice: null }],
  };
  const [framed = Buffer.alloc(0)] = await codec.encode([order]);
  expect(await decode(Buffer.from(framed.subarray(5)), guidHeader)).toEqual({
    kind: 'message',
    value: order,
  });
  // Its first five bytes are a byte 0, which is an index of the union, and letters.
  const zeroFirst = {
    ...FLAT_SCHEMA,
    fields: [{ name: 'note', type: ['null', 'string'] }, ...FLAT_SCHEMA.fields],
  };
  const id = registry.add('zero', zeroFirst);
  const value = Buffer.concat([Buffer.from([0]), flat('B')]);
  expect(await decode(value, idHeader(id))).toMatchObject(ORDER);
});

it('the last of several such headers counts; null, text and garbage are none', async () => {
  const id = registry.add('theirs', FLAT_SCHEMA);
  expect(await decode(flat('A'), idHeader(999), idHeader(id))).toMatchObject(ORDER);
  const framed = Buffer.concat([idHeader(id), flat('A')]);
  for (const none of [null, 'text', Buffer.from([1, 2, 3]), Buffer.from([7, 0, 0, 0, 1]), Buffer.alloc(0)]) {
    expect(await decode(framed, none), String(none)).toMatchObject(ORDER);
  }
  expect(await decode(flat('A'), null)).toMatchObject({ code: 'unknown_format' });
});

it('a GUID that the registry does not know makes a dead letter that names it, whatever the registry', async () => {
  // One that knows no GUIDs, then one that knows others.
  expect(await decode(flat('A'), guidHeader)).toMatchObject({
    kind: 'dead_letter',
    code: 'unknown_schema_id',
    message: `the registry has no schema with GUID ${GUID}`,
  });
  registry.add('other', FLAT_SCHEMA, { guid: '00000000-0000-0000-0000-000000000001' });
  const other = Buffer.from(guidHeader);
  other[16] = 0;
  expect(await decode(flat('A'), other)).toMatchObject({ code: 'unknown_schema_id' });
});

it('JSON is read as JSON, whichever schema a header names', async () => {
  const json = Buffer.from('{"order_id":"A","user":"alice","item":"pen","quantity":3}');
  expect(await decode(json, guidHeader)).toMatchObject(ORDER);
  expect(registry.requests).toEqual([]);
});
