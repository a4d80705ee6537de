import { beforeEach, describe, expect, it } from 'vitest';
import { NOTIFICATION } from '../../../src/domain/messages/checkout/notification.ts';
import { PAYMENT_PROCESSED } from '../../../src/domain/messages/checkout/payment-processed.ts';
import { parseMessage } from '../../../src/domain/messages/parse.ts';
import { notification } from '../../../src/processors/notification/processor.ts';
import {
  OWN_TEMPLATES,
  templatesFrom,
  textFor,
  type Step,
} from '../../../src/processors/notification/templates.ts';
import { PLAIN_SHOP } from '../../../src/processors/options.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { ModelFolder } from '../../support/model.ts';

const ORDER = { order_id: 'O-1', customer_id: 'alice', shipping_address: 'Main Street 1' };
const ITEMS = [{ product_id: 'pen', quantity: 2, unit_price: '1.00' }];
const PAID: Step = { ...ORDER, items: ITEMS, amount: '2.00', reference: 'r', attempts: 1, processed_at: 0 };

let folder: ModelFolder;
beforeEach(() => {
  folder = new ModelFolder(new FakeClock());
  setUser({});
});

const setUser = (extra: Readonly<Record<string, string>>): void =>
  void folder.tables.users.set('alice', { user: 'alice', status: 'paid', extra });

async function receive(source: string, ...messages: readonly Step[]) {
  const received = messages.map((message, offset) => {
    return { source, message, record: { topic: source, partition: 0, offset }, traceparent: null };
  });
  await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  return await store.transact(notification(PLAIN_SHOP).keys(received), (state) => {
    const { changes, results } = notification(PLAIN_SHOP).decide(received, state);
    return { changes, result: results.map(({ kind }) => kind) };
  });
}

const sent = () => folder.outgoing.map((one) => (one.kind === 'message' ? one.fields : {}));

it('a step is written about once, however often it comes, and each step by itself', async () => {
  expect(await receive(PAYMENT_PROCESSED.name, PAID, PAID)).toEqual(['handled', 'seen']);
  expect(await receive(PAYMENT_PROCESSED.name, PAID)).toEqual(['seen']);
  expect(await receive('shipments.created', { ...ORDER, items: ITEMS, created_at: 0 })).toEqual(['handled']);
  expect(sent()).toMatchObject([
    {
      customer_id: 'alice',
      order_id: 'O-1',
      cause: 'payments.processed',
      channel: 'log',
      recipient: null,
      notification_id: 'model-folder/notifications.outbound/O-1/payments.processed',
      subject: 'Order O-1 is paid',
      body: 'We have received 2.00 for order O-1. Thank you.\n',
    },
    { cause: 'shipments.created', subject: 'Order O-1 is being packed' },
  ]);
  for (const fields of sent()) expect(parseMessage(NOTIFICATION.schema, fields)).toEqual({ value: fields });
});

it.each([
  [{ email: 'a@example.org' }, 'email', 'a@example.org'],
  [{ email: 'a@example.org', notify: 'log' }, 'log', 'a@example.org'],
  [{ notify: 'webhook' }, 'webhook', null],
  [{ notify: 'email' }, 'log', null],
])("the user's row %j says how: %s", async (extra, channel, recipient) => {
  setUser(extra);
  await receive(PAYMENT_PROCESSED.name, PAID);
  expect(sent()).toMatchObject([{ channel, recipient }]);
});

it('an order of nobody, which was cancelled before it came, is written about to nobody', async () => {
  const cancelled = {
    order_id: 'O-9',
    customer_id: null,
    outcome: 'cancelled',
    detail: '',
    decided_at: 0,
  } as const;
  expect(await receive('orders.cancelled', cancelled)).toEqual(['ignored']);
  expect(sent()).toEqual([]);
});

describe('what it says', () => {
  const amount = { amount: '2.00', reason: 'x', attempts: 1 };
  it.each<[string, Step, string]>([
    [
      'orders.rejected',
      { ...ORDER, reason: 'x', detail: 'item pen has 1 on hand', rejected_at: 0 },
      'We cannot fulfil order O-1: item pen has 1 on hand.\n',
    ],
    [
      'payments.failed',
      { ...ORDER, ...amount, reference: null, failed_at: 0 },
      'Your payment of 2.00 for order O-1 was declined.\n',
    ],
    [
      'payments.refunded',
      { ...ORDER, ...amount, reference: 'r', refunded_at: 0 },
      'We have refunded the 2.00 that you paid for order O-1.\n',
    ],
    [
      'shipments.created',
      { ...ORDER, items: ITEMS, created_at: 0 },
      'We are packing order O-1:\n\n2 × pen\n\nIt goes to:\nMain Street 1\n',
    ],
    [
      'shipments.dispatched',
      { ...ORDER, items: ITEMS, carrier: 'own', tracking_number: 'N-1', dispatched_at: 0 },
      'Order O-1 has left us (own, number N-1).\n',
    ],
    [
      'orders.cancelled',
      { ...ORDER, outcome: 'cancelled', detail: '', decided_at: 0 },
      'Order O-1 is cancelled. What you paid for it will be refunded.\n',
    ],
    [
      'orders.cancelled',
      { ...ORDER, outcome: 'refused', detail: 'it was dispatched', decided_at: 0 },
      'Order O-1 cannot be cancelled: it was dispatched.\n',
    ],
  ])('%s', (source, message, body) => {
    const record = { topic: source, partition: 0, offset: 0 };
    expect(textFor({ source, message, record, traceparent: null }, 'log', OWN_TEMPLATES).body).toBe(body);
  });
});

describe('templates of the shop', () => {
  const file = (name: string, text: string) => ({ name, path: `templates/${name}`, text });
  const received = {
    source: PAYMENT_PROCESSED.name,
    message: PAID,
    traceparent: null,
    record: { topic: PAYMENT_PROCESSED.name, partition: 0, offset: 0 },
  };

  it('take the place of ours, for a step or a step and a channel', () => {
    const templates = templatesFrom([
      file('payments.processed.txt', 'Subject: {{ order_id }}\r\n\r\n{{items}} for {{amount}}\r\n'),
      file(
        'payments.processed.email.txt',
        '\uFEFFSubject: Thanks, {{customer_id}}\n\nAt {{processed_at}}\n\n',
      ),
    ]);
    expect(textFor(received, 'log', templates)).toEqual({ subject: 'O-1', body: '2 × pen for 2.00\n' });
    expect(textFor(received, 'email', templates)).toEqual({
      subject: 'Thanks, alice',
      body: 'At 1970-01-01T00:00:00.000Z\n',
    });
    const ours = textFor({ ...received, source: 'payments.failed' }, 'log', templates);
    expect(ours.subject).toBe('Payment of order O-1 failed');
  });

  it('put in what a field says, and do not read that as a template', () => {
    const message = { ...PAID, customer_id: '{{amount}} $& ', reference: '' };
    const templates = templatesFrom([
      file('payments.processed.txt', 'Subject: {{customer_id}}\n\n{{reference}}!\n'),
    ]);
    expect(textFor({ ...received, message }, 'log', templates)).toEqual({
      subject: '{{amount}} $& ',
      body: '!\n',
    });
  });

  it.each([
    [
      'payments.processed.txt',
      'Subject: paid\n\nHello {{name}}',
      'templates/payments.processed.txt:3: {{name}} is no',
    ],
    [
      'payments.processed.txt',
      'Subject: {{detail}}\n\n',
      'templates/payments.processed.txt:1: {{detail}} is not a field',
    ],
    ['payments.processed.txt', 'We thank you', 'templates/payments.processed.txt:1: a template must start'],
    [
      'payments.processed.txt',
      'Subject: paid\nWe',
      'templates/payments.processed.txt:2: a template must start',
    ],
    ['payments.proccessed.txt', '', 'templates/payments.proccessed.txt is not the template of any step'],
    ['payments.processed.html', '', 'templates/payments.processed.html is not the template of any step'],
  ])('are refused where they are wrong: %s, %j', (name, text, why) => {
    expect(() => templatesFrom([file(name, text)])).toThrow(why);
  });
});
