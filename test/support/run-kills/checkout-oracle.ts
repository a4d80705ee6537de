import path from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { startDevGateway, type DevGateway } from '../../../src/dev-gateway/dev-gateway.ts';
import { has, quantitiesOf, type CheckoutFact } from '../../../src/domain/checkout/facts.ts';
import { statusOf, type OrderStatus } from '../../../src/domain/checkout/status.ts';
import { INVENTORY_REJECTED } from '../../../src/domain/messages/checkout/inventory-rejected.ts';
import { INVENTORY_RESERVED } from '../../../src/domain/messages/checkout/inventory-reserved.ts';
import { NOTIFICATION, type Notification } from '../../../src/domain/messages/checkout/notification.ts';
import { ORDER_CANCELLED } from '../../../src/domain/messages/checkout/order-cancelled.ts';
import { ORDER_REJECTED } from '../../../src/domain/messages/checkout/order-rejected.ts';
import { ORDER_VALIDATED } from '../../../src/domain/messages/checkout/order-validated.ts';
import { PAYMENT_FAILED } from '../../../src/domain/messages/checkout/payment-failed.ts';
import { PAYMENT_PROCESSED } from '../../../src/domain/messages/checkout/payment-processed.ts';
import { PAYMENT_REFUNDED } from '../../../src/domain/messages/checkout/payment-refunded.ts';
import { SHIPMENT_CREATED } from '../../../src/domain/messages/checkout/shipment-created.ts';
import { SHIPMENT_DISPATCHED } from '../../../src/domain/messages/checkout/shipment-dispatched.ts';
import { INVENTORY_EVENT, type InventoryEvent } from '../../../src/domain/messages/shop/inventory-event.ts';
import { amountFrom, hundredths } from '../../../src/domain/orders/money.ts';
import type { Shop } from '../cli.ts';
import { expectUnbroken } from './events.ts';
import { temporaryFolderOfTest } from './folder.ts';
import { messagesOf } from './messages.ts';

/** A payment gateway in the test's process, which no kill reaches. */
export async function openGatewayOfTest(): Promise<DevGateway> {
  const folder = temporaryFolderOfTest('orderctl-gateway-');
  const gateway = await startDevGateway({ port: 0, file: path.join(folder, 'payments.jsonl') });
  onTestFinished(() => gateway.stop());
  return gateway;
}

export interface CheckoutEnded {
  readonly shop: Shop;
  /** The store's checkout log and stock on hand; by default read from the files of the folder. */
  readonly books?: { readonly facts: Steps; readonly onHand: CheckoutEnded['stock'] };
  readonly gateway: Pick<DevGateway, 'totals'>;
  readonly brokers: string;
  /** Ids of all orders that were sent. */
  readonly sent: readonly string[];
  /** Quantities put in, by item, less what direct orders took. */
  readonly stock: Readonly<Record<string, number>>;
  /** The allowed outcomes of an order; by default any final one. */
  readonly ends?: readonly OrderStatus[];
}

type Steps = readonly CheckoutFact[];

/** To be called once everything is read and no effect is pending. */
export async function expectCheckoutEven(ended: CheckoutEnded): Promise<void> {
  const { shop, gateway, brokers, sent, stock, ends = FINAL } = ended;
  const { facts, onHand } = ended.books ?? {
    facts: shop.jsonl('checkout.jsonl') as unknown as Steps,
    onHand: shop.stock(),
  };
  const orders = byOrder(facts, sent);
  for (const [id, steps] of orders) expectOneEnd(id, steps, ends);
  expectMoney([...orders.values()], gateway);
  expect(onHand).toEqual(stockAfter(stock, [...orders.values()]));
  await expectToldOnce([...orders.values()], brokers);
  const events = await messagesOf<InventoryEvent>(INVENTORY_EVENT, brokers);
  expectUnbroken(onHand, events, Object.keys(stock));
  await shop.ok('audit --with-topic');
}

function byOrder(facts: Steps, sent: readonly string[]): ReadonlyMap<string, Steps> {
  const orders = new Map<string, CheckoutFact[]>(sent.map((id) => [id, []]));
  for (const fact of facts) orders.get(fact.order_id)?.push(fact);
  expect(facts, 'of orders that nobody sent').toHaveLength([...orders.values()].flat().length);
  return orders;
}

const FINAL: readonly OrderStatus[] = ['COMPLETED', 'REJECTED', 'FAILED', 'CANCELLED'];

function expectOneEnd(id: string, facts: Steps, ends: readonly OrderStatus[]): void {
  const steps = facts.map(({ step }) => step);
  const what = `${id}: ${steps.join()}`;
  expect(new Set(steps).size, what).toBe(steps.length);
  expect(ends, what).toContain(statusOf(facts));
  expect(has(facts, 'validated', 'rejected'), what).toBe(true);
  // Nothing is in progress: what was to be charged, refunded or sent was.
  if (has(facts, 'charge_owed')) expect(has(facts, 'paid', 'declined', 'not_charged'), what).toBe(true);
  if (has(facts, 'refund_owed')) expect(has(facts, 'refunded'), what).toBe(true);
  if (has(facts, 'reserved')) expect(has(facts, 'dispatched', 'cancelled'), what).toBe(true);
}

function expectMoney(orders: readonly Steps[], gateway: CheckoutEnded['gateway']): void {
  const totals = gateway.totals();
  expect(totals).toMatchObject({ charged_twice: [], refunded_twice: [] });
  let completed = 0n;
  for (const facts of orders) {
    if (statusOf(facts) !== 'COMPLETED') continue;
    for (const fact of facts) if (fact.step === 'validated') completed += hundredths(fact.total_amount);
  }
  expect(amountFrom(hundredths(totals.charged) - hundredths(totals.refunded))).toBe(amountFrom(completed));
}

function stockAfter(stock: CheckoutEnded['stock'], orders: readonly Steps[]): CheckoutEnded['stock'] {
  const left: Record<string, number> = { ...stock };
  for (const facts of orders) {
    for (const fact of facts) {
      if (fact.step !== 'reserved' || has(facts, 'cancelled')) continue;
      for (const [item, quantity] of quantitiesOf(fact.items)) left[item] = (left[item] ?? 0) - quantity;
    }
  }
  return left;
}

/** The message that is sent when an order reaches a step, and whether its customer is notified. */
const ANNOUNCED = [
  { step: 'validated', message: ORDER_VALIDATED, isWritten: false },
  { step: 'rejected', message: ORDER_REJECTED, isWritten: true },
  { step: 'paid', message: PAYMENT_PROCESSED, isWritten: true },
  { step: 'declined', message: PAYMENT_FAILED, isWritten: true },
  { step: 'gone', message: INVENTORY_REJECTED, isWritten: false },
  { step: 'refunded', message: PAYMENT_REFUNDED, isWritten: true },
  { step: 'reserved', message: INVENTORY_RESERVED, isWritten: false },
  { step: 'reserved', message: SHIPMENT_CREATED, isWritten: true },
  { step: 'dispatched', message: SHIPMENT_DISPATCHED, isWritten: true },
  { step: 'cancelled', message: ORDER_CANCELLED, isWritten: true },
  { step: 'cancel_refused', message: ORDER_CANCELLED, isWritten: true },
] as const;

/** After a cancellation, neither a rejection nor a declined charge is announced. */
function isAnnounced(facts: Steps, step: CheckoutFact['step']): boolean {
  const places = facts.map((fact) => fact.step);
  const cancelled = places.indexOf('cancelled');
  const isLate = cancelled >= 0 && cancelled < places.indexOf(step);
  return !(isLate && (step === 'rejected' || step === 'declined'));
}

/** Each step with its one message, and the customer with one for each; by id, since a message may be sent twice. */
async function expectToldOnce(orders: readonly Steps[], brokers: string): Promise<void> {
  const announced = (message: { readonly name: string }): string[] =>
    orders
      .flatMap((facts) =>
        facts
          .filter(({ step }) =>
            ANNOUNCED.some((one) => one.step === step && one.message.name === message.name),
          )
          .filter(({ step }) => isAnnounced(facts, step))
          .map(({ order_id }) => order_id),
      )
      .sort();
  for (const message of new Set(ANNOUNCED.map((one) => one.message))) {
    const expected = announced(message);
    const received = expected.length === 0 ? [] : await messagesOf<{ order_id: string }>(message, brokers);
    expect(received.map(({ value }) => value.order_id).sort(), message.name).toEqual(expected);
  }
  /** A request that arrives before its order names no customer. */
  const nameless = new Set(
    orders.flatMap((facts) =>
      facts[0]?.step === 'cancelled' ? [`${facts[0].order_id} ${ORDER_CANCELLED.name}`] : [],
    ),
  );
  const written = new Set(ANNOUNCED.filter(({ isWritten }) => isWritten).map(({ message }) => message));
  const expected = [...written]
    .flatMap((message) => announced(message).map((id) => `${id} ${message.name}`))
    .filter((one) => !nameless.has(one));
  const received = await messagesOf<Notification>(NOTIFICATION, brokers);
  expect(received.map(({ value }) => `${value.order_id} ${value.cause}`).sort()).toEqual(expected.sort());
}
