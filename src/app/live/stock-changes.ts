import type { Decided } from '../../domain/orders/decided.ts';
import { totalsByItem } from '../../domain/orders/order.ts';
import type { HistoryLine } from '../../ports/store.ts';

/** The stock on hand of an item after a change. */
export interface StockChange {
  readonly item: string;
  /** null: the item was removed. */
  readonly quantity: number | null;
  readonly cause: 'sale' | 'reservation' | 'release' | 'restock' | 'edit';
  /** The order that caused it; null: none. */
  readonly orderId: string | null;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The latest change of each item in a part of history. Edits that leave the quantity unchanged are included. */
export function stockChangesIn(lines: readonly HistoryLine[]): readonly StockChange[] {
  const latest = new Map<string, StockChange>();
  const take = (change: StockChange): void => void latest.set(change.item, change);
  for (const line of lines) {
    if (line.kind === 'decision') for (const sale of salesOf(line.decided)) take(sale);
    else if (line.kind === 'movement') {
      const { item, onHand: quantity, cause, orderId, at } = line.movement;
      take({ item, quantity, cause, orderId, at });
    } else if (line.kind === 'edit' && line.edit.kind === 'item') {
      const { item, after, at } = line.edit;
      take({ item, quantity: after?.quantity ?? null, cause: 'edit', orderId: null, at });
    }
  }
  return [...latest.values()];
}

function salesOf({ order, outcome, decidedAt: at }: Decided): readonly StockChange[] {
  if (outcome.kind === 'rejected') return [];
  const before = new Map(order.items.map(({ item }, line) => [item, outcome.stock[line] ?? 0]));
  return [...totalsByItem(order.items)].map(([item, sold]): StockChange => {
    return { item, quantity: (before.get(item) ?? 0) - sold, cause: 'sale', orderId: order.orderId, at };
  });
}
