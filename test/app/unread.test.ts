import { expect, it } from 'vitest';
import { SharedReader } from '../../src/app/intake/shared-reader.ts';
import { UnreadOrders } from '../../src/app/intake/unread.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import type { StoredPosition } from '../../src/ports/store.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { encodeOrder, PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const PARTITIONS = 2;

async function setUp(kept: number) {
  const broker = new ScriptedBroker();
  broker.comparesRecords = true;
  broker.createTopic('orders', PARTITIONS);
  const codec = new PlainCodec();
  let decoded = 0;
  const folder = new ModelFolder(new FakeClock());
  const view = new SharedReader(() => folder.read());
  const unread = new UnreadOrders<Order>(
    {
      broker,
      topic: 'orders',
      processor: 'orders' as const,
      view,
      idOf: (order) => order.orderId,
      codec: {
        decode: (records) => {
          decoded += records.length;
          return codec.decode(records);
        },
      },
    },
    kept,
  );
  const send = (partition: number, orderId: string, more: Partial<Order> & { timestamp?: number } = {}) => {
    const { timestamp = 1, ...fields } = more;
    const order = { orderId, user: 'alice', items: [], createdAt: 1, ...fields };
    return broker.append('orders', partition, { value: encodeOrder(order), timestamp });
  };
  const positions = (...next: number[]): void =>
    next.forEach((offset, partition) => {
      const position: StoredPosition = {
        processor: 'orders',
        topic: 'orders',
        partition,
        next: offset,
        last: null,
        clusterId: null,
      };
      folder.stored.set(`orders/orders/${partition}`, position);
    });
  const found = async (id: string): Promise<string | undefined> => (await unread.find(id))?.orderId;
  return { broker, codec, send, positions, found, decoded: () => decoded, unread };
}

it('an order is found until its processor has read it, and each record is decoded once however often is asked', async () => {
  const { codec, send, positions, found, decoded, unread } = await setUp(1_000);
  for (let n = 0; n < 50; n++) send(n % PARTITIONS, `A-${n}`);
  expect(await Promise.all([found('A-0'), found('A-49'), found('none')])).toEqual(['A-0', 'A-49', undefined]);
  // All once, and those that were found.
  expect(decoded()).toBe(52);
  for (let n = 0; n < 20; n++) expect(await found('none')).toBe(undefined);
  expect(decoded()).toBe(52);
  send(1, 'A-50');
  expect(await found('A-50')).toBe('A-50');
  expect(decoded()).toBe(54);
  positions(10, 0);
  expect([await found('A-18'), await found('A-20'), await found('A-1')]).toEqual([undefined, 'A-20', 'A-1']);
  // Moved back: they are to be read again.
  positions(5, 0);
  expect([await found('A-8'), await found('A-10')]).toEqual([undefined, 'A-10']);
  // A registry that is away for a moment loses none.
  send(0, 'A-51');
  codec.decodeFailures = [new Error('away')];
  await expect(found('A-51')).rejects.toThrow('away');
  expect(await found('A-51')).toBe('A-51');
  await unread[Symbol.asyncDispose]();
});

it('where more wait than are kept it finds the latest, and does not say of others that there are none', async () => {
  const { send, positions, found, decoded } = await setUp(20);
  for (let n = 0; n < 100; n++) send(n % PARTITIONS, `A-${n}`);
  expect(await found('A-99')).toBe('A-99');
  expect(decoded()).toBe(21);
  await expect(found('A-3')).rejects.toMatchObject({
    code: 'broker_unreachable',
    message: '100 orders are waiting for the consumer: A-3 may be one of them',
  });
  positions(45, 45);
  expect([await found('A-3'), await found('A-90')]).toEqual([undefined, 'A-90']);
});

it('a topic that is not there, or was made again, has none of the orders of before', async () => {
  const { broker, send, found } = await setUp(100);
  for (let n = 0; n < 5; n++) send(0, `A-${n}`);
  expect(await found('A-4')).toBe('A-4');
  broker.topics.delete('orders');
  expect(await found('A-4')).toBe(undefined);
  broker.createTopic('orders', PARTITIONS);
  send(0, 'B-0');
  expect([await found('A-0'), await found('B-0')]).toEqual([undefined, 'B-0']);
  // Made again at once, and longer at the next look than it was known to be; then as long.
  for (const [id, count] of [
    ['C', 3],
    ['D', 3],
  ] as const) {
    broker.createTopic('orders', PARTITIONS);
    for (let n = 0; n < count; n++) send(0, `${id}-${n}`, { timestamp: id.charCodeAt(0) });
    expect([await found('B-0'), await found(`${id}-0`), await found(`${id}-2`)]).toEqual([
      undefined,
      `${id}-0`,
      `${id}-2`,
    ]);
  }
});

it('an order of several records is found as long as one of them is unread: the first that is left decides', async () => {
  const { broker, send, positions, unread } = await setUp(100);
  const userOf = async (id: string): Promise<string | undefined> => (await unread.find(id))?.user;
  for (const [partition, user] of [
    [0, 'ann'],
    [0, 'ben'],
    [1, 'eve'],
    [1, 'fay'],
  ] as const)
    send(partition, 'X', { user });
  expect(await userOf('X')).toBe('ann');
  // Removed by retention.
  broker.topics.get('orders')?.[0]?.shift();
  expect(await userOf('X')).toBe('ben');
  // Skipped.
  positions(2, 0);
  expect(await userOf('X')).toBe('eve');
  positions(2, 1);
  expect(await userOf('X')).toBe('fay');
  // Read.
  const left = send(0, 'Y', { user: 'gus' });
  send(1, 'Y', { user: 'hal' });
  expect(await userOf('Y')).toBe('gus');
  positions(left + 1, 1);
  expect([await userOf('Y'), await userOf('X')]).toEqual(['hal', 'fay']);
  positions(left + 1, 3);
  expect([await userOf('Y'), await userOf('X')]).toEqual([undefined, undefined]);
});
