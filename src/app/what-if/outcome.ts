/** An order that would have come out otherwise. */
export interface OtherOutcome {
  readonly orderId: string;
  readonly flow: 'direct' | 'checkout';
  readonly was: 'accepted' | 'rejected';
  /** `not_sent`: it tries an order again that would not have been rejected. */
  readonly wouldBe: 'accepted' | 'rejected' | 'not_sent';
  /** Why it was rejected, or would be; null: it was accepted, and would be. */
  readonly detail: string | null;
  /** Milliseconds since the epoch. */
  readonly decidedAt: number;
}
