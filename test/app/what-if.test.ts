import { describe, expect, it } from 'vitest';
import { Again, type Circumstances } from '../../src/app/what-if/again.ts';
import { whatIf, type WhatIf } from '../../src/app/what-if/what-if.ts';
import { CHECKOUT } from '../../src/domain/checkout/facts.ts';
import type { EditRequest } from '../../src/domain/edit.ts';
import { ORDER_CANCEL } from '../../src/domain/messages/checkout/order-cancel.ts';
import { CheckoutWorld } from '../support/checkout-world.ts';
import { decideRecords, recordOf } from '../support/decided.ts';
import { randomOf, type Random } from '../support/random.ts';

const FIRST_SEED = Number(process.env.ORDERCTL_TEST_SEED ?? 1);
const SEEDS = Number(process.env.ORDERCTL_TEST_SEEDS ?? 40);

/** A shop with both flows. */
class Shop extends CheckoutWorld {
  #next = 0;

  async open(...edits: readonly EditRequest[]): Promise<this> {
    await this.restart();
    for (const edit of edits) await this.edit(edit);
    return this;
  }

  async edit(request: EditRequest): Promise<void> {
    await this.folder.edit(request);
    this.clock.time += 1_000;
  }

  async order(id: string, user: string, items: Readonly<Record<string, number>>): Promise<void> {
    const { order, record } = recordOf('orders', this.#next++, id, user, items);
    const lines = order.items.map((line) => ({ ...line, unitPrice: '2.50' }));
    await decideRecords(this.store, [{ order: { ...order, items: lines }, record }]);
    this.clock.time += 1_000;
  }

  async step(...names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.process(name, this.inboxes.get(name)?.splice(0) ?? []);
      await this.send();
      if (name !== 'payment') continue;
      await this.perform(10);
      await this.send();
    }
  }

  cancel(id: string): void {
    this.publish(ORDER_CANCEL, { order_id: id, reason: 'changed my mind', requested_at: 0 });
  }

  whatIf({ stock = {}, prices = {}, statuses = {} }: Other = {}): Promise<WhatIf> {
    const of = <T>(values: Readonly<Record<string, T>>) => new Map(Object.entries(values));
    const circumstances: Circumstances = { stock: of(stock), prices: of(prices), statuses: of(statuses) };
    return whatIf(this.folder, circumstances, null);
  }
}

interface Other {
  readonly stock?: Readonly<Record<string, number>>;
  readonly prices?: Readonly<Record<string, string>>;
  readonly statuses?: Readonly<Record<string, 'paid' | 'unpaid'>>;
}

const user = (name: string, status: 'paid' | 'unpaid'): EditRequest => ({
  kind: 'user.add',
  user: name,
  status,
});
const item = (name: string, quantity: number, price = '2.50'): EditRequest => ({
  kind: 'item.add',
  item: name,
  quantity,
  price,
});
const PEOPLE = [user('alice', 'paid'), user('bob', 'unpaid'), user('carol', 'paid')];

const otherwise = ({ orders }: WhatIf): string[] =>
  orders.map(({ orderId, was, wouldBe }) => `${orderId}: ${was}, ${wouldBe}`);

describe('orders of the direct flow are decided again', () => {
  it('with another stock in the beginning', async () => {
    const shop = await new Shop().open(...PEOPLE, item('pen', 5));
    await shop.order('A', 'alice', { pen: 4 });
    await shop.order('B', 'alice', { pen: 2 });
    await shop.edit({ kind: 'item.update', item: 'pen', by: 9 });
    await shop.order('C', 'alice', { pen: 8 });
    await shop.order('D', 'carol', { pen: 2 });
    const more = await shop.whatIf({ stock: { pen: 8 } });
    expect(otherwise(more)).toEqual(['B: rejected, accepted']);
    expect(more.items).toMatchObject([{ item: 'pen', quantity: { was: 0, wouldBe: 1 } }]);
    expect(more.revenue).toEqual({ was: 3500n, wouldBe: 4000n });
    const fewer = await shop.whatIf({ stock: { pen: 0 } });
    expect(otherwise(fewer)).toEqual(['A: accepted, rejected', 'D: accepted, rejected']);
    expect(fewer.orders[0]?.detail).toBe('item pen has 0 on hand, 4 wanted');
    const [pen] = (await shop.whatIf({ stock: { pen: 4 } })).items;
    const times = shop.folder.accepted.map(({ decidedAt }) => decidedAt);
    expect(pen?.ranOutAt).toEqual({ was: times[2], wouldBe: times[0] });
    expect(await shop.whatIf({ stock: { pen: 5 } })).toMatchObject({ orders: [], items: [] });
  });

  it('edits count as differences, and leave no less than 0', async () => {
    const shop = await new Shop().open(...PEOPLE, item('pen', 50));
    await shop.edit({ kind: 'item.update', item: 'pen', by: -40 });
    await shop.edit({ kind: 'item.update', item: 'pen', by: 5 });
    const { items } = await shop.whatIf({ stock: { pen: 20 } });
    expect(items).toMatchObject([{ quantity: { was: 15, wouldBe: 5 } }]);
  });

  it('with another status, also of nobody known, and another price', async () => {
    const shop = await new Shop().open(...PEOPLE, item('pen', 5));
    await shop.order('A', 'bob', { pen: 1 });
    await shop.edit({ kind: 'user.update', user: 'bob', status: 'paid' });
    await shop.order('B', 'bob', { pen: 1 });
    await shop.order('C', 'zoe', { pen: 1 });
    expect(otherwise(await shop.whatIf({ statuses: { bob: 'paid' } }))).toEqual(['A: rejected, accepted']);
    expect(otherwise(await shop.whatIf({ statuses: { bob: 'unpaid' } }))).toEqual(['B: accepted, rejected']);
    expect(otherwise(await shop.whatIf({ statuses: { zoe: 'paid' } }))).toEqual(['C: rejected, accepted']);
    expect((await shop.whatIf({ statuses: { zoe: 'unpaid' } })).counts).toEqual({
      accepted: 0,
      rejected: 0,
      not_sent: 0,
      rejected_otherwise: 1,
    });
    const dear = await shop.whatIf({ prices: { pen: '10.00' } });
    expect([dear.orders, dear.revenue]).toEqual([[], { was: 250n, wouldBe: 1000n }]);
  });

  it('and tries of an order that would not have been rejected are not sent', async () => {
    const shop = await new Shop().open(...PEOPLE, item('pen', 5));
    await shop.order('A', 'bob', { pen: 2 });
    await shop.order('A.r1', 'bob', { pen: 2 });
    // Only looks like a try: it is another order.
    await shop.order('A.r7', 'alice', { pen: 1 });
    await shop.edit({ kind: 'user.update', user: 'bob', status: 'paid' });
    await shop.order('A.r2', 'bob', { pen: 2 });
    const found = await shop.whatIf({ statuses: { bob: 'paid' } });
    expect(otherwise(found)).toEqual([
      'A: rejected, accepted',
      'A.r1: rejected, not_sent',
      'A.r2: accepted, not_sent',
    ]);
    expect(found.items).toEqual([]);
    expect(found.revenue).toEqual({ was: 750n, wouldBe: 750n });
  });
});

describe('orders of the checkout are decided again where their stock is reserved', () => {
  it('what was gone is accepted, what was reserved is not, and what is cancelled comes back where it was taken', async () => {
    const shop = await new Shop().open(...PEOPLE, item('pen', 6));
    shop.place('A', 'alice', { pen: 4 });
    shop.place('B', 'carol', { pen: 5 });
    await shop.step('validation', 'payment', 'inventory');
    const more = await shop.whatIf({ stock: { pen: 9 } });
    expect(otherwise(more)).toEqual(['B: rejected, accepted']);
    expect(more.items).toMatchObject([{ quantity: { was: 2, wouldBe: 0 } }]);
    expect(more.revenue).toEqual({ was: 1000n, wouldBe: 2250n });
    // A would not even be validated.
    const fewer = await shop.whatIf({ stock: { pen: 3 } });
    expect(otherwise(fewer)).toEqual(['A: accepted, rejected']);
    expect(fewer.items).toMatchObject([{ quantity: { was: 2, wouldBe: 3 } }]);
    shop.cancel('A');
    await shop.step('inventory', 'payment');
    expect((await shop.whatIf({ stock: { pen: 3 } })).items).toMatchObject([
      { quantity: { was: 6, wouldBe: 3 } },
    ]);
    expect((await shop.whatIf({ stock: { pen: 3 } })).revenue).toEqual({ was: 0n, wouldBe: 0n });
  });

  it('what would not have been validated is not reserved, though there is enough by then', async () => {
    const shop = await new Shop().open(...PEOPLE, item('pen', 6));
    shop.place('A', 'alice', { pen: 4 });
    await shop.step('validation');
    await shop.edit({ kind: 'item.update', item: 'pen', by: 9 });
    await shop.step('payment', 'inventory');
    const { orders } = await shop.whatIf({ stock: { pen: 3 } });
    expect(orders).toMatchObject([
      { orderId: 'A', wouldBe: 'rejected', detail: 'stock was insufficient when it was validated' },
    ]);
  });

  it('what was rejected and would not have been is unknown', async () => {
    const shop = await new Shop().open(...PEOPLE, item('pen', 1));
    shop.place('A', 'alice', { pen: 4 });
    shop.place('B', 'zoe', { pen: 1 });
    shop.place('C', 'alice', { cup: 1 });
    await shop.step('validation');
    const unknown = async (other: Other): Promise<number> => (await shop.whatIf(other)).unknown;
    expect(await unknown({ stock: { pen: 4 } })).toBe(1);
    expect(await unknown({ statuses: { zoe: 'unpaid' } })).toBe(1);
    expect(await unknown({ stock: { cup: 4 } })).toBe(1);
    expect(await unknown({ stock: { pen: 3 } })).toBe(0);
  });
});

/** Everything that changes users, stock and orders, at random, from the seed alone. */
async function live(shop: Shop, random: Random): Promise<void> {
  const items = ['pen', 'book', 'cup'];
  const people = ['alice', 'bob', 'carol', 'zoe'];
  const one = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
  const lines = (): Record<string, number> => {
    return Object.fromEntries(
      items.filter(() => random.below(2) === 0).map((name) => [name, 1 + random.below(4)]),
    );
  };
  shop.gateway.declines.add('carol');
  for (let turn = 0; turn < 160; turn++) {
    const name = one(items);
    const act = random.pick<() => Promise<void>>([
      [6, () => shop.order(`D-${random.below(60)}`, one(people), lines())],
      [3, () => shop.order(`D-${random.below(60)}.r1`, one(people), lines())],
      [8, async () => shop.place(`O-${random.below(40)}`, one(people), lines())],
      [1, async () => shop.cancel(`O-${random.below(40)}`)],
      [3, () => shop.edit({ kind: 'item.update', item: name, by: random.below(6) })],
      [1, () => shop.edit({ kind: 'item.update', item: name, quantity: random.below(6) })],
      [1, () => shop.edit({ kind: 'item.remove', item: name })],
      [2, () => shop.edit(item(name, random.below(12)))],
      [1, () => shop.edit({ kind: 'user.update', user: one(people), status: one(['paid', 'unpaid']) })],
      [1, () => shop.edit({ kind: 'user.remove', user: one(people) })],
      [1, () => shop.edit(user(one(people), one(['paid', 'unpaid'])))],
      [24, () => shop.step(one(['validation', 'payment', 'inventory', 'warehouse']))],
      [1, () => shop.restart()],
    ]);
    // An edit of what is not there, or is there already, is refused.
    await act().catch((error: unknown) => {
      if (!['not_found', 'already_exists'].includes((error as { code?: string }).code ?? '')) throw error;
    });
  }
}

it('what-if with nothing changed gives back exactly what was decided', async () => {
  let decided = 0;
  let reserved = 0;
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    const shop = await new Shop().open(...PEOPLE, item('pen', 9), item('book', 5));
    await live(shop, randomOf(seed));
    const found = await shop.whatIf();
    expect(found, `seed ${seed}`).toMatchObject({
      counts: { accepted: 0, rejected: 0, not_sent: 0, rejected_otherwise: 0 },
      orders: [],
      items: [],
      unknown: 0,
      revenue: { wouldBe: found.revenue.was },
      unpriced: { wouldBe: found.unpriced.was },
    });
    const again = new Again({ stock: new Map(), prices: new Map(), statuses: new Map() });
    for await (const chunk of shop.store.history([CHECKOUT])) chunk.forEach((line) => again.take(line));
    for (const side of [again.was, again.wouldBe]) {
      const left = [...side.items()].map((name) => [name, side.quantity(name)]).sort();
      const rows = [...shop.folder.tables.items.values()].map((row) => [row.item, row.quantity]).sort();
      expect(left, `seed ${seed}`).toEqual(rows);
    }
    decided += found.decided;
    reserved += shop.folder.movements.filter(({ cause }) => cause === 'reservation').length;
  }
  expect(decided).toBeGreaterThan(SEEDS * 10);
  expect(reserved).toBeGreaterThan(SEEDS);
});
