import { expect } from 'vitest';
import { CHECKOUT, factOf, has, type CheckoutFact } from '../../src/domain/checkout/facts.ts';
import { statusOf } from '../../src/domain/checkout/status.ts';
import { ORDER_CANCEL } from '../../src/domain/messages/checkout/order-cancel.ts';
import { SHIPMENT_DISPATCH } from '../../src/domain/messages/checkout/shipment-dispatch.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';
import type { DispatchRules } from '../../src/processors/warehouse/rules.ts';
import { differencesOfServices } from './audit-services.ts';
import { CheckoutWorld, stock, userRow } from './checkout-world.ts';
import { randomOf, type Random } from './random.ts';

/* Histories of the checkout, each determined by its seed: every possible interference, then quiet, then the balance. */

const DISPATCHES: readonly DispatchRules[] = [
  { way: 'auto', delayMs: 0 },
  { way: 'auto', delayMs: 30_000 },
  { way: 'manual', delayMs: 0 },
];
const USERS = ['alice', 'bob', 'carol'] as const;

/** The next action of a user in a history. */
type Act = (world: CheckoutWorld, random: Random) => void;

/** Eight orders, sent again and again, cancelled and dispatched at any time. */
export async function liveShop(seed: number): Promise<void> {
  const put = { book: 10, pen: 10 };
  const ids = Array.from({ length: 8 }, (_, number) => `O-${number}`);
  const cancelled = new Set<string>();
  const first = randomOf(~seed);
  for (const id of ids) if (first.below(3) === 0) cancelled.add(id);
  await history(seed, put, ids, (world, random) => {
    const id = ids[random.below(ids.length * 2)];
    if (id === undefined) return;
    if (cancelled.has(id) && random.below(2) === 0) cancel(world, id);
    else if (random.below(3) === 0) dispatch(world, id);
    else placeOne(world, id);
  });
}

/**
 * Ten buyers and, in most races, three tills want one or two remaining units. In every second race nobody cancels, and
 * then the last unit is sold.
 */
export async function liveRace(seed: number): Promise<void> {
  const book = 1 + (seed % 3 === 0 ? 1 : 0);
  const buyers = Array.from({ length: 10 }, (_, number) => `B-${number}`);
  const tills = Array.from({ length: seed % 4 === 1 ? 0 : 3 }, (_, number) => `T-${number}`);
  const mayCancel = seed % 2 === 0;
  const left = [...buyers, ...tills];
  const buy = (world: CheckoutWorld, id: string): void => {
    if (id.startsWith('T')) world.placeDirect(id, 'carol', { book: 1 });
    else world.place(id, USERS[Number(id.slice(2)) % 3] ?? 'alice', { book: 1 });
  };
  const world = await history(seed, { book }, buyers, (at, random) => {
    const [next] = left.splice(random.below(left.length * 2), 1);
    if (next !== undefined) buy(at, next);
    const id = [...buyers, ...tills][random.below(30)];
    if (id === undefined) return;
    if (mayCancel && random.below(2) === 0) cancel(at, id);
    else if (random.below(2) === 0) dispatch(at, id);
    else buy(at, id);
  });
  if (left.length > 0) throw new Error(`${left.length} never came`);
  const onHand = world.folder.tables.items.get('book')?.quantity;
  if (!mayCancel) expect(onHand, `seed ${seed}: the last one is sold`).toBe(0);
}

/** @param ids of the checkout @returns the world at the end, with balanced books */
async function history(
  seed: number,
  put: Readonly<Record<string, number>>,
  ids: readonly string[],
  act: Act,
): Promise<CheckoutWorld> {
  const rules = DISPATCHES[seed % DISPATCHES.length] ?? PLAIN_SHOP.dispatch;
  const world = new CheckoutWorld(rules);
  await world.restart();
  stock(world, put);
  for (const user of USERS) world.folder.tables.users.set(user, userRow(user));
  world.gateway.declines.add('bob');
  try {
    await live(world, randomOf(seed), act);
    // Work in flight is no difference.
    expect(await differencesOfServices(world.folder)).toEqual([]);
    await world.settle();
    checkBooks(world, ids, put, rules.way);
    expect(await differencesOfServices(world.folder)).toEqual([]);
    await checkPast(world);
  } catch (error) {
    throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
  }
  return world;
}

/** The books balanced at any moment, whatever was in flight. */
async function checkPast({ folder }: CheckoutWorld): Promise<void> {
  for (const share of [0.2, 0.4, 0.6, 0.8]) {
    const { seq } = folder.history[Math.floor(share * folder.history.length)] ?? {};
    if (seq == null) continue;
    expect(await differencesOfServices(folder, { kind: 'commit', seq }), `commit ${seq}`).toEqual([]);
  }
}

/** Runs the world for a while, with everything at random. */
async function live(world: CheckoutWorld, random: Random, act: Act): Promise<void> {
  const fates = ['answered', 'refused', 'lost', 'unanswered'] as const;
  world.gateway.fate = () => random.pick([[5, 'answered'], ...fates.map((fate) => [1, fate] as const)]);
  for (let turn = 0; turn < 60; turn++) {
    act(world, random);
    await readSome(world, random);
    if (random.below(2) === 0) await world.send(random.below(4) === 0);
    if (random.below(2) === 0)
      await world.perform(1 + random.below(3), () =>
        random.pick([
          [4, 'commit'],
          [1, 'lose'],
        ]),
      );
    if (random.below(12) === 0) await world.restart();
    world.clock.time += random.pick([
      [3, 500],
      [2, 20_000],
      [1, 4_000_000],
    ]);
  }
}

/** One processor reads some of its waiting records, in any order; some of them stay and are delivered again. */
async function readSome(world: CheckoutWorld, random: Random): Promise<void> {
  const name = world.processors[random.below(world.processors.length)]?.name ?? '';
  const inbox = world.inboxes.get(name) ?? [];
  const taken = inbox.filter(() => random.below(2) === 0).sort(() => random.below(3) - 1);
  const fate = random.pick<'commit' | 'lose'>([
    [6, 'commit'],
    [1, 'lose'],
  ]);
  await world.process(name, taken, fate);
  if (fate === 'lose') return;
  const again = new Set(taken.filter(() => random.below(5) === 0));
  const stays = inbox.filter((one) => !taken.includes(one) || again.has(one));
  world.inboxes.set(name, stays);
}

/** The same content for an id each time: a repeat is a duplicate. */
function placeOne(world: CheckoutWorld, id: string): void {
  const number = Number(id.slice(2));
  const customer = USERS[number % 3] ?? 'alice';
  const lines = number % 4 === 0 ? { book: 3, pen: 2 } : number % 4 === 1 ? { pen: 4 } : { book: 2 };
  world.place(id, customer, lines);
}

function cancel(world: CheckoutWorld, id: string): void {
  world.publish(ORDER_CANCEL, { order_id: id, reason: 'changed my mind', requested_at: 0 });
}

function dispatch(world: CheckoutWorld, id: string): void {
  world.publish(SHIPMENT_DISPATCH, { order_id: id, carrier: 'DHL', requested_at: 0 });
}

const cents = (amount: string): number => Math.round(Number(amount) * 100);

/** Every order has one outcome, money moved at most once each way, and stock is what was put in less what was sold. */
function checkBooks(
  world: CheckoutWorld,
  ids: readonly string[],
  put: Readonly<Record<string, number>>,
  way: DispatchRules['way'],
): void {
  const left = new Map(Object.entries(put));
  const take = (item: string, quantity: number): void =>
    void left.set(item, (left.get(item) ?? 0) - quantity);
  for (const id of ids) {
    const facts = world.folder.factsOf(CHECKOUT, id);
    checkOrder(world, id, facts);
    if (statusOf(facts) !== 'COMPLETED') continue;
    for (const { product_id, quantity } of factOf(facts, 'reserved')?.items ?? []) take(product_id, quantity);
    // With manual dispatch, only requested orders are dispatched.
    if (way === 'auto') expect(has(facts, 'dispatched')).toBe(true);
  }
  for (const { order, outcome } of world.folder.byId.values()) {
    if (outcome.kind === 'accepted') for (const { item, quantity } of order.items) take(item, quantity);
  }
  const onHand = new Map(
    [...left.keys()].map((item) => [item, world.folder.tables.items.get(item)?.quantity]),
  );
  expect(onHand).toEqual(left);
  for (const count of left.values()) expect(count).toBeGreaterThanOrEqual(0);
  expect(world.folder.owed.size).toBe(0);
}

function checkOrder(world: CheckoutWorld, id: string, facts: readonly CheckoutFact[]): void {
  const steps = facts.map(({ step }) => step);
  expect(new Set(steps).size, `${id}: ${steps.join()}`).toBe(steps.length);
  const moved = world.gateway.moved.filter(({ orderId }) => orderId === id);
  for (const kind of ['charge', 'refund']) {
    expect(moved.filter(({ key }) => key.endsWith(`:${kind}`)).length, id).toBeLessThanOrEqual(1);
  }
  const net = moved.reduce(
    (sum, { key, amount }) => sum + (key.endsWith('charge') ? 1 : -1) * cents(amount),
    0,
  );
  const status = statusOf(facts);
  if (facts.length > 0) expect(['COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED'], id).toContain(status);
  expect(net, id).toBe(status === 'COMPLETED' ? cents(factOf(facts, 'validated')?.total_amount ?? '0') : 0);
  // The customer is notified of each step once.
  const notified = [...world.sent.values()].filter(
    ({ type, fields }) => type === 'notifications.outbound' && fields.order_id === id,
  );
  expect(new Set(notified.map(({ fields }) => fields.cause)).size, id).toBe(notified.length);
}
