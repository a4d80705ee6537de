/** Why an order is rejected, in the order in which the reasons are tried: the first that holds is given. */
export const REASONS = [
  'unknown_user',
  'user_not_paid',
  'invalid_quantity',
  'unknown_item',
  'insufficient_stock',
] as const;

export type Reason = (typeof REASONS)[number];

/** Further reasons of the checkout, where prices count. */
export const PLACING_REASONS = ['no_price', 'price_mismatch', 'total_mismatch'] as const;

export type PlacingReason = (typeof PLACING_REASONS)[number];
