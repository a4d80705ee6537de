import { describe, expect, it } from 'vitest';
import { parseOrder } from '../../../src/domain/orders/parse-order.ts';

const defaults = { createdAt: 77 };
const plain = { order_id: 'A', user: 'alice', items: [{ item: 'book', quantity: 2 }], created_at: 5 };
const line = { item: 'book', quantity: 2, unitPrice: null };

describe('parseOrder', () => {
  it.each<[string, unknown, unknown]>([
    ['plain', plain, { orderId: 'A', user: 'alice', items: [line], createdAt: 5 }],
    ['unknown fields', { ...plain, more: [1], constructor: 3 }, { orderId: 'A' }],
    ['flat', { order_id: 'A', user: 'alice', item: 'book', quantity: 2 }, { items: [line], createdAt: 77 }],
    [
      'aliases',
      { order_id: 'A', customer_id: 'al', product_id: 'book', quantity: 2 },
      { user: 'al', items: [line] },
    ],
    [
      'a flat order beside items that are null',
      { ...plain, items: null, item: 'book', quantity: 2 },
      { items: [line] },
    ],
    ['no lines', { ...plain, items: [] }, { items: [] }],
    ['odd quantities', { ...plain, items: [{ item: 'b', quantity: -1.5 }] }, { items: [{ quantity: -1.5 }] }],
    [
      'a quantity that is no finite number',
      { ...plain, items: [{ item: 'b', quantity: NaN }] },
      { items: [{ quantity: NaN }] },
    ],
    ['a time without a zone as UTC', { ...plain, created_at: '1970-01-01T00:00:01' }, { createdAt: 1000 }],
    ['an ISO time', { ...plain, created_at: '1970-01-01T00:00:01Z' }, { createdAt: 1000 }],
    ['no time', { ...plain, created_at: null }, { createdAt: 77 }],
    [
      'a price as text',
      { ...plain, items: [{ ...line, unit_price: '012.5' }] },
      { items: [{ unitPrice: '12.50' }] },
    ],
    [
      'a price as a number',
      { ...plain, items: [{ ...line, unit_price: 3 }] },
      { items: [{ unitPrice: '3.00' }] },
    ],
  ])('reads %s', (_, value, expected) => {
    expect(parseOrder(value, defaults).order).toMatchObject(expected as object);
  });

  it('takes our own name of a field before the one that others give it', () => {
    const both = {
      ...plain,
      customer_id: 'other',
      items: [{ item: 'book', product_id: 'pen', quantity: 2 }],
    };
    expect(parseOrder(both, defaults).order).toMatchObject({ user: 'alice', items: [line] });
  });

  it('reads no field that a value has inherited', () => {
    const { user, ...rest } = plain;
    const inheriting: unknown = Object.assign(Object.create({ user }) as object, rest);
    expect(parseOrder(inheriting, defaults).problem).toMatchObject({
      code: 'missing_field',
      message: 'field user is missing',
    });
  });

  it('passes over a price that is none, and says how many and what', () => {
    const items = [
      { ...line, unit_price: '12,50' },
      { ...line, unit_price: 12.345 },
      { ...line, unit_price: { amount: 1 } },
      { ...line, unit_price: null },
    ];
    const parsed = parseOrder({ ...plain, items }, defaults);
    expect(parsed.order?.items.map(({ unitPrice }) => unitPrice)).toEqual([null, '12.34', null, null]);
    expect(parsed.ignored).toEqual({
      count: 2,
      message: 'unit_price of book is "12,50", not an amount such as 12.50 of at most ten digits',
    });
    expect(parseOrder(plain, defaults).ignored).toBeNull();
  });

  it('reads an order of nobody only where orders need no user', () => {
    const bare = { order_id: 'ORD-1', product_id: 'P-567', quantity: 3 };
    const anyone = { ...defaults, users: 'optional' } as const;
    for (const user of [{}, { user: null }, { user: '' }, { customer_id: '' }]) {
      expect(parseOrder({ ...bare, ...user }, anyone).order).toEqual({
        orderId: 'ORD-1',
        user: '',
        items: [{ item: 'P-567', quantity: 3, unitPrice: null }],
        createdAt: 77,
      });
      expect(parseOrder({ ...bare, ...user }, defaults).problem).toBeDefined();
    }
    expect(parseOrder({ ...bare, customer_id: 'alice' }, anyone).order?.user).toBe('alice');
    expect(parseOrder({ ...bare, user: 'a b' }, anyone).problem?.code).toBe('invalid_name');
  });

  it('says of a date that does not exist that it does not', () => {
    const { problem } = parseOrder({ ...plain, created_at: '2026-02-30' }, defaults);
    expect(problem?.message).toBe('created_at is "2026-02-30", not a time that exists');
  });

  it('makes an id only where that is wanted', () => {
    const rest = { ...plain, order_id: undefined };
    expect(parseOrder(rest, defaults).problem?.code).toBe('missing_field');
    expect(parseOrder(rest, { ...defaults, newOrderId: () => 'NEW' }).order?.orderId).toBe('NEW');
    expect(
      parseOrder({ ...plain, order_id: 7 }, { ...defaults, newOrderId: () => 'NEW' }).problem?.code,
    ).toBe('invalid_field');
  });

  it.each<[string, unknown]>([
    ['invalid_field', 'text'],
    ['invalid_field', [plain]],
    ['invalid_field', null],
    ['missing_field', { ...plain, user: undefined }],
    ['missing_field', { ...plain, user: null }],
    ['missing_field', { order_id: 'A', user: 'alice' }],
    ['missing_field', { ...plain, items: [{ item: 'book' }] }],
    ['missing_field', { ...plain, items: [{ quantity: 1 }] }],
    ['missing_field', JSON.parse('{"order_id":"A","__proto__":{"user":"alice"},"items":[]}')],
    ['invalid_field', { ...plain, items: 'book' }],
    ['invalid_field', { ...plain, items: ['book'] }],
    ['invalid_field', { ...plain, items: [{ item: 'book', quantity: '2' }] }],
    ['invalid_field', { ...plain, items: [{ item: 'book', quantity: true }] }],
    ['invalid_field', { ...plain, items: [{ item: 'book', quantity: [2] }] }],
    ['invalid_field', { ...plain, created_at: '2026-02-30' }],
    ['invalid_field', { ...plain, created_at: '2026-01-01T24:00:01' }],
    ['invalid_field', { ...plain, created_at: 1.5 }],
    ['invalid_field', { ...plain, created_at: {} }],
    ['invalid_field', { ...plain, created_at: 'yesterday' }],
    ['invalid_field', { ...plain, created_at: 8.65e15 }],
    ['invalid_field', { ...plain, created_at: true }],
    ['invalid_name', { ...plain, user: '=1+1' }],
    ['invalid_name', { ...plain, order_id: '' }],
    ['invalid_name', { ...plain, items: [{ item: '../x', quantity: 1 }] }],
  ])('answers %s to %j', (code, value) => {
    const { problem } = parseOrder(value, defaults);
    expect(problem?.code).toBe(code);
    expect(problem?.message.length).toBeLessThan(250);
  });
});
