import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Order } from '../../../src/domain/orders/order.ts';
import { DEAD_LETTER_CODES, type DecodedRecord, type OrderCodec } from '../../../src/ports/codec.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';
import { orderCodecOn } from '../../support/order-codec.ts';

let registry: FakeRegistry;
let codec: OrderCodec;

beforeAll(async () => {
  registry = await FakeRegistry.start();
  codec = orderCodecOn(registry);
});
afterAll(() => registry.stop());

async function decode(...values: (Uint8Array | null)[]): Promise<readonly DecodedRecord[]> {
  return codec.decode(
    values.map((value, offset) => ({ offset, timestamp: 1, key: null, value, headers: [] })),
  );
}

/** Every answer is an order whose names are names, or a dead letter with a code of the list and a short message. */
function expectAnswers(decoded: readonly DecodedRecord[]): void {
  for (const entry of decoded) {
    if (entry.kind === 'dead_letter') {
      expect(DEAD_LETTER_CODES).toContain(entry.code);
      expect(entry.message.length).toBeLessThan(400);
    } else {
      for (const name of [
        entry.value.orderId,
        entry.value.user,
        ...entry.value.items.map(({ item }) => item),
      ]) {
        expect(name).toMatch(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/);
      }
      for (const { quantity, unitPrice } of entry.value.items) {
        expect(typeof quantity).toBe('number');
        if (unitPrice !== null) expect(unitPrice).toMatch(/^-?\d{1,8}\.\d\d$/);
      }
    }
  }
}

function framed(id: number, ...bytes: number[]): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, Buffer.from(bytes)]);
}

/** Zigzag varint. */
function long(value: bigint): number[] {
  let raw = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  do {
    bytes.push(Number(raw & 0x7fn) | (raw > 0x7fn ? 0x80 : 0));
    raw >>= 7n;
  } while (raw > 0n);
  return bytes;
}

const order: Order = {
  orderId: 'ORD-1',
  user: 'alice',
  items: [
    { item: 'book', quantity: 2, unitPrice: '12.50' },
    { item: 'pen', quantity: 1, unitPrice: null },
  ],
  createdAt: 1_795_266_927_378,
};

describe('bytes that are not what they should be', () => {
  it('cut short anywhere are dead letters that say where', async () => {
    const [value = new Uint8Array()] = await codec.encode([order]);
    const cut = Array.from({ length: value.length }, (_, length) => value.subarray(0, length));
    const decoded = await decode(...cut);
    for (const entry of decoded) expect(entry.kind).toBe('dead_letter');
    expectAnswers(decoded);
    expect(decoded[20]).toMatchObject({
      code: 'undecodable',
      message: expect.stringMatching(/^byte \d+: /) as string,
    });
    expect(await decode(Buffer.concat([value, Buffer.from([0])]))).toMatchObject([{ code: 'undecodable' }]);
  });

  it('with any one bit flipped get an answer', async () => {
    const [value = new Uint8Array()] = await codec.encode([order]);
    const flipped: Buffer[] = [];
    // Not in the header: another id is another question to the registry.
    for (let bit = 5 * 8; bit < value.length * 8; bit++) {
      const bytes = Buffer.from(value);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      flipped.push(bytes);
    }
    expectAnswers(await decode(...flipped));
  });

  it('at random get an answer, as Avro, as JSON and as anything', async () => {
    const [value = new Uint8Array()] = await codec.encode([order]);
    const start = fc.constantFrom(
      value.subarray(0, 5),
      value.subarray(0, 12),
      Buffer.from('{"'),
      Buffer.from(''),
    );
    await fc.assert(
      fc.asyncProperty(start, fc.uint8Array({ maxLength: 200 }), async (head, tail) => {
        if (tail[0] === 0 && head.length === 0) return;
        expectAnswers(await decode(Buffer.concat([head, tail])));
      }),
      { numRuns: 2_000 },
    );
  });

  it('of no kind we know are distinguished', async () => {
    expect(
      await decode(null, Buffer.from(''), Buffer.from('hello'), Buffer.alloc(4), Buffer.alloc(5 << 20)),
    ).toMatchObject([
      { code: 'no_value' },
      { code: 'unknown_format' },
      { code: 'unknown_format' },
      { code: 'undecodable' },
      { code: 'too_large' },
    ]);
  });
});

describe('bombs', () => {
  const purchase = (type: unknown) => ({
    type: 'record',
    name: 'P',
    fields: [
      { name: 'x', type },
      { name: 'order_id', type: 'string' },
    ],
  });
  const huge = long(2n ** 31n - 1n);

  it.each<[string, unknown, number[]]>([
    ['an array of 2^31 items', { type: 'array', items: 'long' }, huge],
    ['an array of 2^63 items', { type: 'array', items: 'string' }, long(2n ** 62n)],
    ['an array of nothing', { type: 'array', items: 'null' }, huge],
    ['a negative count', { type: 'array', items: 'null' }, [...long(-(2n ** 31n)), ...long(0n), 0]],
    ['the least of all counts', { type: 'array', items: 'null' }, [...long(-(2n ** 63n)), ...long(0n), 0]],
    [
      'arrays of arrays of nothing',
      { type: 'array', items: { type: 'array', items: 'null' } },
      [...long(1000n), ...Array.from({ length: 1000 }, () => [...long(3000n), 0]).flat(), 0],
    ],
    ['records of nothing', { type: 'array', items: { type: 'record', name: 'E', fields: [] } }, huge],
    ['a map of 2^31 entries', { type: 'map', values: 'null' }, huge],
    ['a string of 2^31 bytes', 'string', huge],
    ['a string of negative length', 'string', long(-5n)],
    ['bytes of 2^62', 'bytes', long(2n ** 62n)],
    ['a number of eleven bytes', 'long', [255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]],
    ['an int beyond 32 bits', 'int', long(2n ** 40n)],
    ['a boolean of 2', 'boolean', [2]],
    ['a branch that is not there', ['null', 'int'], long(7n)],
    ['a symbol that is not there', { type: 'enum', name: 'S', symbols: ['A'] }, long(-1n)],
    [
      'a chain without end',
      { type: 'record', name: 'Chain', fields: [{ name: 'next', type: ['null', 'Chain'] }] },
      Array.from({ length: 100_000 }, () => 2),
    ],
  ])('%s costs nothing', async (_, type, bytes) => {
    const id = registry.add('theirs', purchase(type));
    const before = process.memoryUsage().heapUsed;
    const [decoded] = await decode(framed(id, ...bytes));
    expect(decoded).toMatchObject({ kind: 'dead_letter', code: 'undecodable' });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 2 ** 20);
  });

  it('deep JSON is only long', async () => {
    const deep = Buffer.from(`{"order_id":${'['.repeat(1_000_000)}`);
    expect(await decode(deep)).toMatchObject([{ code: 'undecodable' }]);
    const whole = Buffer.from(`{"order_id":${'['.repeat(500_000)}${']'.repeat(500_000)}}`);
    expect(await decode(whole)).toMatchObject([{ code: 'invalid_field' }]);
  });
});
