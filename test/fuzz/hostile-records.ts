import { gzipSync } from 'node:zlib';
import type { Order } from '../../src/domain/orders/order.ts';
import { randomFrom } from '../support/random.ts';

/** Values that no honest producer sends, made from valid ones and from nothing. */
export interface Material {
  /** Valid values in our Avro, framed. */
  readonly avro: readonly Buffer[];
  /** Ids of schemas whose values are bombs. */
  readonly bombIds: readonly number[];
  readonly unknownId: number;
}

export type Draw = ReturnType<typeof draws>;

export function draws(seed: number) {
  const next = randomFrom(seed);
  const below = (bound: number): number => Math.floor(next() * bound);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const bytes = (length: number): Buffer => Buffer.from(Array.from({ length }, () => below(256)));
  return { next, below, pick, bytes };
}

/** Names as others would like them to be: paths, formulas, prototypes, controls, halves of characters. */
export const EVIL_NAMES = [
  '../../etc/passwd',
  '/etc/passwd',
  '..',
  '.orderctl',
  'C:\\windows',
  '=1+1',
  '@SUM(A1)',
  '-2+3',
  '+cmd|calc',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\ud800',
  '\udfff\ud800',
  'a\u0000b',
  'a\nb',
  'a,b',
  'a"b',
  '\u202egnp',
  ' book',
  'ｂook',
  'x'.repeat(129),
  'x'.repeat(100_000),
  '',
] as const;

export const EVIL_NUMBERS = [
  0,
  -0,
  -1,
  1.5,
  1e308,
  -1e308,
  2 ** 31,
  2 ** 31 - 1,
  2 ** 53,
  5e-324,
  1e21,
] as const;
export const EVIL_VALUES: readonly unknown[] = [
  null,
  true,
  [],
  {},
  [[]],
  '1',
  '',
  'NaN',
  { $gt: '' },
  [null],
];

/** Lengths of a name that is one byte less than, as long as, and longer than what is allowed. */
const EDGE_NAMES = [127, 128, 129].map((length) => 'n'.repeat(length));

export function makeValue(draw: Draw, material: Material): Buffer | null {
  const { below, pick, bytes } = draw;
  const kinds: readonly (() => Buffer | null)[] = [
    () => null,
    () => bytes(below(60)),
    () => Buffer.concat([Buffer.from([0]), bytes(below(80))]),
    () => framed(material.unknownId, bytes(below(20))),
    () => framed(below(2 ** 31), bytes(below(20))),
    () => pick(material.avro),
    () => cut(draw, pick(material.avro)),
    () => flipped(draw, pick(material.avro)),
    () => framed(pick(material.bombIds), bomb(draw)),
    () => Buffer.from(`{${bytes(below(60)).toString('latin1')}`),
    () => json(validOrder(draw)),
    () => cut(draw, json(validOrder(draw))),
    () => flipped(draw, json(validOrder(draw))),
    () => json(evilOrder(draw)),
    () => json(evilOrder(draw)),
    () => Buffer.from(evilText(draw)),
    () => gzipSync(json(validOrder(draw))),
  ];
  // Large ones are dear: a few are enough.
  if (below(2_000) === 0) return large(draw);
  return pick(kinds)();
}

export function framed(id: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, payload]);
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function cut({ below }: Draw, value: Buffer): Buffer {
  return value.subarray(0, below(value.length));
}

export function flipped({ below }: Draw, value: Buffer): Buffer {
  const result = Buffer.from(value);
  for (let times = 1 + below(3); times > 0; times--) {
    const at = below(result.length);
    result[at] = (result[at] ?? 0) ^ (1 << below(8));
  }
  return result;
}

/** A zigzag number that claims much, and whatever follows. */
function bomb({ below, pick, bytes }: Draw): Buffer {
  const counts = [
    [0xfe, 0xff, 0xff, 0xff, 0x0f],
    [0xff, 0xff, 0xff, 0xff, 0x0f],
    [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [0x80, 0x80, 0x80, 0x80, 0x10],
  ];
  return Buffer.concat([Buffer.from(pick(counts)), bytes(below(40))]);
}

export function validOrder({ below, pick }: Draw): Record<string, unknown> {
  return {
    order_id: `F-${below(500)}`,
    user: pick(['alice', 'bob', 'nobody']),
    items: Array.from({ length: 1 + below(3) }, () => ({
      item: pick(['book', 'pen', 'ghost']),
      quantity: 1 + below(3),
      unit_price: pick([null, '12.50', 3]),
    })),
    created_at: pick([1_700_000_000_000, '2026-01-02T03:04:05Z']),
  };
}

/** A valid order with one or two things wrong, which are sometimes right by chance. */
function evilOrder(draw: Draw): unknown {
  const { below, pick } = draw;
  const order = validOrder(draw);
  const lines = order.items as Record<string, unknown>[];
  const line = pick(lines);
  const value = (): unknown =>
    pick<() => unknown>([
      () => pick(EVIL_NAMES),
      () => pick(EVIL_NUMBERS),
      () => pick(EVIL_VALUES),
      () => pick(EDGE_NAMES),
    ])();
  for (let times = 1 + below(2); times > 0; times--) {
    const changes: readonly (() => void)[] = [
      () => (order[pick(['order_id', 'user', 'items', 'created_at'])] = value()),
      () => (line[pick(['item', 'quantity', 'unit_price'])] = value()),
      () => Reflect.deleteProperty(order, pick(Object.keys(order))),
      () => Reflect.deleteProperty(line, pick(Object.keys(line))),
      () => (line.quantity = pick(EVIL_NUMBERS)),
      () => (order[`x${below(3)}`] = value()),
      () => (order.items = []),
      () => (order.created_at = pick([8.64e15, 8.64e15 + 1, -1, '0000-01-01', '+275760-09-13T00:00:00Z'])),
    ];
    pick(changes)();
  }
  return order;
}

/** What JSON.stringify would not write. */
function evilText(draw: Draw): string {
  const valid = JSON.stringify(validOrder(draw));
  const texts = [
    valid.replace('{', '{"__proto__":{"polluted":true,"user":"alice"},'),
    valid.replace('{', '{"constructor":{"prototype":{"polluted":true}},'),
    valid.replace('"user"', '"user":"bob","user"'),
    valid.replace(/"user":"\w+"/, '"user":"\\ud800"'),
    valid.replace(/"quantity":\d/, '"quantity":1e400'),
    valid.replace(/"quantity":\d/, '"quantity":0.1e1'),
    valid.replace(/"quantity":\d/, '"quantity":00'),
    `${valid}${valid}`,
    `${valid}\n`,
    `{"a":${'['.repeat(2_000)}`,
    `{"order_id":${'['.repeat(500)}${']'.repeat(500)},${valid.slice(1)}`,
    `{"order_id":${'{"a":'.repeat(300)}1${'}'.repeat(300)}}`,
    `\ufeff${valid}`,
  ];
  return draw.pick(texts);
}

/** About as large as is read, and deep. */
function large({ below, pick }: Draw): Buffer {
  const limit = 4 * 1024 * 1024;
  return pick<() => Buffer>([
    () => Buffer.alloc(limit + below(3) - 1, '{'),
    () => Buffer.from(`{"order_id":${'['.repeat(limit / 4)}`),
    () =>
      Buffer.from(
        `{"order_id":"L","user":"alice","items":[${'{"item":"book","quantity":1},'.repeat(60_000)}{"item":"pen","quantity":1}]}`,
      ),
    () => Buffer.from(`{"order_id":"${'x'.repeat(limit - 100)}"}`),
  ])();
}

export function sampleOrders(): Order[] {
  return Array.from({ length: 40 }, (_, index) => ({
    orderId: `A-${index}`,
    user: ['alice', 'bob', 'nobody'][index % 3] ?? 'alice',
    items: [
      { item: 'book', quantity: 1 + (index % 3), unitPrice: index % 2 === 0 ? '12.50' : null },
      { item: index % 5 === 0 ? 'ghost' : 'pen', quantity: 1, unitPrice: null },
    ],
    createdAt: 1_700_000_000_000 + index,
  }));
}
