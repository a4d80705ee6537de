/** Why an order is rejected, in the order in which they are checked; the first that applies is reported. */
export const REASONS = [
  'unknown_user',
  'user_not_paid',
  'invalid_quantity',
  'unknown_item',
  'insufficient_stock',
] as const;

export type Reason = (typeof REASONS)[number];

/** Additional reasons in the checkout, where prices matter. */
export const PLACING_REASONS = ['no_price', 'price_mismatch', 'total_mismatch'] as const;

export type PlacingReason = (typeof PLACING_REASONS)[number];

/** In words. @param what such as `item pen` @param onHand nothing: it does not exist */
export function lackingStock(what: string, onHand: number | 'nothing', wanted: number): string {
  return `${what} has ${onHand} on hand, ${wanted} wanted`;
}
