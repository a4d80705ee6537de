import { expect, it } from 'vitest';
import { CHECKOUT, factOf, has } from '../../../src/domain/checkout/facts.ts';
import { statusOf } from '../../../src/domain/checkout/status.ts';
import { ORDER_CANCEL } from '../../../src/domain/messages/checkout/order-cancel.ts';
import { SHIPMENT_DISPATCH } from '../../../src/domain/messages/checkout/shipment-dispatch.ts';
import type { DispatchRules } from '../../../src/processors/warehouse/rules.ts';
import { CheckoutWorld } from '../../support/checkout-world.ts';

/** A shop where order O-1 is packed, and `warehouse` has read it. */
async function packed(rules: DispatchRules): Promise<CheckoutWorld> {
  const world = new CheckoutWorld(rules);
  await world.restart();
  world.folder.tables.users.set('alice', { user: 'alice', status: 'paid', extra: {} });
  const item = { item: 'book', quantity: 10, name: null, price: '2.50', reorderLevel: null, extra: {} };
  world.folder.tables.items.set('book', item);
  world.place('O-1', 'alice', { book: 4 });
  for (const name of ['validation', 'payment', 'inventory', 'warehouse']) await step(world, name);
  return world;
}

async function step(world: CheckoutWorld, name: string): Promise<void> {
  await world.process(name, world.inboxes.get(name)?.splice(0) ?? []);
  await world.perform(10);
  await world.send();
}

const facts = (world: CheckoutWorld) => world.folder.factsOf(CHECKOUT, 'O-1');
const wish = (world: CheckoutWorld): void =>
  world.publish(SHIPMENT_DISPATCH, { order_id: 'O-1', carrier: 'DHL', requested_at: 0 });
const cancel = (world: CheckoutWorld): void =>
  world.publish(ORDER_CANCEL, { order_id: 'O-1', reason: null, requested_at: 0 });

it('a shipment waits for its delay, and no longer', async () => {
  const world = await packed({ way: 'auto', delayMs: 60_000 });
  expect(has(facts(world), 'dispatched')).toBe(false);
  world.clock.time += 59_999;
  await step(world, 'warehouse');
  expect(has(facts(world), 'dispatched')).toBe(false);
  world.clock.time += 1;
  await step(world, 'warehouse');
  expect(factOf(facts(world), 'dispatched')).toMatchObject({ carrier: 'own', tracking_number: 'OWN-O-1' });
});

it('one that is cancelled while it waits is not dispatched', async () => {
  const world = await packed({ way: 'auto', delayMs: 60_000 });
  cancel(world);
  await step(world, 'inventory');
  world.clock.time += 60_000;
  await step(world, 'warehouse');
  expect(statusOf(facts(world))).toBe('CANCELLED');
  expect(has(facts(world), 'dispatched')).toBe(false);
  expect(world.folder.tables.items.get('book')?.quantity).toBe(10);
});

it('one that is wished for leaves before its delay is over, once', async () => {
  const world = await packed({ way: 'auto', delayMs: 60_000 });
  wish(world);
  await step(world, 'warehouse');
  world.clock.time += 60_000;
  wish(world);
  await step(world, 'warehouse');
  expect(facts(world).filter((fact) => fact.step === 'dispatched')).toMatchObject([
    // Not a number that says that the shop carries it.
    { carrier: 'DHL', tracking_number: 'O-1' },
  ]);
});

it('by hand it waits until it is wished for; then it cannot be cancelled', async () => {
  const world = await packed({ way: 'manual', delayMs: 0 });
  world.clock.time += 1_000_000;
  await step(world, 'warehouse');
  expect(has(facts(world), 'dispatched')).toBe(false);
  wish(world);
  await step(world, 'warehouse');
  cancel(world);
  await step(world, 'inventory');
  expect(statusOf(facts(world))).toBe('COMPLETED');
  expect(factOf(facts(world), 'cancel_refused')?.detail).toBe('it was dispatched');
  expect([...world.sent.values()].filter(({ type }) => type === 'shipments.dispatched')).toHaveLength(1);
});

it('what is not packed is not dispatched, and what was cancelled neither', async () => {
  const world = new CheckoutWorld({ way: 'manual', delayMs: 0 });
  await world.restart();
  wish(world);
  await step(world, 'warehouse');
  expect(facts(world)).toEqual([]);
  const cancelled = await packed({ way: 'manual', delayMs: 0 });
  cancel(cancelled);
  await step(cancelled, 'inventory');
  wish(cancelled);
  await step(cancelled, 'warehouse');
  expect(has(facts(cancelled), 'dispatched')).toBe(false);
});
