import { CHECKOUT, type CheckoutFact } from '../../src/domain/checkout/facts.ts';
import type { Effect } from '../../src/domain/effects.ts';
import { newFact, type FactLog } from '../../src/domain/facts.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { OutgoingRecord } from '../../src/ports/store.ts';
import { accepted, order } from '../contract/store.suite.ts';

const AT = '2026-11-28T10:00:00.000Z';
export const STEP = { order_id: 'WEB-1', at: AT, topic: 't', partition: 0, offset: 1 } as const;
const LINE = { product_id: 'pen', quantity: 2, unit_price: '1.50' };
const FACTS: readonly CheckoutFact[] = [
  { ...STEP, step: 'charge_owed', amount: '3.00' },
  { ...STEP, step: 'paid', amount: '3.00', reference: 'ch-1', attempts: 2 },
  { ...STEP, step: 'reserved', items: [LINE] },
  { ...STEP, step: 'dispatched', carrier: 'DHL', tracking_number: 'T-1' },
  { ...STEP, order_id: 'WEB-2', step: 'charge_owed', amount: '9.00' },
  {
    ...STEP,
    order_id: 'WEB-2',
    step: 'declined',
    amount: '9.00',
    reference: null,
    reason: 'no_funds',
    attempts: 1,
  },
];
/** For the events of the shop's tills. */
const EVENTS_LOG: FactLog<Record<string, unknown>> = { name: 'events_log', key: 'event_id' };
const EVENT = {
  event_id: 'E-1',
  source: 'store_sales',
  product_id: 'pen',
  quantity: 3,
  unit_price: null,
  order_id: null,
  store_id: 'S',
  supplier_id: null,
  occurred_at: AT,
  status: 'applied',
  reason: null,
  delta: -3,
  on_hand: 7,
  at: AT,
  topic: 'store_sales',
  partition: 0,
  offset: 4,
  raw: Buffer.from('{}').toString('base64'),
};
export const LETTER: OutgoingRecord = {
  kind: 'record',
  id: 'orders/3@17',
  topic: 'orders.dlq',
  key: null,
  value: null,
  headers: [],
};
export const EFFECT: Effect = {
  id: 'e-1',
  kind: 'charge',
  key: 'k',
  fields: {},
  state: 'due',
  dueAt: 0,
  attempts: 0,
  firstTriedAt: null,
};

/** A shop with some of everything, for tests that read it by SQL. */
export async function fillShop(access: StoreAccess): Promise<void> {
  const how = { via: 'command', onNotice: () => undefined } as const;
  await access.edit({ kind: 'user.add', user: 'alice', status: 'paid' }, how);
  await access.edit({ kind: 'item.add', item: 'pen', quantity: 12, name: 'Pen', price: '1.50' }, how);
  await using store = await access.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  const events = [EVENT, { ...EVENT, event_id: 'E-2', status: 'rejected' as const }];
  await store.transact(
    {
      users: ['alice'],
      items: ['pen'],
      orders: ['ORD-1'],
      effects: ['e-1'],
      facts: new Map([
        [CHECKOUT, ['WEB-1', 'WEB-2']],
        [EVENTS_LOG, ['E-1', 'E-2']],
      ]),
    },
    () => ({
      changes: {
        decisions: [accepted(order('ORD-1', 'pen'), [12])],
        facts: [
          ...FACTS.map((fact) => newFact(CHECKOUT, fact)),
          ...events.map((event) => newFact(EVENTS_LOG, event)),
        ],
        movements: [{ item: 'pen', delta: -3, cause: 'sale', orderId: null, eventId: 'E-1' }],
        outgoing: [LETTER],
        effects: [{ id: 'e-1', effect: EFFECT }],
      },
      result: null,
    }),
  );
}
