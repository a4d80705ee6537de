import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  parseOutgoing,
  parseUndelivered,
  renderOutgoing,
  renderUndelivered,
} from '../../../src/adapters/files/outbox/outgoing-line.ts';
import type { OutgoingMessage } from '../../../src/domain/messages/outgoing.ts';
import type { Headers } from '../../../src/ports/record.ts';
import type { Outgoing } from '../../../src/ports/store.ts';

const RECORD = {
  kind: 'record',
  id: 'orders/0@1',
  topic: 'orders.dlq',
  key: null,
  value: Buffer.from([0, 255]),
} as const;

/** What the lines hold that are written for these: an array for each line. */
function written(outgoing: readonly Outgoing[]): (readonly Outgoing[])[] {
  return Array.from(renderOutgoing(outgoing), ({ text, outgoing: of }) => {
    expect(text.indexOf('\n')).toBe(text.length - 1);
    const parsed = parseOutgoing(Buffer.from(text));
    expect(parsed).toEqual(of);
    return parsed;
  });
}

it('a record to be sent keeps its headers: order, repetition, null', () => {
  const headers: Headers = [
    ['a', 'text'],
    ['b', null],
    ['a', Buffer.from([255])],
    ['a', ''],
  ];
  const record = { ...RECORD, headers };
  expect(written([record])).toEqual([[record]]);
  expect(parseUndelivered(Buffer.from(renderUndelivered(record)))).toEqual(record);
});

it('a line of an earlier version, with several values under one name, is read', () => {
  const line = `["outgoing",{"number":7,"id":"orders/0@1","topic":"orders.dlq","key":null,"value":"AP8=","headers":[["a",[{"s":"text"},{"b":"/w=="}]],["c",{"s":"x"}]]}]`;
  expect(parseUndelivered(Buffer.from(line)).headers).toEqual([
    ['a', 'text'],
    ['a', Buffer.from([255])],
    ['c', 'x'],
  ]);
});

const event = (n: number, fields: OutgoingMessage['fields']): OutgoingMessage => {
  const item = `item-${n % 3}`;
  const id = `s/inventory-events/${n}`;
  return {
    kind: 'message',
    id,
    type: 'inventory-events',
    key: item,
    at: 1_790_000_000_000 + (n >> 4),
    fields: { event_id: id, item, ...fields },
    traceparent: n % 7 === 0 ? `00-${n}` : null,
  };
};

it('messages of one type share lines of a limited length, in order', () => {
  const events = Array.from({ length: 1_200 }, (_, n) => event(n, { delta: 1 - n, order_id: null }));
  const lines = written(events);
  expect(lines.map(({ length }) => length)).toEqual([500, 500, 200]);
  expect(lines.flat()).toEqual(events);
  const long = Array.from({ length: 10 }, (_, n) => event(n, { message: 'x'.repeat(20_000) }));
  expect(written(long).map(({ length }) => length)).toEqual([3, 3, 3, 1]);
});

it('a message of another type, a dead letter, a record and one with lists in it end a line', () => {
  const why = { code: 'x', message: '', attempts: 1, processor: 'payment', record: { topic: 't', partition: 0, offset: 1 } } as const; // prettier-ignore
  const all: Outgoing[] = [
    event(1, { on_hand: 1 }),
    event(2, { on_hand: 2 }),
    { ...event(3, { on_hand: 3 }), type: 'alerts' },
    { ...event(4, { on_hand: 4 }), deadLetter: why },
    { ...event(4, { on_hand: 4 }), deadLetter: why },
    { ...RECORD, headers: [] },
    event(5, { lines: [{ item: 'pen' }] }),
    event(6, { lines: [] }),
    event(7, { on_hand: 7 }),
    event(8, { at: 8 }),
  ];
  const lines = written(all);
  expect(lines.map(({ length }) => length)).toEqual([2, 1, 1, 1, 1, 1, 1, 1, 1]);
  expect(lines.flat()).toEqual(all);
});

it('any values of any fields come back', () => {
  const note = event(1, {}).id;
  const alike = [event(1, { note }), event(2, { note: 'another' }), event(3, { note })];
  expect(written(alike)).toEqual([alike]);
  const value = fc.oneof(fc.constantFrom(null, true, 0, '', 'id', 'key', 'all'), fc.string(), fc.integer());
  const fields = fc.oneof(
    fc.record({ all: value, as: value, key: value }),
    fc.record({ one: value, some: fc.oneof(value, fc.constant([1])) }),
  );
  fc.assert(
    fc.property(fc.array(fields, { minLength: 1, maxLength: 30 }), (each) => {
      const all = each.map((one, n) => event(n, one));
      expect(written(all).flat()).toEqual(all);
    }),
  );
});
