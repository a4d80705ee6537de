import fc from 'fast-check';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { INVENTORY_RESERVED } from '../../../src/domain/messages/checkout/inventory-reserved.ts';
import { ORDER_CREATED, type OrderCreated } from '../../../src/domain/messages/checkout/order-created.ts';
import {
  clientHeaders,
  eventHeaders,
  eventId,
  HEADERS,
  type Cause,
} from '../../../src/domain/messages/headers.ts';
import { MESSAGES } from '../../../src/domain/messages/index.ts';
import {
  typeOf,
  type AvroType,
  type Message,
  type RecordType,
} from '../../../src/domain/messages/message.ts';
import { unsampledTrace } from '../../../src/domain/messages/trace.ts';
import { isNullable, parseMessage } from '../../../src/domain/messages/parse.ts';
import { INVENTORY_EVENT } from '../../../src/domain/messages/shop/inventory-event.ts';
import { amountOf } from '../../../src/domain/orders/price.ts';

const WITH_SCHEMA = MESSAGES.filter((one): one is Message => one.schema !== null);

const headersOf = (of: Message, cause: Cause) =>
  Object.fromEntries(eventHeaders(of, { ...cause, id: eventId(of, cause) })) as Record<
    (typeof HEADERS)[number],
    string
  >;

describe('the catalogue', () => {
  it('lists every message that a file declares', () => {
    const folder = path.resolve(import.meta.dirname, '../../../src/domain/messages');
    const declared = fs
      .readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\/.+\.ts$/.test(file))
      .flatMap(
        (file) => /^ {2}name: '(.+)',$/m.exec(fs.readFileSync(path.join(folder, file), 'utf8'))?.[1] ?? [],
      );
    expect(MESSAGES.map(({ name }) => name).sort()).toEqual(declared.sort());
  });

  it('has a name and a type for each message alone', () => {
    const names = MESSAGES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const types = WITH_SCHEMA.map(typeOf);
    expect(new Set(types).size).toBe(types.length);
  });

  it.each(WITH_SCHEMA.map((one) => [one.name, one] as const))(
    '%s has a text for its key, and a default where a field may be null',
    (_name, { key, schema }) => {
      expect(schema.fields.find(({ name }) => name === key)?.type).toBe('string');
      const visit = (type: AvroType): void => {
        if (typeof type === 'string' || isNullable(type)) return;
        if (type.type === 'array') visit(type.items);
        if (type.type !== 'record') return;
        for (const field of type.fields) {
          expect([field.name, isNullable(field.type)]).toEqual([field.name, field.default === null]);
          visit(field.type);
        }
      };
      visit(schema);
    },
  );

  it('names a writer of each, and a reader only of what has a schema', () => {
    for (const { name, readers, writers, schema } of MESSAGES) {
      expect([name, writers.length > 0]).toEqual([name, true]);
      if (schema === null) expect(readers).toEqual([]);
    }
  });
});

it('a value has the type that follows from the schema', () => {
  const order: OrderCreated = {
    order_id: 'ORD-1',
    customer_id: 'alice',
    items: [{ product_id: 'P-1', quantity: 2, unit_price: '12.50' }],
    total_amount: '25.00',
    shipping_address: 'Main Street 1',
    created_at: 0,
  };
  const { value } = parseMessage(ORDER_CREATED.schema, order);
  const quantities: readonly number[] | undefined = value?.items.map(({ quantity }) => quantity);
  expect(quantities).toEqual([2]);
  // @ts-expect-error -- a quantity is no text
  const wrong: OrderCreated = { ...order, items: [{ ...order.items[0], quantity: '2' }] };
  expect(parseMessage(ORDER_CREATED.schema, wrong).problem?.message).toBe(
    'items[0].quantity is "2", not a whole number',
  );
});

it('inherited keys are no fields', () => {
  const schema: RecordType = { type: 'record', name: 'R', fields: [{ name: 'constructor', type: 'string' }] };
  expect(parseMessage(schema, {}).problem?.code).toBe('missing_field');
});

describe('headers', () => {
  const cause = { store: 's1', of: ['P-567', 42], at: Date.UTC(2026, 0, 2), traceparent: null };
  const given = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

  it('are those of a CloudEvent, the same each time', () => {
    const headers = headersOf(INVENTORY_EVENT, { ...cause, traceparent: given });
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: 's1/inventory-events/P-567/42',
      ce_source: '/orderctl/s1',
      ce_type: 'orderctl.InventoryEvent',
      ce_time: '2026-01-02T00:00:00.000Z',
      traceparent: given,
    });
    expect(Object.keys(headers)).toEqual(HEADERS);
    expect(headersOf(INVENTORY_EVENT, cause)).toEqual(headersOf(INVENTORY_EVENT, cause));
  });

  it.each([
    null,
    '',
    given.toUpperCase(),
    `${given}-`,
    given.replace(/4bf\w+/, '0'.repeat(32)),
    `ff${given.slice(2)}`,
  ])('begin a trace where the cause has none: %j', (traceparent) => {
    const began = headersOf(INVENTORY_EVENT, { ...cause, traceparent }).traceparent;
    expect(began).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(began).toBe(headersOf(INVENTORY_EVENT, cause).traceparent);
  });

  it('of what a client sends are the same for a second send, but for its time', () => {
    const headersAt = (at: number, traceparent: string | null = null) =>
      Object.fromEntries(clientHeaders(ORDER_CREATED, 'O-1', { at, traceparent }));
    const first = headersAt(0);
    expect(first).toMatchObject({
      ce_id: 'client/orders.created/O-1',
      ce_source: '/orderctl/client',
      ce_type: typeOf(ORDER_CREATED),
      ce_time: '1970-01-01T00:00:00.000Z',
    });
    expect(headersAt(1)).toEqual({ ...first, ce_time: '1970-01-01T00:00:00.001Z' });
    expect(headersAt(0, given)).toEqual({ ...first, traceparent: given });
  });

  it('a trace that was made up long ago is the same today', () => {
    expect(unsampledTrace('s1/inventory-events/P-567/42')).toBe(
      '00-1eb959a579b78b5b5ab69fb306e0be4d-1cc2e69676b35a89-00',
    );
    expect(unsampledTrace('')).toBe('00-1f73b5a9992c903513552efda2b634c2-193eccd9bef1965f-00');
  });

  it('differ for each cause, whatever its parts contain', () => {
    const part = fc.stringMatching(/^[A-Za-z0-9%/]{1,4}$/);
    const pair = fc.tuple(part, part);
    const idOf = (...of: string[]): string => eventId(INVENTORY_RESERVED, { store: 's1', of });
    expect(new Set([idOf('a/b', 'c'), idOf('a', 'b/c'), idOf('a%2Fb', 'c')]).size).toBe(3);
    const traces = new Set<string>();
    const ids = new Set<string>();
    fc.assert(
      fc.property(pair, pair, (one, other) => {
        const [first, second] = [one, other].map((of) => eventId(INVENTORY_RESERVED, { store: 's1', of }));
        expect(first === second).toBe(one[0] === other[0] && one[1] === other[1]);
        ids.add(first ?? '');
        traces.add(headersOf(INVENTORY_RESERVED, { ...cause, of: one }).traceparent);
      }),
      { numRuns: 2_000 },
    );
    expect(traces.size).toBe(ids.size);
  });
});

describe('an amount of money', () => {
  it.each([
    ['12.50', '12.50'],
    ['12.5', '12.50'],
    ['12', '12.00'],
    [12.5, '12.50'],
    ['-3.10', '-3.10'],
    ['-0.00', '0.00'],
    ['012.5000', '12.50'],
    ['99999999.99', '99999999.99'],
    ['100000000.00', null],
    ['12.345', null],
    ['1e3', null],
    ['', null],
    ['.5', null],
    [NaN, null],
    [null, null],
  ])('%j is %j: never rounded', (value, expected) => {
    expect(amountOf(value)).toBe(expected);
  });
});
