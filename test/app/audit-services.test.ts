import fs from 'node:fs';
import os from 'node:os';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { openFolder } from '../../src/adapters/files/folder.ts';
import { audit } from '../../src/app/audit/audit.ts';
import { auditDocument, auditText } from '../../src/cli/output/audit.ts';
import { systemClock } from '../../src/compose.ts';
import { EVENTS_LOG } from '../../src/domain/stock/events.ts';
import { CHECKOUT, type CheckoutFact, type CheckoutStep } from '../../src/domain/checkout/facts.ts';
import type { Effect, EffectKind } from '../../src/domain/effects.ts';
import { newFact, type Fact } from '../../src/domain/facts.ts';
import type { Movement } from '../../src/domain/movement.ts';
import { differencesOfServices } from '../support/audit-services.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';

const AT = '2026-01-02T03:04:05.006Z';
const LINE = { product_id: 'pen', quantity: 2, unit_price: '5.00' };
let folder: ModelFolder;

function factOf(order_id: string, step: CheckoutStep, more: object = {}): CheckoutFact {
  const placed = {
    customer_id: 'alice',
    items: [LINE],
    total_amount: '10.00',
    shipping_address: 'Road 1',
    created_at: AT,
    topic: 'orders.created',
    partition: 0,
    offset: 0,
  };
  const details: Partial<Record<CheckoutStep, object>> = {
    validated: placed,
    rejected: { ...placed, reason: 'unknown_user', detail: '' },
    charge_owed: { amount: '10.00' },
    paid: { amount: '10.00', reference: 'r', attempts: 1 },
    reserved: { items: [LINE] },
    refund_owed: { amount: '10.00', reason: 'cancelled' },
    refunded: { amount: '10.00', reference: 'r', reason: 'cancelled', attempts: 1 },
  };
  return { order_id, at: AT, step, ...details[step], ...more } as CheckoutFact;
}

function facts(log: string, ...values: Fact[]): void {
  folder.facts.set(log, [...(folder.facts.get(log) ?? []), ...values]);
}

function steps(orderId: string, ...names: CheckoutStep[]): void {
  facts('checkout', ...names.map((step) => factOf(orderId, step)));
}

function move(
  cause: Movement['cause'],
  delta: number,
  orderId: string | null,
  eventId: string | null = null,
) {
  folder.movements.push({ item: 'pen', delta, cause, orderId, eventId, seq: 1, at: 1, onHand: 1 });
}

function owe(id: string, kind: EffectKind, of: Partial<Effect> = {}): void {
  const effect = { id, kind, key: id, fields: {}, state: 'due', dueAt: 1, attempts: 0, firstTriedAt: null };
  folder.owed.set(id, { ...effect, ...of } as Effect);
}

const PAID = ['validated', 'charge_owed', 'paid'] as const;

/** Orders at every point of the way, all of them in order. */
beforeEach(() => {
  folder = new ModelFolder(new FakeClock());
  steps('NEW', 'validated');
  steps('OWED', 'validated', 'charge_owed');
  owe('checkout/OWED/charge', 'charge');
  steps('PAID', ...PAID);
  steps('DONE', ...PAID, 'reserved', 'dispatched');
  move('reservation', -2, 'DONE');
  steps('BACK', ...PAID, 'reserved', 'cancelled', 'refund_owed', 'refunded');
  move('reservation', -2, 'BACK');
  move('release', 2, 'BACK');
  steps('GONE', ...PAID, 'gone', 'refund_owed');
  owe('checkout/GONE/refund', 'refund', { state: 'parked', attempts: 6 });
  steps('NO', 'validated', 'charge_owed', 'declined');
  steps('EARLY', 'cancelled', 'rejected');
  const delivery = { delivery_id: 'D-1', channel: 'mail', at: AT, attempts: 1, detail: null };
  facts('deliveries', { ...delivery, step: 'owed' }, { ...delivery, step: 'delivered' });
  facts('notifications', { order_id: 'DONE', cause: 'paid', notification_id: 'N-1', at: AT });
  move('restock', 5, null, 'E-1');
  facts(EVENTS_LOG.name, { event_id: 'E-1', product_id: 'book', delta: 5 });
  facts(EVENTS_LOG.name, { event_id: 'E-2', product_id: 'book', delta: 0 });
});

const found = async () =>
  (await differencesOfServices(folder)).map(({ kind, orderId }) => `${kind} ${orderId ?? ''}`.trim());

it('services whose books are in order have no differences; what is in flight and parked is counted', async () => {
  expect(await found()).toEqual([]);
  const result = await audit(folder, { topic: null, repair: false, onNotice: () => undefined });
  const document = auditDocument(result);
  expect(document).toMatchObject({
    checked: { checkout_orders: 8, unfinished_orders: 4, movements: 4, facts: 33 },
    effects: { owed: 2, parked: 1 },
    notes: [{ kind: 'effect_parked', where: 'checkout/GONE/refund' }],
  });
  const text = auditText(result);
  expect(text).toContain('in flight: 4 orders of the checkout\npending: 2 effects, 1 of them parked\n');
  expect(text).toContain('(refund_outstanding)');
});

it('what waits to be sent is named by where it goes', async () => {
  const letter = { kind: 'record', id: 'a', key: null, value: null, headers: [] } as const;
  folder.outgoing.push({ ...letter, topic: 'orders.dlq' }, { ...letter, topic: 'alerts' });
  const result = await audit(folder, { topic: null, repair: false, onNotice: () => undefined });
  expect(auditText(result)).toContain('waiting to be sent: 1 to orders.dlq, 1 to alerts');
  expect(auditDocument(result)).toMatchObject({
    unsent: 2,
    unsent_by_destination: { 'orders.dlq': 1, alerts: 1 },
  });
});

describe('a difference is', () => {
  it.each<[string, () => void, string[]]>([
    ['a step that comes twice', () => steps('DONE', 'paid'), ['step_twice DONE']],
    ['two outcomes', () => steps('NO', 'rejected'), ['outcome_mismatch NO']],
    ['money that was charged and declined', () => steps('NO', 'paid'), ['outcome_mismatch NO']],
    ['a dispatch of a cancelled order', () => steps('BACK', 'dispatched'), ['outcome_mismatch BACK']],
    [
      'a reservation that was never paid',
      () => {
        steps('NEW', 'reserved');
        move('reservation', -2, 'NEW');
      },
      ['step_missing NEW'],
    ],
    [
      'money of an order that was rejected, and is not refunded',
      () => steps('REFUSED', 'rejected', 'charge_owed', 'paid'),
      ['step_missing REFUSED'],
    ],
    ['a dispatch of nothing', () => steps('PAID', 'dispatched'), ['step_missing PAID']],
    [
      'money that a completed order gave back',
      () => steps('DONE', 'refund_owed', 'refunded'),
      ['money_mismatch DONE'],
    ],
    [
      'another amount than the total',
      () =>
        facts(
          'checkout',
          ...PAID.map((step) => factOf('X', step, step === 'paid' ? { amount: '9.00' } : {})),
        ),
      ['money_mismatch X'],
    ],
    [
      'a refund of another amount',
      () => {
        facts('checkout', factOf('GONE', 'refunded', { amount: '9.99' }));
        folder.owed.delete('checkout/GONE/refund');
      },
      ['money_mismatch GONE'],
    ],
    ['stock that was taken twice', () => move('reservation', -2, 'DONE'), ['reservation_mismatch DONE']],
    ['stock that was not taken', () => folder.movements.splice(0, 1), ['reservation_mismatch DONE']],
    ['stock that did not come back', () => folder.movements.splice(2, 1), ['reservation_mismatch BACK']],
    ['stock of an order that is none', () => move('reservation', -1, 'NONE'), ['reservation_mismatch NONE']],
    [
      'a charge that was forgotten',
      () => folder.owed.delete('checkout/OWED/charge'),
      ['effect_missing OWED'],
    ],
    [
      'a refund that was forgotten',
      () => folder.owed.delete('checkout/GONE/refund'),
      ['effect_missing GONE'],
    ],
    ['a charge that was answered', () => owe('checkout/DONE/charge', 'charge'), ['effect_unaccounted DONE']],
    [
      'a mail that was forgotten',
      () => facts('deliveries', { delivery_id: 'D-2', channel: 'mail', step: 'owed', at: AT, attempts: 0 }),
      ['effect_missing'],
    ],
    [
      'a customer who is written to twice',
      () => facts('notifications', { order_id: 'DONE', cause: 'paid', notification_id: 'N-1', at: AT }),
      ['step_twice DONE'],
    ],
    ['an event that counts twice', () => move('restock', 5, null, 'E-1'), ['event_twice']],
    [
      'an event that is logged twice',
      () => facts(EVENTS_LOG.name, { event_id: 'E-2', product_id: 'book', delta: 0 }),
      ['event_twice'],
    ],
    ['a movement of no event', () => move('sale', -5, null, 'E-9'), ['event_mismatch']],
    ['a movement of a refused event', () => move('sale', -5, null, 'E-2'), ['event_mismatch']],
    [
      'an event whose stock did not move',
      () => facts(EVENTS_LOG.name, { event_id: 'E-9', product_id: 'book', delta: -1 }),
      ['event_mismatch'],
    ],
  ])('%s', async (_, breakIt, expected) => {
    breakIt();
    expect(await found()).toEqual(expected);
  });

  it('an order of both flows', async () => {
    await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
    await folder.edit({ kind: 'item.add', item: 'pen', quantity: 10 });
    await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
    const of = recordOf('orders', 0, 'A-1', 'alice', { pen: 1 });
    await decideRecords(store, [of]);
    steps('A-1', 'validated');
    expect(await found()).toEqual(['claimed_twice A-1']);
  });

  it('an order that was cancelled in advance, and sold all the same; not one whose cancellation was refused', async () => {
    await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
    await folder.edit({ kind: 'item.add', item: 'pen', quantity: 10 });
    await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
    await decideRecords(store, [
      recordOf('orders', 0, 'D-1', 'alice', { pen: 1 }),
      recordOf('orders', 1, 'D-2', 'alice', { pen: 1 }),
    ]);
    steps('D-1', 'cancelled');
    steps('D-2', 'cancel_refused');
    expect(await found()).toEqual(['claimed_twice D-1']);
  });

  it('not stock that had nowhere to go back to', async () => {
    folder.movements.splice(2, 1);
    await folder.edit({ kind: 'item.add', item: 'pen', quantity: 10 });
    await folder.edit({ kind: 'item.remove', item: 'pen' });
    expect(await found()).toEqual([]);
  });
});

it('a folder is looked at down to the line', async () => {
  const path = fs.mkdtempSync(`${os.tmpdir()}/orderctl-audit-`);
  onTestFinished(() => fs.rmSync(path, { recursive: true }));
  const access = openFolder({ folder: path, clock: systemClock });
  {
    await using store = await access.own({ purpose: 'test', via: 'command', onNotice: () => undefined });
    const changes = {
      facts: [...PAID, 'refund_owed' as const, 'paid' as const].map((step) =>
        newFact(CHECKOUT, factOf('A', step)),
      ),
    };
    await store.transact({}, () => ({ changes, result: null }));
  }
  expect((await differencesOfServices(access)).map(({ kind, where }) => [kind, where])).toEqual([
    ['step_twice', 'checkout.jsonl:5'],
    ['effect_missing', 'checkout.jsonl'],
  ]);
});
