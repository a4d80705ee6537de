import type { Balance } from '../../domain/balance.ts';
import { CHECKOUT } from '../../domain/checkout/facts.ts';
import type { Movement } from '../../domain/movement.ts';
import type { ArchivedSums, BooksView, HistoryPlace } from '../../ports/health.ts';
import type { HistoryLine } from '../../ports/store.ts';
import { checkoutFactOf } from '../orders/checkout.ts';
import { OrdersByStatus } from './orders-by-status.ts';

/** The sum in the books that a movement counts towards. */
const SUM_OF: Readonly<Record<Movement['cause'], 'putIn' | 'sold' | 'returned'>> = {
  reservation: 'sold',
  sale: 'sold',
  release: 'returned',
  restock: 'putIn',
};

/** The books up to a place in history. */
class Books {
  readonly byItem = new Map<string, number>();
  readonly sums = { putIn: 0, sold: 0, returned: 0, accepted: 0, rejected: 0 };
  readonly checkout = new OrdersByStatus();

  take(line: HistoryLine): void {
    if (line.kind === 'movement') this.#move(line.movement);
    else if (line.kind === 'edit' && line.edit.kind === 'item') {
      const { item, before, after } = line.edit;
      const units = (after?.quantity ?? 0) - (before?.quantity ?? 0);
      this.sums.putIn += units;
      this.#add(item, units);
    } else if (line.kind === 'decision') {
      const { order, outcome } = line.decided;
      this.sums[outcome.kind] += 1;
      if (outcome.kind === 'rejected') return;
      for (const { item, quantity } of order.items) {
        this.sums.sold += quantity;
        this.#add(item, -quantity);
      }
    }
    const fact = checkoutFactOf(line);
    if (fact !== undefined) this.checkout.take(fact);
  }

  /** Adds the sums of archived orders. To be called before all lines. */
  carry({ accepted, rejected, sold }: ArchivedSums): void {
    this.sums.accepted += accepted;
    this.sums.rejected += rejected;
    for (const [item, quantity] of sold) {
      this.sums.sold += quantity;
      this.#add(item, -quantity);
    }
  }

  #move({ item, delta, cause }: Movement): void {
    const sum = SUM_OF[cause];
    this.sums[sum] += sum === 'sold' ? -delta : delta;
    this.#add(item, delta);
  }

  #add(item: string, units: number): void {
    this.byItem.set(item, (this.byItem.get(item) ?? 0) + units);
  }
}

export type Paced = (chunks: AsyncIterable<readonly HistoryLine[]>) => AsyncIterable<readonly HistoryLine[]>;

/** Adds up everything that a store has committed, reading each line once; an audit also checks each line. */
export class RunningBalance {
  #books = new Books();
  #place: HistoryPlace | null = null;

  /**
   * The balance at the moment of the view.
   *
   * @param paced slows down reading as the caller wants
   * @throws Failure changed_since, corrupt_state: the next call then starts from scratch
   */
  async as(store: BooksView, paced: Paced = (chunks) => chunks): Promise<Balance> {
    try {
      const archived = this.#place === null ? store.archived() : null;
      if (archived !== null) this.#books.carry(archived);
      for await (const lines of paced(store.historyFrom(this.#place, [CHECKOUT]))) {
        for (const line of lines) this.#books.take(line);
      }
      this.#place = store.place;
    } catch (error) {
      this.#books = new Books();
      this.#place = null;
      throw error;
    }
    const { sums, checkout, byItem } = this.#books;
    const { counts } = checkout;
    let onHand = 0;
    // Does not include hand edits that no commit has applied yet.
    for (const { quantity } of store.items()) onHand += quantity;
    const orders = {
      ...counts,
      COMPLETED: counts.COMPLETED + sums.accepted,
      REJECTED: counts.REJECTED + sums.rejected,
    };
    return { ...sums, onHand, orders, difference: firstDifference(byItem, store) };
  }
}

function firstDifference(byItem: ReadonlyMap<string, number>, store: BooksView): Balance['difference'] {
  let known = 0;
  for (const { item, quantity: actual } of store.items()) {
    if (byItem.has(item)) known += 1;
    const expected = byItem.get(item) ?? 0;
    if (expected !== actual) return { item, expected, actual };
  }
  // Items that were removed are in the books as well, with a sum of 0.
  if (known === byItem.size) return null;
  const present = new Set(Array.from(store.items(), ({ item }) => item));
  for (const [item, expected] of byItem)
    if (expected !== 0 && !present.has(item)) return { item, expected, actual: 0 };
  return null;
}
