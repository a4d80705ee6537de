import { expect, test } from 'vitest';
import { fill, messagesOf, openShop, type Shop } from '../support/cli.ts';
import {
  confluentValue,
  createTopic,
  jsonOrder,
  readTopic,
  registerSchema,
  sendRaw,
  type TopicRecord,
} from '../support/topics.ts';

const HEADERS = [
  'x-original-topic',
  'x-original-partition',
  'x-original-offset',
  'x-original-timestamp',
  'x-original-group',
  'x-error-code',
  'x-error-message',
  'x-error-stage',
  'x-attempts',
  'x-failed-at',
];

async function penShop(): Promise<Shop> {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 50 });
  await createTopic(shop.topic, 1);
  return shop;
}

function header(record: TopicRecord | undefined, name: string): string {
  return String(record?.headers[name]);
}

test('garbage goes to the DLQ with its bytes and the reason in headers, orders around it count', async () => {
  const shop = await penShop();
  const count = { type: 'record', name: 'Count', fields: [{ name: 'n', type: 'int' }] };
  const countId = await registerSchema(`${shop.topic}-other`, count);
  const strings = { type: 'array', items: 'string' };
  const stringsId = await registerSchema(`${shop.topic}-strings`, strings);
  const hostile = Buffer.concat([
    confluentValue(stringsId, strings, []).subarray(0, 5),
    // An array that claims 2^31 - 1 strings.
    Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f]),
  ]);
  const unknownId = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 2]);
  const garbage: [string, Buffer | string | null, string][] = [
    ['no-value', null, 'no_value'],
    ['text', 'hello', 'unknown_format'],
    ['binary', Buffer.from([1, 2, 3, 255, 254]), 'unknown_format'],
    ['unknown-id', unknownId, 'unknown_schema_id'],
    ['short', Buffer.from([0, 0, 0]), 'undecodable'],
    ['hostile', hostile, 'undecodable'],
    ['another-record', confluentValue(countId, count, { n: 4 }), 'missing_field'],
    ['half-json', '{"order_id":"x"', 'undecodable'],
    ['no-user', '{"order_id":"x","items":[]}', 'missing_field'],
    [
      'quantity-text',
      '{"order_id":"x","user":"alice","items":[{"item":"pen","quantity":"2"}]}',
      'invalid_field',
    ],
    ['formula', '{"order_id":"x","user":"=1+1","items":[{"item":"pen","quantity":2}]}', 'invalid_name'],
  ];
  await sendRaw(shop.topic, [
    jsonOrder('before', 'alice', { pen: 1 }),
    ...garbage.map(([key, value]) => ({ key, value, headers: { trace: 'abc' } })),
    jsonOrder('after', 'alice', { pen: 1 }),
  ]);
  const { stdout, stderr } = await shop.ok('consume --until-end -o json');
  expect(JSON.parse(stdout), stderr).toMatchObject({
    read: garbage.length + 2,
    accepted: 2,
    rejected: 0,
    dead_lettered: garbage.length,
    stopped_by: 'end',
  });
  expect(shop.stock()).toEqual({ pen: 48 });

  const letters = await readTopic(shop.dlqTopic);
  expect(letters).toHaveLength(garbage.length);
  const byKey = new Map(letters.map((letter) => [String(letter.key), letter]));
  const found = Object.fromEntries(garbage.map(([key]) => [key, header(byKey.get(key), 'x-error-code')]));
  expect(found).toEqual(Object.fromEntries(garbage.map(([key, , code]) => [key, code])));
  for (const [index, [key, value]] of garbage.entries()) {
    const letter = byKey.get(key);
    expect(letter?.value, key).toEqual(value === null ? null : Buffer.from(value as string));
    for (const name of HEADERS) expect(Object.keys(letter?.headers ?? {}), key).toContain(name);
    expect(header(letter, 'x-original-topic')).toBe(shop.topic);
    expect(header(letter, 'x-original-partition')).toBe('0');
    expect(header(letter, 'x-original-offset')).toBe(String(index + 1));
    expect(header(letter, 'x-original-group')).toBe(shop.group);
    expect(header(letter, 'x-error-message').length).toBeGreaterThan(3);
  }
  // Once: reading on sends nothing again.
  await shop.ok('consume --until-end');
  expect(await readTopic(shop.dlqTopic)).toHaveLength(garbage.length);
});

test('a dead letter that was journalled and not sent before a kill is sent, and listed for one record', async () => {
  const shop = await penShop();
  const consumer = shop.start('consume');
  await sendRaw(shop.topic, [{ key: 'g', value: 'garbage' }, jsonOrder('a', 'alice', { pen: 1 })]);
  await consumer.says(/accepted a/);
  consumer.signal('SIGKILL');
  await consumer.exited;
  await shop.ok('consume --until-end');
  const letters = await readTopic(shop.dlqTopic);
  expect(letters.length).toBeGreaterThanOrEqual(1);
  expect(new Set(letters.map((letter) => header(letter, 'x-original-offset')))).toEqual(new Set(['0']));
});

test('a duplicate of other content is a conflict: warned about, counted apart, without effect', async () => {
  const shop = await penShop();
  await sendRaw(shop.topic, [
    jsonOrder('d-1', 'alice', { pen: 2 }),
    jsonOrder('d-1', 'alice', { pen: 2 }, 1_770_000_000_000),
    jsonOrder('d-1', 'alice', { pen: 3 }),
  ]);
  const result = await shop.ok('consume --until-end -o json');
  expect(JSON.parse(result.stdout)).toMatchObject({ read: 3, accepted: 1, duplicates: 1, conflicts: 1 });
  expect(messagesOf(result)).toMatch(/warning: .*d-1/);
  expect(shop.stock()).toEqual({ pen: 48 });
});
