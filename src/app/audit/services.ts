import { CHECKOUT } from '../../domain/checkout/facts.ts';
import { difference, type AuditNote, type Difference } from '../../domain/difference.ts';
import { EVENTS_LOG } from '../../domain/stock/events.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
import type { StoreInspection } from '../../ports/health.ts';
import { DELIVERIES } from '../../processors/delivery/facts.ts';
import { NOTIFICATIONS } from '../../processors/notification/processor.ts';
import { CheckoutBooks } from './checkout.ts';
import type { CheckoutOrders } from './checkout-orders.ts';
import { eachLine } from './each-line.ts';
import type { EventBooks } from './events.ts';
import { auditPayments, DeliveryBooks, parkedNotes } from './effects.ts';

/** The logs of facts that an audit reads. */
export const AUDITED_FACTS = [CHECKOUT, DELIVERIES, EVENTS_LOG, NOTIFICATIONS] as const;
const ODD_AT_ONCE = 50_000;
const MOST_WAITING = 1_000;

/** An unfinished order of the checkout, and the processor that continues it; null: it waits for an effect. */
export interface WaitingOrder {
  readonly orderId: string;
  readonly reader: ProcessorName | null;
}

/** The data in the store other than the orders of the direct flow. */
export interface AuditedServices {
  /** Orders of the checkout. */
  readonly orders: number;
  readonly unfinished: number;
  /** The first 1,000 unfinished orders. */
  readonly waiting: readonly WaitingOrder[];
  readonly movements: number;
  readonly facts: number;
  /** Pending effects; `parked` of them are not tried any more. */
  readonly owed: number;
  readonly parked: number;
  readonly notes: readonly AuditNote[];
}

/**
 * Compares the steps of each checkout order with each other and with its money, stock and pending effects. Work in
 * flight is not a difference.
 *
 * @param events has all movements
 * @param removed items that were removed at least once
 * @param isPast the effects of that moment are unknown
 */
export async function auditServices(
  inspection: StoreInspection,
  { orders, events }: { readonly orders: CheckoutOrders; readonly events: EventBooks },
  { removed, isPast }: { readonly removed: ReadonlySet<string>; readonly isPast: boolean },
  report: (found: Difference) => void,
): Promise<Omit<AuditedServices, 'movements'>> {
  const effects = new Map([...inspection.effects()].map((effect) => [effect.id, effect]));
  const deliveries = new DeliveryBooks();
  let checkoutFile = '';
  let facts = await eachLine(inspection.facts(CHECKOUT), report, (fact, file, line) => {
    checkoutFile = file;
    orders.take(fact, line);
    return undefined;
  });
  facts += await eachLine(inspection.facts(DELIVERIES), report, (fact, file, line) => {
    deliveries.take(fact, `${file}:${line}`);
    return undefined;
  });
  facts += await eachLine(inspection.facts(EVENTS_LOG), report, (fact, file, line) => {
    events.take(fact, `${file}:${line}`);
    return undefined;
  });
  events.close();
  facts += await eachLine(inspection.facts(NOTIFICATIONS), report, ({ order_id, cause }, file, line) => {
    if (!orders.notify(order_id, cause)) {
      const where = `${file}:${line}`;
      const message = `${where}: the customer of order ${order_id} is notified of ${cause} a second time`;
      report(difference('step_twice', where, { orderId: order_id, message }));
    }
    return undefined;
  });
  await lookAgain(inspection, orders.odd(), removed, report);
  if (!isPast) {
    auditPayments(orders, effects, report);
    deliveries.close(effects, report);
  }
  await oneFlow(inspection, orders, checkoutFile, report);
  const notes = parkedNotes(effects.values());
  const { size, unfinished } = orders;
  const waiting = waitingOf(orders);
  return { orders: size, unfinished, waiting, facts, owed: effects.size, parked: notes.length, notes };
}

function waitingOf(orders: CheckoutOrders): WaitingOrder[] {
  const waiting: WaitingOrder[] = [];
  for (const [orderId, awaited] of orders.awaited()) {
    if (waiting.length === MOST_WAITING) break;
    waiting.push({ orderId, reader: awaited?.reader ?? null });
  }
  return waiting;
}

/** Reads the lines of orders that may be inconsistent, for a limited number of orders at a time. */
async function lookAgain(
  inspection: StoreInspection,
  odd: Iterable<string>,
  removed: ReadonlySet<string>,
  report: (found: Difference) => void,
): Promise<void> {
  for (const orderIds of inChunks(odd, ODD_AT_ONCE)) {
    const books = new CheckoutBooks(orderIds, report);
    // Unreadable lines were reported before.
    const silent = (): void => undefined;
    await eachLine(inspection.movements(), silent, (movement) => {
      books.move(movement);
      return undefined;
    });
    await eachLine(inspection.facts(CHECKOUT), silent, (fact, file, line) => {
      books.take(fact, `${file}:${line}`);
      return undefined;
    });
    books.close((item) => removed.has(item));
  }
}

function* inChunks<T>(values: Iterable<T>, size: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const value of values) {
    chunk.push(value);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** An order id belongs to the flow that claimed it first. */
async function oneFlow(
  inspection: StoreInspection,
  orders: CheckoutOrders,
  file: string,
  report: (found: Difference) => void,
): Promise<void> {
  for (const orderId of orders.orderIds()) {
    const line = orders.placedAt(orderId);
    // An order that was cancelled before it arrived is claimed too; a refused request claims nothing.
    const isClaimed = line !== undefined || orders.has(orderId, 'cancelled');
    if (!isClaimed || (await inspection.decided(orderId)) === undefined) continue;
    const where = line === undefined ? file : `${file}:${line}`;
    const message = `${where}: order ${orderId} belongs to the checkout, but was decided in the direct flow too`;
    report(difference('claimed_twice', where, { orderId, message }));
  }
}
