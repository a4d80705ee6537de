import type { OrderStatus } from './checkout/status.ts';

/** The books in one line: put in − sold + returned = on hand. Units of all items and all channels. */
export interface Balance {
  /** What edits and restocks added, less what edits took away. */
  readonly putIn: number;
  /** Direct orders, reservations of the checkout, and sales in stores. */
  readonly sold: number;
  /** What cancelled orders gave back. */
  readonly returned: number;
  readonly onHand: number;
  /** Orders of the direct flow. */
  readonly accepted: number;
  readonly rejected: number;
  /** Orders of both flows. */
  readonly orders: Readonly<Record<OrderStatus, number>>;
  /** An item whose sum is another than what is on hand of it. */
  readonly difference: { readonly item: string; readonly expected: number; readonly actual: number } | null;
}
