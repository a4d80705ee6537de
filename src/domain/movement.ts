/**
 * A change of stock that no order of the direct flow and no edit made: those are read from their own logs. Together they
 * are all there is: put in − taken out = on hand.
 */
export interface Movement {
  readonly item: string;
  /** Added to what is on hand; negative takes. */
  readonly delta: number;
  readonly cause: 'reservation' | 'release' | 'restock' | 'sale';
  /** The order that it was for. */
  readonly orderId: string | null;
  /** The event of the log `events_log` that it was for, which `audit` looks up: set by the processor `stock` alone. */
  readonly eventId: string | null;
}

/**
 * Whether stock may change like that. What is sold in a store has left it, whatever the books say was there; nothing else
 * takes stock below zero.
 *
 * @param onHand before it
 */
export function isPossible({ cause, delta }: Pick<Movement, 'cause' | 'delta'>, onHand: number): boolean {
  const left = onHand + delta;
  return Number.isSafeInteger(left) && (left >= 0 || delta > 0 || cause === 'sale');
}
