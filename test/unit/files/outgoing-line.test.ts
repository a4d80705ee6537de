import { expect, it } from 'vitest';
import {
  parseOutgoing,
  parseUndelivered,
  renderOutgoing,
  renderUndelivered,
} from '../../../src/adapters/files/outbox/outgoing-line.ts';
import type { Headers } from '../../../src/ports/record.ts';

const RECORD = {
  kind: 'record',
  id: 'orders/0@1',
  topic: 'orders.dlq',
  key: null,
  value: Buffer.from([0, 255]),
} as const;

it('a record to be sent keeps its headers: order, repetition, null', () => {
  const headers: Headers = [
    ['a', 'text'],
    ['b', null],
    ['a', Buffer.from([255])],
    ['a', ''],
  ];
  const record = { ...RECORD, headers };
  expect(parseOutgoing(Buffer.from(renderOutgoing(record)))).toEqual(record);
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
