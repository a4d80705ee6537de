import { expect } from 'vitest';
import type { CheckoutFact } from '../../../src/domain/checkout/facts.ts';
import { statusOf } from '../../../src/domain/checkout/status.ts';
import { INVENTORY_REJECTED } from '../../../src/domain/messages/checkout/inventory-rejected.ts';
import { INVENTORY_RESERVED } from '../../../src/domain/messages/checkout/inventory-reserved.ts';
import { ORDER_CREATED } from '../../../src/domain/messages/checkout/order-created.ts';
import { ORDER_REJECTED } from '../../../src/domain/messages/checkout/order-rejected.ts';
import { ORDER_VALIDATED } from '../../../src/domain/messages/checkout/order-validated.ts';
import { PAYMENT_FAILED } from '../../../src/domain/messages/checkout/payment-failed.ts';
import { PAYMENT_PROCESSED } from '../../../src/domain/messages/checkout/payment-processed.ts';
import { PAYMENT_REFUNDED } from '../../../src/domain/messages/checkout/payment-refunded.ts';
import { INVENTORY_EVENT, type InventoryEvent } from '../../../src/domain/messages/shop/inventory-event.ts';
import { fill, openShop, type Shop } from '../cli.ts';
import { createTopic, sendRaw } from '../topics.ts';
import { startCluster } from './cluster.ts';
import { expectUnbroken } from './events.ts';
import { killOften } from './kill-often.ts';
import { messagesOf } from './messages.ts';

const ORDERS_A_LIFE = 15;
/** Runs out now and then: some are rejected, some paid and refunded. */
const SCARCE = 'pen';

/** What is sent when an order comes to a step, beside the lines that are reserved. */
const MESSAGE_OF = {
  validated: ORDER_VALIDATED,
  rejected: ORDER_REJECTED,
  paid: PAYMENT_PROCESSED,
  declined: PAYMENT_FAILED,
  gone: INVENTORY_REJECTED,
  refunded: PAYMENT_REFUNDED,
} as const;

/** Validation, payment by a gateway and inventory under kill -9: every order comes to one end, and each step is announced once. */
export async function killCheckout(kills: number, random: () => number): Promise<void> {
  const cluster = await startCluster();
  const shop = openShop({
    ...{ ORDERCTL_BROKERS: cluster.brokers, ORDERCTL_REGISTRY: cluster.registry, ORDERCTL_EVENTS: 'true' },
  });
  fill(shop, { alice: 'paid', bob: 'unpaid' }, { book: 100_000, [SCARCE]: 10 });
  await createTopic(ORDER_CREATED.name, 3, cluster.brokers);
  const sent: string[] = [];
  const order = (): Parameters<typeof sendRaw>[1][number] => {
    const id = `c-${sent.length}`;
    sent.push(id);
    return { key: id, value: JSON.stringify(created(id, random)) };
  };
  await killOften({
    ...{ shop, cluster, command: 'run validation payment inventory', kills, random },
    feed: () => sendRaw(ORDER_CREATED.name, Array.from({ length: ORDERS_A_LIFE }, order), cluster.brokers),
    beside: () => shop.ok(`inventory update --item ${SCARCE} --by +5`),
  });
  await shop.ok('run validation payment inventory --until-end');

  const facts = shop.jsonl('checkout.jsonl') as unknown as readonly CheckoutFact[];
  expectOneEnd(facts, sent);
  await expectToldOnce(facts, cluster.brokers);
  const events = await messagesOf<InventoryEvent>(INVENTORY_EVENT, cluster.brokers);
  expectUnbroken(shop, events, ['book', SCARCE]);
  expectReserved(shop, facts);
  await shop.ok('audit');
}

function created(id: string, random: () => number): object {
  const quantity = 1 + Math.floor(random() * 2);
  return {
    order_id: id,
    customer_id: random() < 0.15 ? 'bob' : 'alice',
    items: [{ product_id: random() < 0.3 ? SCARCE : 'book', quantity, unit_price: '2.50' }],
    total_amount: (2.5 * quantity).toFixed(2),
    shipping_address: 'Main Street 1',
    created_at: 1_760_000_000_000,
  };
}

function expectOneEnd(facts: readonly CheckoutFact[], sent: readonly string[]): void {
  const byOrder = new Map<string, CheckoutFact[]>(sent.map((id) => [id, []]));
  for (const fact of facts) byOrder.get(fact.order_id)?.push(fact);
  expect(facts).toHaveLength([...byOrder.values()].flat().length);
  for (const [id, own] of byOrder) {
    const steps = own.map(({ step }) => step);
    expect(new Set(steps).size, `${id}: ${steps.join()}`).toBe(steps.length);
    expect(['COMPLETED', 'REJECTED', 'FAILED'], `${id}: ${steps.join()}`).toContain(statusOf(own));
  }
}

async function expectToldOnce(facts: readonly CheckoutFact[], brokers: string): Promise<void> {
  for (const [step, message] of Object.entries(MESSAGE_OF)) {
    const expected = facts.filter((fact) => fact.step === step).map(({ order_id }) => order_id);
    const received = expected.length === 0 ? [] : await messagesOf<{ order_id: string }>(message, brokers);
    expect(received.map(({ value }) => value.order_id).sort(), message.name).toEqual(expected.sort());
  }
  const reserved = await messagesOf<{ order_id: string }>(INVENTORY_RESERVED, brokers);
  const expected = facts.filter(({ step }) => step === 'reserved').map(({ order_id }) => order_id);
  expect(reserved.map(({ value }) => value.order_id).sort()).toEqual(expected.sort());
}

/** Stock went where orders were completed, and nowhere else. */
function expectReserved(shop: Shop, facts: readonly CheckoutFact[]): void {
  let books = 100_000;
  for (const fact of facts) {
    if (fact.step !== 'reserved') continue;
    for (const { product_id, quantity } of fact.items) if (product_id === 'book') books -= quantity;
  }
  expect(shop.stock().book).toBe(books);
}
