import type { RecordResult } from '../../src/app/run/events.ts';
import { formatRecordId, GREATEST_TIME_MS } from '../../src/domain/orders/order.ts';
import type { BrokerRecord } from '../../src/ports/broker.ts';
import { avroBytes, field, framed, recordSchema } from '../support/avro-values.ts';
import type { FakeRegistry } from '../support/fake-registry.ts';
import type { Draw } from './hostile-records.ts';

/*
 * Orders of honest programs that are not ours: names that some libraries take, prices and times of any type, JSON in
 * other framings. Each is an order, whatever its price.
 */

/** Makes a value of one writer. */
export type Writer = (draw: Draw) => Buffer;

const NAMES = [
  'Order',
  'my-order',
  '1order',
  'my order',
  '',
  'Größe',
  '注文',
  'string',
  '__proto__',
  'constructor',
  'items',
] as const;
const NAMESPACES = ['shop', 'my-shop.orders', '1.2', 'my shop', 'a..b', 'größe', 'null'] as const;

const decimal = (type: object, scale: number) => ({ ...type, logicalType: 'decimal', precision: 60, scale });
const logical = (type: string, logicalType: string) => ({ type, logicalType });

/** A type, and a value of it. */
type Typed = readonly [type: unknown, value: (draw: Draw) => unknown];

const ODD_NUMBERS = [
  0,
  -0,
  12.3,
  4.8999999999999995,
  1e8,
  -1e8,
  1e-7,
  1e300,
  NaN,
  Infinity,
  -Infinity,
] as const;
const ODD_TEXTS = [
  '',
  ' ',
  '12.5',
  '12,50',
  '1e5',
  '1e-99999',
  '-',
  '.5',
  '９',
  '12.50 EUR',
  '9'.repeat(3_000),
] as const;

const PRICES: readonly Typed[] = [
  ['float', ({ pick }) => pick(ODD_NUMBERS)],
  ['double', ({ pick, next }) => pick([...ODD_NUMBERS, next() * 1e9])],
  ['int', ({ below }) => below(2 ** 31)],
  ['long', ({ below }) => below(2 ** 50) - 2 ** 49],
  ['string', ({ pick }) => pick(ODD_TEXTS)],
  ['bytes', ({ bytes, below }) => bytes(below(9))],
  ['boolean', () => true],
  [['null', 'double'], ({ pick }) => pick([null, 1.005])],
  [{ type: 'map', values: 'double' }, () => ({ amount: 1 })],
  [decimal({ type: 'bytes' }, 0), ({ bytes, below }) => bytes(below(20))],
  [decimal({ type: 'bytes' }, 3), ({ bytes, below }) => bytes(below(5))],
  [decimal({ type: 'bytes' }, 38), ({ bytes, below }) => bytes(below(20))],
  [
    decimal({ type: 'fixed', name: 'F', size: 33 }, 4),
    ({ bytes, below }) => Buffer.concat([Buffer.alloc(28, -below(2)), bytes(5)]),
  ],
];

const TIMES: readonly Typed[] = [
  [logical('int', 'date'), ({ below }) => below(100_000) - 50_000],
  [logical('long', 'timestamp-millis'), ({ below }) => below(2 ** 42)],
  [logical('long', 'timestamp-micros'), ({ below }) => below(2 ** 51) - 2 ** 50],
  [logical('long', 'local-timestamp-micros'), ({ below }) => below(2 ** 51)],
  [logical('long', 'timestamp-nanos'), ({ below }) => below(2 ** 52)],
  ['double', ({ below }) => below(2 ** 42)],
  [
    'string',
    ({ pick }) =>
      pick(['2026-08-20T05:45:04', '2028-02-29', '2026-01-01 24:00:00', '2026-08-20T05:45:04.1234567+02']),
  ],
  ['bytes', () => Buffer.from('2026-08-20T05:45:04Z')],
  [['null', 'string'], () => null],
];

const TEXTS: readonly Typed[] = [
  ['string', ({ below }) => `G-${below(2_000)}`],
  ['bytes', ({ below }) => Buffer.from(`G-${below(2_000)}`)],
];

const AVRO_WRITERS = 30;

/** Writers of Avro with names and types of their own, and one of JSON in any framing. */
export function foreignWriters(draw: Draw, registry: FakeRegistry): Writer[] {
  const framings = [
    registry.add('json', { type: 'object' }, { schemaType: 'JSON' }),
    registry.add('untold', { type: 'object' }),
    registry.add('avro', recordSchema('R', field('a', 'string'))),
  ];
  const avro = Array.from({ length: AVRO_WRITERS }, (_, index) => avroWriter(draw, index, registry));
  return [...avro, jsonWriter(framings), jsonWriter(framings)];
}

function avroWriter({ pick, below }: Draw, index: number, registry: FakeRegistry): Writer {
  const [price, time, id] = [pick(PRICES), pick(TIMES), pick(TEXTS)];
  const odd = pick(NAMES);
  const schema = (name: string, line: string, more: string): Record<string, unknown> => {
    const items = recordSchema(
      line,
      field('item', 'string'),
      field('quantity', 'int'),
      field('unit_price', price[0]),
    );
    return recordSchema(
      name,
      field('order_id', id[0]),
      field(more, { type: 'enum', name: `${more}E`, symbols: [more, 'x'] }),
      field('user', 'string'),
      field('items', { type: 'array', items }),
      field('created_at', time[0]),
    );
  };
  const registered = {
    ...schema(odd, `${odd}L`, below(2) === 0 ? `${odd}-m` : ''),
    namespace: pick(NAMESPACES),
  };
  const schemaId = registry.add(`foreign-${index}`, registered);
  const plain = schema('Order', 'Line', 'more');
  return (draw) => {
    const line = {
      item: draw.pick(['book', 'pen', 'ghost']),
      quantity: draw.below(4),
      unit_price: price[1](draw),
    };
    const value = {
      order_id: id[1](draw),
      more: 'x',
      user: draw.pick(['alice', 'bob', 'nobody']),
      items: [line],
      created_at: time[1](draw),
    };
    return framed(schemaId, avroBytes(plain, value));
  };
}

/** JSON plainly and behind the ids of these schemas, with a price of any form. */
function jsonWriter(schemaIds: readonly number[]): Writer {
  return ({ pick, below }) => {
    const price = pick([
      ...ODD_TEXTS.map((text) => JSON.stringify(text)),
      '12.3',
      '4.8999999999999995',
      '1e999',
      '-0',
      '1e-400',
      '[]',
      '{"amount":1}',
      'true',
      'null',
    ]);
    const quantity = pick(['1', '2', '0', '-1', '1.5', '1e999', '-1e999', '1e21']);
    const json = Buffer.from(
      `{"order_id":"H-${below(2_000)}","user":"alice","items":[{"item":"pen","quantity":${quantity},"unit_price":${price}}]}`,
    );
    return below(3) === 0 ? json : framed(pick(schemaIds), json);
  };
}

/** A header of such a record. */
export const HONEST = 'x-fuzz-honest';

/** No honest order is dead-lettered, and what is kept of each is a price, a time and a number. */
export function expectHonest(read: readonly BrokerRecord[], results: readonly RecordResult[]): void {
  for (const result of results) {
    const record = result.kind === 'decided' ? result.decided.record : result.record;
    const isHonest = read[record.offset]?.headers.some(([name]) => name === HONEST) === true;
    const where = formatRecordId(record);
    if (result.kind === 'dead_letter') {
      if (isHonest) throw new Error(`${where}, an honest order, is dead-lettered: ${result.message}`);
    } else if (result.kind === 'decided') {
      const { createdAt, items } = result.decided.order;
      if (!(Math.abs(createdAt) <= GREATEST_TIME_MS)) throw new Error(`${where} was made at ${createdAt}`);
      for (const { unitPrice } of items) {
        if (unitPrice !== null && !/^-?\d{1,8}\.\d\d$/.test(unitPrice))
          throw new Error(`${where} has the price ${unitPrice}`);
      }
    }
  }
}
