import { lackingStock } from '../../domain/orders/reasons.ts';
import { isoTime } from '../../domain/iso-time.ts';
import { INVENTORY_UPDATE } from '../../domain/messages/stock/inventory-update.ts';
import {
  EVENTS_LOG,
  type SourceMessage,
  type StockEvent,
  type StockSource,
} from '../../domain/stock/events.ts';
import type { Draft, Handled } from '../draft.ts';
import type { Received, Refused } from '../processor.ts';
import type { StockEvents } from '../stock-events.ts';
import { refuse, refuseId } from './reasons.ts';

/**
 * Processes one stock event, which counts once. An online order that exceeds stock is rejected. Store sales and
 * deliveries have already happened, so they count whatever the stock.
 */
export function decide(
  received: Received<SourceMessage>,
  draft: Draft,
  stock: StockEvents,
): Handled | Refused {
  const { message: event, source } = received;
  const { event_id, product_id, quantity } = event;
  const unusable = refuseId(event_id);
  if (unusable !== null) return unusable;
  const [known] = draft.facts(EVENTS_LOG, event_id);
  if (known !== undefined) {
    const isSame = known.source === source && known.product_id === product_id && known.quantity === quantity;
    const detail = isSame ? 'it was counted before' : 'another event with the same id was counted before';
    return { kind: isSame ? 'seen' : 'conflict', about: event_id, detail };
  }
  const onHand = draft.quantity(product_id);
  const refusal = refuse(event, onHand);
  if (refusal !== null) return refusal;
  if (source === 'online_orders' && quantity > (onHand ?? 0)) return reject(received, draft, stock);
  const delta = source === 'supplier_restocks' ? quantity : -quantity;
  const cause = source === 'supplier_restocks' ? 'restock' : 'sale';
  const movement = { item: product_id, delta, cause, orderId: null, eventId: event_id } as const;
  draft.move(movement);
  record(received, draft, { delta, reason: null, revision: stock.moved(movement) });
  const change = source === 'supplier_restocks' ? `+${delta} by a delivery` : `${delta} by a sale`;
  return { kind: 'handled', about: event_id, detail: `${product_id} ${change}` };
}

function reject(received: Received<SourceMessage>, draft: Draft, stock: StockEvents): Handled {
  const { event_id, product_id, quantity, order_id } = received.message;
  const onHand = draft.quantity(product_id);
  const by = order_id === null ? `Online order of event ${event_id}` : `Online order ${order_id}`;
  stock.lacking(product_id, quantity, order_id, by);
  const revision = stock.revisionOf(product_id);
  record(received, draft, { delta: 0, reason: 'insufficient_stock', revision });
  const detail = lackingStock(`product ${product_id}`, onHand ?? 'nothing', quantity);
  return { kind: 'rejected', about: event_id, detail };
}

/** Records the outcome in the log of events, and announces it. */
function record(
  { message, source: name, record, raw, traceparent }: Received<SourceMessage>,
  draft: Draft,
  { delta, reason, revision }: { delta: number; reason: 'insufficient_stock' | null; revision: number },
): void {
  const { event_id, product_id, quantity, unit_price, occurred_at } = message;
  const { at } = draft.state;
  const source = name as StockSource;
  const on_hand = draft.quantity(product_id) ?? 0;
  const status: StockEvent['status'] = reason === null ? 'applied' : 'rejected';
  const about = {
    order_id: message.order_id ?? null,
    store_id: message.store_id ?? null,
    supplier_id: message.supplier_id ?? null,
  };
  const fact: StockEvent = {
    event_id,
    source,
    product_id,
    quantity,
    unit_price,
    ...about,
    occurred_at: isoTime(occurred_at),
    status,
    reason,
    delta,
    on_hand,
    at: isoTime(at),
    ...record,
    raw: raw ?? '',
  };
  draft.append(EVENTS_LOG, fact);
  const update = {
    event_id,
    source,
    product_id,
    quantity,
    unit_price,
    occurred_at,
    ...about,
    outcome: status,
    reason,
    delta,
    on_hand,
    revision,
    processed_at: at,
  } as const;
  draft.send(INVENTORY_UPDATE, update, [event_id], traceparent);
}
