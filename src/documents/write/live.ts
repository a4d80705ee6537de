import type { CheckoutFact } from '../../domain/checkout/facts.ts';
import type { OrderStatus } from '../../domain/checkout/status.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { Alert as AlertMessage } from '../../domain/messages/shop/alert.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { Alert } from '../http/alerts.ts';
import type { Decisions, Lag, Statuses, StockChanges } from '../http/live.ts';
import type { Overview } from '../http/overview.ts';
import { decidedState } from './http.ts';

/** At most this many decisions are listed; the counts cover all. */
const SHOWN = 50;

/** Decisions that were committed together: the counts, and the latest ones. */
export function decisionsDocument(decided: readonly Decided[]): Decisions {
  const rejected = decided.filter(({ outcome }) => outcome.kind === 'rejected').length;
  return { accepted: decided.length - rejected, rejected, orders: decided.slice(-SHOWN).map(decidedState) };
}

/** @param moves steps with the resulting status */
export function statusesDocument(
  moves: readonly { readonly fact: CheckoutFact; readonly status: OrderStatus }[],
): Statuses {
  return {
    orders: moves.map(({ fact: { order_id, step, at, topic, partition, offset }, status }) => {
      return { order_id, status, step, at, topic, partition, offset };
    }),
  };
}

type ChangedItem = StockChanges['items'][number];

/** The latest change of an item: see src/app/live. */
interface StockChange extends Pick<ChangedItem, 'item' | 'quantity' | 'cause'> {
  readonly orderId: string | null;
  readonly at: number;
}

export function stockDocument(changes: readonly StockChange[]): StockChanges {
  return {
    items: changes.map(({ item, quantity, cause, orderId, at }) => {
      return { item, quantity, cause, order_id: orderId, at: isoTime(at) };
    }),
  };
}

export function alertDocument({ at, ...alert }: AlertMessage): Alert {
  const { event_id, kind, item, revision, on_hand, reorder_level, order_id, message } = alert;
  return { event_id, kind, item, revision, on_hand, reorder_level, order_id, message, at: isoTime(at) };
}

export function lagDocument({ at, consumer }: Overview): Lag {
  return { at, processors: (consumer?.processors ?? []).map(({ processor, lag }) => ({ processor, lag })) };
}
