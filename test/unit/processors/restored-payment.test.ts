import { beforeEach, expect, it } from 'vitest';
import { CHECKOUT, factOf, has, type CheckoutFact } from '../../../src/domain/checkout/facts.ts';
import { statusOf } from '../../../src/domain/checkout/status.ts';
import { ORDER_CANCEL } from '../../../src/domain/messages/checkout/order-cancel.ts';
import { PAYMENT_PROCESSED } from '../../../src/domain/messages/checkout/payment-processed.ts';
import { RESTORED, RESTORED_KEY } from '../../../src/domain/messages/restored.ts';
import { CheckoutWorld, stock, userRow } from '../../support/checkout-world.ts';

/* A store that was restored from a backup does not know what it had charged since. */

let world: CheckoutWorld;
beforeEach(async () => {
  world = new CheckoutWorld();
  await world.restart();
  stock(world, { book: 10 });
  world.folder.tables.users.set('alice', userRow('alice'));
});

const KEY = 'model-folder:O-1:charge';
const facts = (): readonly CheckoutFact[] => world.folder.factsOf(CHECKOUT, 'O-1');
const cancel = (): void => world.publish(ORDER_CANCEL, { order_id: 'O-1', reason: null, requested_at: 0 });
const moved = (): string[] => world.gateway.moved.map(({ key }) => key);

async function step(name: string): Promise<void> {
  await world.process(name, world.inboxes.get(name)?.splice(0) ?? []);
  await world.send();
}

/** The shop went on after the backup that is in force now, and charged the order. */
async function restore(): Promise<void> {
  const of = { orderId: 'O-1', customerId: 'alice', amount: '10.00', traceparent: null };
  await world.gateway.charge({ ...of, key: KEY });
  isRestored();
}

function isRestored(): void {
  world.folder.small.set(RESTORED.name, new Map([[RESTORED_KEY, { at: world.clock.now() }]]));
  world.clock.time += 1_000;
}

it('what it charged is refunded when the order is cancelled before it is charged again', async () => {
  world.place('O-1', 'alice', { book: 4 });
  await step('validation');
  await step('payment');
  await restore();
  cancel();
  await step('inventory');
  await world.settle();
  expect([statusOf(facts()), moved()]).toEqual(['CANCELLED', [KEY, 'model-folder:O-1:refund']]);
});

it('also when it reads that it was cancelled before it reads that it was validated', async () => {
  world.place('O-1', 'alice', { book: 4 });
  await step('validation');
  await restore();
  cancel();
  await step('inventory');
  world.inboxes.get('payment')?.reverse();
  for (const one of world.inboxes.get('payment')?.splice(0) ?? []) await world.process('payment', [one]);
  await world.settle();
  expect([statusOf(facts()), moved()]).toEqual(['CANCELLED', [KEY, 'model-folder:O-1:refund']]);
});

it('and when its stock is gone before the charge is known again', async () => {
  world.place('O-1', 'alice', { book: 4 });
  await step('validation');
  const { items = [], shipping_address = '' } = factOf(facts(), 'validated') ?? {};
  await restore();
  world.publish(PAYMENT_PROCESSED, {
    order_id: 'O-1',
    customer_id: 'alice',
    amount: '10.00',
    reference: `r-${KEY}`,
    attempts: 1,
    items,
    shipping_address,
    processed_at: world.clock.now(),
  });
  stock(world, { book: 3 });
  await step('inventory');
  world.inboxes.get('payment')?.reverse();
  await world.settle();
  expect([statusOf(facts()), moved()]).toEqual(['FAILED', [KEY, 'model-folder:O-1:refund']]);
  expect(factOf(facts(), 'refunded')?.reason).toBe('insufficient_stock');
});

it('what it charged for an order that it rejects now is refunded, and nothing is taken or charged', async () => {
  world.place('O-1', 'alice', { book: 4 });
  const created = [...(world.inboxes.get('validation') ?? [])];
  await step('validation');
  const validated = world.inboxes.get('payment')?.splice(0) ?? [];
  const { items = [], shipping_address = '' } = factOf(facts(), 'validated') ?? {};
  await restore();
  world.folder.facts.clear();
  stock(world, { book: 3 });
  await world.process('validation', created);
  expect(statusOf(facts())).toBe('REJECTED');
  stock(world, { book: 10 });
  world.publish(PAYMENT_PROCESSED, {
    order_id: 'O-1',
    customer_id: 'alice',
    amount: '10.00',
    reference: `r-${KEY}`,
    attempts: 1,
    items,
    shipping_address,
    processed_at: world.clock.now(),
  });
  await world.process('payment', validated);
  await world.settle();
  expect([statusOf(facts()), moved()]).toEqual(['REJECTED', [KEY, 'model-folder:O-1:refund']]);
  expect([has(facts(), 'reserved'), world.folder.tables.items.get('book')?.quantity]).toEqual([false, 10]);
});

it('an order whose payment comes again before it is validated again was validated', async () => {
  world.place('O-1', 'alice', { book: 4 });
  const created = [...(world.inboxes.get('validation') ?? [])];
  await step('validation');
  const validated = world.inboxes.get('payment')?.splice(0) ?? [];
  await restore();
  world.folder.facts.clear();
  await world.process('payment', validated);
  stock(world, { book: 3 });
  await world.process('validation', created);
  await world.settle();
  expect(has(facts(), 'validated')).toBe(true);
  expect([statusOf(facts()), moved()]).toEqual(['FAILED', [KEY, 'model-folder:O-1:refund']]);
});

it.each(['before', 'after'])('an order of %s the restore that was never charged is not', async (when) => {
  if (when === 'after') isRestored();
  world.place('O-1', 'alice', { book: 4 });
  await step('validation');
  if (when === 'before') isRestored();
  cancel();
  await step('inventory');
  world.inboxes.get('payment')?.reverse();
  if (when === 'after') world.gateway.lookUp = async () => Promise.reject(new Error('there is no doubt'));
  await world.settle();
  expect([statusOf(facts()), moved(), has(facts(), 'not_charged')]).toEqual(['CANCELLED', [], true]);
});
