import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maxLineBytes, writeDecided } from '../../../src/adapters/files/logs/order-line.ts';
import { parseDecided } from '../../../src/adapters/files/logs/parse-order-line.ts';
import type { Decided, Outcome } from '../../../src/domain/orders/decided.ts';
import { isoTime } from '../../../src/domain/iso-time.ts';
import { tries } from '../../support/effort.ts';

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/);
const quantity = fc.oneof(
  fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  fc.double({ noDefaultInfinity: true, noNaN: true }),
  fc.constantFrom(0, -0, -1, 9, 10, 99, 100, 2 ** 31 - 1, 2 ** 31, 1e21, 1e-7, Number.MAX_VALUE),
  fc.constantFrom(NaN, Infinity, -Infinity),
);
const time = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_000_000 + 3 * 86_400_000 }),
  fc.integer({ min: -8.64e15, max: 8.64e15 }),
  fc.double({ min: -9e15, max: 9e15 }),
  fc.constantFrom(0, -1, -86_400_000, 86_399_999, 8.64e15, 8.64e15 + 1, NaN, Infinity),
);
const line = fc.record({
  item: name,
  quantity,
  unitPrice: fc.option(fc.oneof(fc.constant('12.50'), fc.string({ unit: 'binary' }))),
});
const stock = fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER }));

const decided: fc.Arbitrary<Decided> = fc
  .record({ lines: fc.array(fc.tuple(line, stock), { maxLength: 4 }), isAccepted: fc.boolean() })
  .chain(({ lines, isAccepted }) => {
    const outcome: fc.Arbitrary<Outcome> = isAccepted
      ? fc.constant({ kind: 'accepted', stock: lines.map(([, onHand]) => onHand ?? 0) })
      : fc.record({
          kind: fc.constant('rejected' as const),
          reason: fc.constantFrom('unknown_user', 'insufficient_stock'),
          detail: fc.string({ unit: 'binary', maxLength: 60 }),
          userStatus: fc.constantFrom('paid', 'unpaid', null),
          stock: fc.constant(lines.map(([, onHand]) => onHand)),
        });
    const traceparent = fc.constant('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
    const required = {
      order: fc.record({
        orderId: name,
        user: name,
        items: fc.constant(lines.map(([item]) => item)),
        createdAt: time,
      }),
      record: fc.record({
        topic: fc.stringMatching(/^[a-zA-Z0-9._-]{1,249}$/),
        partition: fc.nat(),
        offset: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      }),
      outcome,
      decidedAt: time,
    };
    return fc.oneof(fc.record(required), fc.record({ ...required, traceparent }));
  });

/** As long as it can be. */
const SEQ = Number.MAX_SAFE_INTEGER;

/** The same line the slow way. */
function plainly({ order, record, outcome, decidedAt, traceparent }: Decided): string {
  const items = order.items.map(({ item, quantity: wanted, unitPrice }, index) => ({
    item,
    quantity: wanted,
    stock: outcome.stock[index] ?? null,
    ...(unitPrice === null ? {} : { unit_price: unitPrice }),
  }));
  const why =
    outcome.kind === 'accepted'
      ? { accepted_at: isoTime(decidedAt) }
      : {
          reason: outcome.reason,
          detail: outcome.detail,
          user_status: outcome.userStatus,
          rejected_at: isoTime(decidedAt),
        };
  const head = { order_id: order.orderId, user: order.user, items, created_at: isoTime(order.createdAt) };
  const text = JSON.stringify({ ...head, ...why, seq: SEQ, ...record, traceparent });
  return `${text.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}

it('a decision is written as JSON would have it, into the room it asks for', () => {
  fc.assert(
    fc.property(fc.array(decided, { minLength: 1, maxLength: 6 }), (batch) => {
      const lines = batch.map((each) => {
        const room = maxLineBytes(each);
        const bytes = Buffer.alloc(room + 16, '#');
        const end = writeDecided(each, SEQ, bytes, 8);
        expect(end).toBeLessThanOrEqual(8 + room);
        expect(bytes.subarray(end).toString('latin1')).toBe('#'.repeat(bytes.length - end));
        return bytes.toString('latin1', 8, end);
      });
      expect(lines).toEqual(batch.map(plainly));
    }),
    { numRuns: tries(500, 100) },
  );
});

it('a line is read as it was written', () => {
  const whole = fc.tuple(decided, fc.nat({ max: 2 ** 41 }), fc.nat({ max: 2 ** 41 }));
  fc.assert(
    fc.property(whole, ([each, createdAt, decidedAt]) => {
      const given = { ...each, order: { ...each.order, createdAt }, decidedAt };
      const bytes = Buffer.alloc(maxLineBytes(given));
      const end = writeDecided(given, SEQ, bytes, 0);
      // JSON knows no −0, and neither NaN nor infinities.
      const items = given.order.items.map((item) => ({
        ...item,
        quantity: Number.isFinite(item.quantity) ? item.quantity + 0 : NaN,
      }));
      expect(parseDecided(bytes.subarray(0, end - 1))).toEqual({
        ...given,
        order: { ...given.order, items },
      });
    }),
  );
});

it('a line that is not as it was written is read as JSON has it, or not at all', () => {
  const change = fc.record({
    at: fc.nat(),
    cut: fc.nat({ max: 2 }),
    put: fc.constantFrom('', ' ', '0', '-', '"', ',', '\\', 'é', '}'),
  });
  fc.assert(
    fc.property(decided, change, (each, { at, cut, put }) => {
      const bytes = Buffer.alloc(maxLineBytes(each));
      const text = bytes.toString('latin1', 0, writeDecided({ ...each, decidedAt: 0 }, 7, bytes, 0) - 1);
      const place = at % text.length;
      const line = Buffer.from(text.slice(0, place) + put + text.slice(place + cut));
      const read = (): unknown => parseDecided(line).order;
      let json: { order_id?: unknown; user?: unknown; items?: readonly object[] } | undefined;
      try {
        json = JSON.parse(line.toString()) as typeof json;
      } catch {
        expect(read).toThrow();
        return;
      }
      if (!Array.isArray(json?.items)) expect(read).toThrow();
      else expect(read()).toMatchObject({ orderId: json.order_id, user: json.user });
    }),
    { numRuns: tries(2_000, 150) },
  );
});

it('a line is read as it was written, whatever was in its buffer before', () => {
  const lines = Array.from({ length: 6_000 }, (_, number) => {
    const time = `2026-01-02T03:${String(number % 60).padStart(2, '0')}:05.678Z`;
    return { time, item: `i-${String(number).padStart(4, '0')}` };
  });
  const buffer = Buffer.alloc(300);
  const read = lines.map(({ time, item }) => {
    const text =
      `{"order_id":"o","user":"u","items":[{"item":"${item}","quantity":1,"stock":5}],"created_at":"${time}",` +
      `"accepted_at":"${time}","seq":7,"topic":"orders","partition":0,"offset":9}`;
    const { order } = parseDecided(buffer.subarray(0, buffer.write(text)));
    return { time: isoTime(order.createdAt), item: order.items[0]?.item };
  });
  expect(read).toEqual(lines);
});
