import type { Balance } from '../../domain/balance.ts';
import type { Decided } from '../../domain/orders/decided.ts';
import type { StoreInspection } from '../../ports/health.ts';

/** Adds up all that a store has committed at one moment; an audit looks at each line as well. */
export async function balanceOf(store: StoreInspection): Promise<Balance> {
  const byItem = new Map<string, number>();
  const sums = { putIn: 0, sold: 0, moved: 0, onHand: 0, accepted: 0, rejected: 0 };
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
      const { item, delta } = movement;
      sums.moved += delta;
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
  return { ...sums, difference: firstDifference(byItem, store) };
}

function firstDifference(byItem: ReadonlyMap<string, number>, store: StoreInspection): Balance['difference'] {
  const [found] = [...byItem].filter(([, left]) => left !== 0);
  if (found === undefined) return null;
  const [item, left] = found;
  let actual = 0;
  for (const row of store.items()) if (row.item === item) actual = row.quantity;
  return { item, expected: actual + left, actual };
}
