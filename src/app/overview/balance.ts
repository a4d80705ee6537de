import type { Balance } from '../../domain/balance.ts';
import { CHECKOUT } from '../../domain/checkout/facts.ts';
import type { Movement } from '../../domain/movement.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { StoreInspection } from '../../ports/health.ts';
import { OrdersByStatus } from './orders-by-status.ts';

/** In which sum of the books a movement counts. */
const SUM_OF: Readonly<Record<Movement['cause'], 'putIn' | 'sold' | 'returned'>> = {
  reservation: 'sold',
  sale: 'sold',
  release: 'returned',
  restock: 'putIn',
};

/** Adds up all that a store has committed at one moment; an audit looks at each line as well. */
export async function balanceOf(store: StoreInspection): Promise<Balance> {
  const byItem = new Map<string, number>();
  const sums = { putIn: 0, sold: 0, returned: 0, onHand: 0, accepted: 0, rejected: 0 };
  const add = (item: string, units: number): void => {
    byItem.set(item, (byItem.get(item) ?? 0) + units);
  };
  for await (const { lines } of store.edits()) {
    for (const edit of lines) {
      if (edit?.kind !== 'item') continue;
      const units = (edit.after?.quantity ?? 0) - (edit.before?.quantity ?? 0);
      sums.putIn += units;
      add(edit.item, units);
    }
  }
  for await (const { lines } of store.movements()) {
    for (const movement of lines) {
      if (movement === undefined) continue;
      const { item, delta, cause } = movement;
      const sum = SUM_OF[cause];
      sums[sum] += sum === 'sold' ? -delta : delta;
      add(item, delta);
    }
  }
  const sell = (decided: Decided | undefined): void => {
    for (const { item, quantity } of decided?.order.items ?? []) {
      sums.sold += quantity;
      add(item, -quantity);
    }
  };
  for await (const { lines } of store.decisions('accepted')) {
    sums.accepted += lines.length;
    lines.forEach(sell);
  }
  for await (const { lines } of store.decisions('rejected')) sums.rejected += lines.length;
  // Without edits by hand that no commit has taken in yet.
  for (const { item, quantity } of store.items()) {
    sums.onHand += quantity;
    add(item, -quantity);
  }
  const orders = await ordersOf(store, sums);
  return { ...sums, orders, difference: firstDifference(byItem, store) };
}

async function ordersOf(
  store: StoreInspection,
  { accepted, rejected }: Pick<Balance, 'accepted' | 'rejected'>,
): Promise<Balance['orders']> {
  const checkout = new OrdersByStatus();
  for await (const { lines } of store.facts(CHECKOUT)) {
    for (const fact of lines) if (fact !== undefined) checkout.take(fact);
  }
  const { counts } = checkout;
  return { ...counts, COMPLETED: counts.COMPLETED + accepted, REJECTED: counts.REJECTED + rejected };
}

function firstDifference(byItem: ReadonlyMap<string, number>, store: StoreInspection): Balance['difference'] {
  const [found] = [...byItem].filter(([, left]) => left !== 0);
  if (found === undefined) return null;
  const [item, left] = found;
  let actual = 0;
  for (const row of store.items()) if (row.item === item) actual = row.quantity;
  return { item, expected: actual + left, actual };
}
