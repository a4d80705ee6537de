import { CHECKOUT } from '../../domain/checkout/facts.ts';
import { difference, type AuditNote, type Difference } from '../../domain/difference.ts';
import type { StoreInspection } from '../../ports/health.ts';
import { DELIVERIES } from '../../processors/delivery/facts.ts';
import { NOTIFICATIONS } from '../../processors/notification/processor.ts';
import type { CheckoutBooks } from './checkout.ts';
import { eachLine } from './each-line.ts';
import { auditPayments, DeliveryBooks, parkedNotes } from './effects.ts';

/** What services beside the orders of the direct flow have in the store. */
export interface AuditedServices {
  /** Of the checkout. */
  readonly orders: number;
  readonly unfinished: number;
  readonly movements: number;
  readonly facts: number;
  /** Effects; `parked` of them are not tried any more. */
  readonly owed: number;
  readonly parked: number;
  readonly notes: readonly AuditNote[];
}

/**
 * Compares the steps of each order of the checkout with each other, with its money, its stock and what is owed for it.
 * What is in flight is no difference.
 *
 * @param books with all movements
 * @param removed items that were removed once
 */
export async function auditServices(
  inspection: StoreInspection,
  books: CheckoutBooks,
  removed: ReadonlySet<string>,
  report: (found: Difference) => void,
): Promise<Omit<AuditedServices, 'movements'>> {
  const effects = new Map([...inspection.effects()].map((effect) => [effect.id, effect]));
  const deliveries = new DeliveryBooks();
  let facts = await eachLine(inspection.facts(CHECKOUT), report, (fact, file, line) => {
    books.take(fact, `${file}:${line}`);
    return undefined;
  });
  facts += await eachLine(inspection.facts(DELIVERIES), report, (fact, file, line) => {
    deliveries.take(fact, `${file}:${line}`);
    return undefined;
  });
  const written = new Set<string>();
  facts += await eachLine(inspection.facts(NOTIFICATIONS), report, ({ order_id, cause }, file, line) => {
    const where = `${file}:${line}`;
    if (written.has(`${order_id} ${cause}`)) {
      const message = `${where}: the customer of order ${order_id} is written to about ${cause} a second time`;
      report(difference('step_twice', where, { orderId: order_id, message }));
    }
    written.add(`${order_id} ${cause}`);
    return undefined;
  });
  books.close((item) => removed.has(item));
  auditPayments(books, effects, report);
  deliveries.close(effects, report);
  await oneFlow(inspection, books, report);
  const notes = parkedNotes(effects.values());
  const { size: orders, unfinished } = books;
  return { orders, unfinished, facts, owed: effects.size, parked: notes.length, notes };
}

/** An id belongs to the flow that claimed it first. */
async function oneFlow(
  inspection: StoreInspection,
  books: CheckoutBooks,
  report: (found: Difference) => void,
): Promise<void> {
  for (const orderId of books.orderIds()) {
    const where = books.placedAt(orderId);
    if (where === undefined || (await inspection.decided(orderId)) === undefined) continue;
    const message = `${where}: order ${orderId} is one of the checkout, and was decided in the direct flow too`;
    report(difference('claimed_twice', where, { orderId, message }));
  }
}
