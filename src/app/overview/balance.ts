import type { Decided } from '../../domain/orders/decided.ts';
import type { StoreReader } from '../../ports/store.ts';

/** The books in one line: put in − sold + moved = on hand. Units of all items. */
export interface Balance {
  /** What edits added, less what they took away. */
  readonly putIn: number;
  readonly sold: number;
  /** What movements of other causes added, less what they took. */
  readonly moved: number;
  readonly onHand: number;
  readonly accepted: number;
  readonly rejected: number;
  /** An item whose sum is another than what is on hand of it. */
  readonly difference: { readonly item: string; readonly expected: number; readonly actual: number } | null;
}

/** Adds up all logs of a store, as they are at the moment of its reader. "orderctl audit" looks at each line as well. */
export async function balanceOf(reader: StoreReader): Promise<Balance> {
  const byItem = new Map<string, number>();
  const sums = { putIn: 0, sold: 0, moved: 0, onHand: 0, accepted: 0, rejected: 0 };
  const add = (item: string, units: number): void => {
    byItem.set(item, (byItem.get(item) ?? 0) + units);
  };
  for await (const chunk of reader.edits()) {
    for (const edit of chunk) {
      if (edit.kind !== 'item') continue;
      const units = (edit.after?.quantity ?? 0) - (edit.before?.quantity ?? 0);
      sums.putIn += units;
      add(edit.item, units);
    }
  }
  for await (const chunk of reader.movements()) {
    for (const { item, delta } of chunk) {
      sums.moved += delta;
      add(item, delta);
    }
  }
  const sell = ({ order }: Decided): void => {
    for (const { item, quantity } of order.items) {
      sums.sold += quantity;
      add(item, -quantity);
    }
  };
  for await (const chunk of reader.decisions('accepted')) {
    sums.accepted += chunk.length;
    chunk.forEach(sell);
  }
  for await (const chunk of reader.decisions('rejected')) sums.rejected += chunk.length;
  for (const { item, quantity } of await reader.items()) {
    sums.onHand += quantity;
    add(item, -quantity);
  }
  return { ...sums, difference: await firstDifference(byItem, reader) };
}

async function firstDifference(
  byItem: Map<string, number>,
  reader: StoreReader,
): Promise<Balance['difference']> {
  const [found] = [...byItem].filter(([, left]) => left !== 0);
  if (found === undefined) return null;
  const [item, left] = found;
  let actual = 0;
  for (const row of await reader.items()) if (row.item === item) actual = row.quantity;
  return { item, expected: actual + left, actual };
}
