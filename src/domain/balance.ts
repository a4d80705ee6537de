import type { OrderStatus } from './checkout/status.ts';

/** The balance of the books: put in − sold + returned = on hand. In units, summed over all items and channels. */
export interface Balance {
  /** Units added by edits and restocks, minus units removed by edits. */
  readonly putIn: number;
  /** Units of direct orders, checkout reservations and store sales. */
  readonly sold: number;
  /** Units returned by cancelled orders. */
  readonly returned: number;
  readonly onHand: number;
  /** Orders of the direct flow. */
  readonly accepted: number;
  readonly rejected: number;
  /** Orders of both flows. */
  readonly orders: Readonly<Record<OrderStatus, number>>;
  /** An item whose sum differs from its stock on hand; null if all agree. */
  readonly difference: { readonly item: string; readonly expected: number; readonly actual: number } | null;
}
