import type { BooksView } from './health.ts';
import type { OrderReader, RowReader } from './store.ts';

/**
 * A view for who looks often: it goes along with the store, so that a look costs what is looked at.
 *
 * What `use` reads is one moment of the store, which is not behind what was committed before the call. It waits for nothing
 * but this view: others wait for it. Throws those of `read` of StoreAccess, and of `use`.
 */
export interface KeptView {
  /** Whatever users do to the files of their tables meanwhile. */
  lookAtOrders<R>(use: (view: OrderReader) => Promise<R>): Promise<R>;
  /** With hand edits that were not taken in yet. */
  lookAtRows<R>(use: (view: RowReader) => Promise<R>): Promise<R>;
  /**
   * As committed, without hand edits.
   *
   * @returns null: they are not kept; an inspection of StoreHealth has them
   */
  lookAtBooks<R>(use: (view: BooksView) => Promise<R>): Promise<R | null>;
}
