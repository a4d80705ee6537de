import { Failure } from '../../../domain/failure.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import { EVENTS_LOG, type StockEvent } from '../../../domain/stock/events.ts';
import type { StoreAccess } from '../../../ports/access.ts';

export const BESIDE = 'Reads the store, and works while a consumer runs.';

export function unknownOrder(id: string, access: StoreAccess, scanned: boolean): Failure {
  const where = scanned ? `${access.name} and is not in the topic` : access.name;
  return new Failure('not_found', `order ${id} has no decision in ${where}`, {
    fix: scanned
      ? 'check the id, --topic and --storage; "orderctl dlq list" shows records that could not be read'
      : `to search for it in the topic, where it may be unread: orderctl order explain ${id} --scan`,
    context: { orderId: id },
  });
}

const SOLD_BY = {
  online_orders: 'sold on line',
  store_sales: 'sold in a store',
  supplier_restocks: 'delivered',
};

/** As unknownOrder; for the id of an event of a shop, a till or a supplier, the failure describes the event. */
export async function unknownOrEvent(id: string, access: StoreAccess): Promise<Failure> {
  await using reader = await access.read();
  const event = (await reader.facts(EVENTS_LOG, id)).at(-1);
  return event === undefined ? unknownOrder(id, access, false) : eventNotOrder(event);
}

function eventNotOrder(event: StockEvent): Failure {
  const { event_id, source, product_id, quantity, status, reason, on_hand, at } = event;
  const refused = status === 'rejected' ? `, refused (${reason ?? 'without a reason'})` : '';
  const what = `${product_id}×${quantity} ${SOLD_BY[source]}${refused}, ${on_hand} on hand after it`;
  return new Failure(
    'not_found',
    `${event_id} is an event, not an order: ${what} (${formatRecordId(event)}, ${at})`,
    { fix: { kind: 'show_items' }, context: { orderId: event_id } },
  );
}
