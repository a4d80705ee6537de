/**
 * A change of stock made by neither a direct order nor an edit, which have logs of their own. Together they are all
 * changes of stock: put in − taken out = on hand.
 */
export interface Movement {
  readonly item: string;
  /** Added to the stock on hand; negative if stock is taken. */
  readonly delta: number;
  readonly cause: 'reservation' | 'release' | 'restock' | 'sale';
  /** The order that caused it. */
  readonly orderId: string | null;
  /** The stock event that caused it, which `audit` looks up in `events_log`. Only the processor `stock` sets it. */
  readonly eventId: string | null;
}

/**
 * Whether a movement is allowed. Only a store sale may take stock below zero: the goods have left the store, whatever
 * the books say.
 *
 * @param onHand the stock before the movement
 */
export function isPossible({ cause, delta }: Pick<Movement, 'cause' | 'delta'>, onHand: number): boolean {
  const left = onHand + delta;
  return Number.isSafeInteger(left) && (left >= 0 || delta > 0 || cause === 'sale');
}
