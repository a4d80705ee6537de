import { beforeEach, expect, it } from 'vitest';
import { audit } from '../../src/app/audit/audit.ts';
import { auditDocument, auditText } from '../../src/cli/output/audit.ts';
import type { CheckoutStep } from '../../src/domain/checkout/facts.ts';
import type { Effect } from '../../src/domain/effects.ts';
import type { Edit } from '../../src/domain/edit.ts';
import type { OrderCreated } from '../../src/domain/messages/checkout/order-created.ts';
import type { ProcessorName } from '../../src/domain/messages/message.ts';
import type { OutgoingMessage } from '../../src/domain/messages/outgoing.ts';
import type { Codec } from '../../src/ports/codec.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { JsonCodec } from '../support/json-codec.ts';
import { ModelFolder } from '../support/model.ts';
import { PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const AT = new Date(1).toISOString();
const PLACE = { topic: 'orders.created', partition: 0, offset: 0 };
const PAID = ['validated', 'charge_owed', 'paid'] as const;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

let folder: ModelFolder;
let broker: ScriptedBroker;

beforeEach(() => {
  folder = new ModelFolder(new FakeClock());
  broker = new ScriptedBroker();
  broker.createTopic('orders');
});

function steps(order_id: string, ...names: readonly CheckoutStep[]): void {
  const facts = names.map((step) => ({
    order_id,
    at: AT,
    step,
    ...PLACE,
    customer_id: 'alice',
    items: [],
    total_amount: '1.00',
    amount: '1.00',
    shipping_address: 'Road 1',
    created_at: AT,
  }));
  folder.facts.set('checkout', [...(folder.facts.get('checkout') ?? []), ...facts]);
}

/** Appends a record of that order. @returns its offset */
function record(topic: string, key: string, value = '{}'): number {
  if (!broker.topics.has(topic)) broker.createTopic(topic);
  return broker.append(topic, 0, { key: utf8(key), value: utf8(value) });
}

function read(processor: ProcessorName, topic: string, next: number): void {
  folder.apply({ positions: [{ processor, topic, partition: 0, next, last: null, clusterId: null }] });
}

function skip(processor: ProcessorName, topic: string, before: number, after: number): void {
  const move: Edit = { kind: 'position', processor, topic, partition: 0, before, after, cause: 'reset' };
  folder.apply({ edits: [move] });
}

function send(type: string, key: string): void {
  const message: OutgoingMessage = {
    kind: 'message',
    id: key,
    type,
    key,
    fields: {},
    at: 1,
    traceparent: null,
  };
  folder.outgoing.push(message);
}

function owe(id: string, kind: Effect['kind'], state: Effect['state'] = 'due'): void {
  folder.owed.set(id, { id, kind, key: id, fields: {}, state, dueAt: 1, attempts: 0, firstTriedAt: null });
}

async function look() {
  const createdCodec = new JsonCodec() as Codec<unknown> as Codec<OrderCreated>;
  const orders = { broker, codec: new PlainCodec(), topic: 'orders', dlqTopic: 'orders.dlq' };
  const topic = { ...orders, createdCodec, names: new Map() };
  return audit(folder, { topic, repair: false, onNotice: () => undefined });
}

const found = async () => {
  const { differences, notes } = await look();
  return [...differences, ...notes].map(({ kind, where }) => `${kind} ${where}`);
};

/** One order at each point of the way: what it waits for can be pointed to. */
function inFlight(): void {
  steps('UNREAD', 'validated');
  record('orders.validated', 'UNREAD');
  steps('UNSENT', ...PAID);
  send('payments.processed', 'UNSENT');
  steps('OWED', 'validated', 'charge_owed');
  owe('checkout/OWED/charge', 'charge');
  steps('PARKED', ...PAID, 'gone', 'refund_owed');
  owe('checkout/PARKED/refund', 'refund', 'parked');
  steps('LATER', ...PAID, 'reserved');
  owe('checkout/LATER/dispatch', 'dispatch');
  steps('LETTER', ...PAID, 'gone');
  record('inventory.rejected.dlq', 'LETTER');
  steps('BY-HAND', ...PAID, 'reserved');
  read('warehouse', 'shipments.created', record('shipments.created', 'BY-HAND') + 1);
  steps('DONE', ...PAID, 'reserved', 'dispatched');
  // A request to cancel an order of the direct flow is no order of the checkout.
  steps('DIRECT', 'cancel_refused');
}

it('an unfinished order has an unread record, a message to be sent, an effect or a dead letter', async () => {
  inFlight();
  const result = await look();
  expect(result.differences.map(({ kind }) => kind)).toEqual([]);
  expect(auditDocument(result)).toMatchObject({
    checked: { unfinished_orders: 7 },
    in_flight: { owed: 3, waiting: 1, unread: 1, dead_lettered: 1, by_hand: 1, skipped: 0 },
    unfinished: [
      { order_id: 'UNREAD', waits_for: 'payment' },
      { order_id: 'UNSENT', waits_for: 'inventory' },
      { order_id: 'OWED', waits_for: null },
      { order_id: 'PARKED', waits_for: null },
      { order_id: 'LATER', waits_for: 'warehouse' },
      { order_id: 'LETTER', waits_for: 'payment' },
      { order_id: 'BY-HAND', waits_for: 'warehouse' },
    ],
  });
  expect(auditText(result)).toContain(
    'in flight: 7 orders of the checkout: 1 to be read, 1 to be sent, 3 owed, 1 among the dead letters, 1 to be dispatched by hand\n',
  );
});

it('without the topics nothing is said of what orders wait for', async () => {
  inFlight();
  const result = await audit(folder, { topic: null, repair: false, onNotice: () => undefined });
  expect(auditDocument(result)).toMatchObject({ in_flight: null, checkout_records: null });
  expect(auditText(result)).toContain('in flight: 7 orders of the checkout\n');
});

it.each<[CheckoutStep, readonly CheckoutStep[], ProcessorName, string, string | null]>([
  ['validated', [], 'payment', 'orders.validated', 'cancel_order'],
  ['paid', PAID, 'inventory', 'payments.processed', 'cancel_order'],
  ['reserved', PAID, 'warehouse', 'shipments.created', 'cancel_order'],
  ['gone', PAID, 'payment', 'inventory.rejected', null],
  ['cancelled', PAID, 'payment', 'orders.cancelled', null],
])('an order that was %s and waits for nothing is stuck', async (step, before, reader, topic, way) => {
  steps('O-1', ...new Set([...before, step]));
  // Of another order, of another message, and of another processor.
  read(reader, topic, record(topic, 'O-2') + 1);
  record(`${topic}.other`, 'O-1');
  send('orders.rejected', 'O-1');
  const [stuck, ...others] = (await look()).differences;
  expect(others).toEqual([]);
  expect(stuck).toMatchObject({ kind: 'order_stuck', orderId: 'O-1', where: topic });
  expect(stuck?.message).toBe(
    `order O-1 waits for ${reader}: its message is not in ${topic}, and is not waiting to be sent`,
  );
  const { fix } = stuck ?? {};
  expect(typeof fix === 'object' ? fix?.kind : null).toBe(way);
});

it('what was read without a step is stuck, and is read again from there; what was skipped is noted', async () => {
  steps('READ', 'validated');
  steps('SKIPPED', 'validated');
  const offset = record('orders.validated', 'READ');
  record('orders.validated', 'SKIPPED');
  read('payment', 'orders.validated', 2);
  expect((await look()).differences).toMatchObject([
    {
      orderId: 'READ',
      where: 'orders.validated/0@0',
      fix: { kind: 'read_again', processor: 'payment', offset },
    },
    { orderId: 'SKIPPED', where: 'orders.validated/0@1' },
  ]);
  skip('payment', 'orders.validated', 1, 2);
  const result = await look();
  expect(await found()).toEqual(['order_stuck orders.validated/0@0', 'order_skipped orders.validated/0@1']);
  expect(result.inFlight).toMatchObject({ skipped: 1 });
  const [{ fix } = { fix: null }] = auditDocument(result).differences;
  expect(fix).toContain('offsets reset --processor payment --source orders.validated --to 0 --partitions 0');
});

it('a placed order that was read is decided, a conflict, a dead letter or skipped', async () => {
  steps('O-1', 'rejected');
  for (const order_id of ['O-1', 'O-1', 'LOST'])
    record('orders.created', order_id, JSON.stringify({ order_id }));
  record('orders.created', 'x', 'no order');
  read('validation', 'orders.created', 4);
  broker.createTopic('orders.created.dlq');
  expect(await found()).toEqual([
    'record_unaccounted orders.created/0@2',
    'dead_letter_missing orders.created/0@3',
  ]);
  skip('validation', 'orders.created', 2, 4);
  const result = await look();
  expect(result.total).toBe(0);
  expect(auditDocument(result)).toMatchObject({
    checkout_records: { deciding: 2, duplicates: 0, conflicts: 0, dead_letters: 0, skipped: 2 },
  });
  // A shop of the checkout alone has no topic of the direct flow.
  broker.topics.delete('orders');
  expect(await look()).toMatchObject({ total: 0, topic: { records: 0 }, created: { records: 4 } });
});

it('a dead letter that was discarded or redriven does not hold an order', async () => {
  steps('O-1', ...PAID, 'gone');
  read('payment', 'inventory.rejected', record('inventory.rejected', 'O-1') + 1);
  record('inventory.rejected.dlq', 'O-1');
  expect(await found()).toEqual([]);
  const letters = [{ id: '0:0', key: '0:0 1000' }];
  for (const action of ['discarded', 'redriven'] as const) {
    const mark: Edit = {
      kind: 'dead_letter',
      topic: 'inventory.rejected.dlq',
      action,
      why: 'wrong',
      letters,
    };
    folder.apply({ edits: [mark] });
    expect(await found()).toEqual(['order_stuck inventory.rejected/0@0']);
  }
});

it('a record of the direct flow whose id the checkout has is a conflict', async () => {
  steps('X', 'rejected');
  steps('ADVANCE', 'cancelled');
  for (const orderId of ['X', 'LOST', 'ADVANCE']) record('orders', orderId, JSON.stringify({ orderId }));
  read('orders', 'orders', 3);
  expect(await found()).toEqual(['record_unaccounted orders/0@1']);
  expect(await look()).toMatchObject({ topic: { records: 3, conflicts: 2 } });
});
