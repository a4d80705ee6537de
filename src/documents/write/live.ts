import type { CheckoutFact } from '../../domain/checkout/facts.ts';
import type { OrderStatus } from '../../domain/checkout/status.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { Alert as AlertMessage } from '../../domain/messages/shop/alert.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { Alert } from '../http/alerts.ts';
import type { Decisions, Lag, Statuses, StockChanges } from '../http/live.ts';
import type { Overview } from '../http/overview.ts';
import { decidedState } from './http.ts';

/** So many are shown one by one; of more than that the counts say enough. */
const SHOWN = 50;

/** What was decided together: the latest of it, and how many of each. */
export function decisionsDocument(decided: readonly Decided[]): Decisions {
  const rejected = decided.filter(({ outcome }) => outcome.kind === 'rejected').length;
  return { accepted: decided.length - rejected, rejected, orders: decided.slice(-SHOWN).map(decidedState) };
}

/** @param moves each with the status that the step led to */
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

/** What changed an item last: see src/app/live. */
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
