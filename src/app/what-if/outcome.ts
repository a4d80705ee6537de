/** An order that would have had a different outcome. */
export interface OtherOutcome {
  readonly orderId: string;
  readonly flow: 'direct' | 'checkout';
  readonly was: 'accepted' | 'rejected';
  /** `not_sent`: it retries an order that would not have been rejected. */
  readonly wouldBe: 'accepted' | 'rejected' | 'not_sent';
  /** Why it was rejected, or would be; null: it was accepted, or would be, in both cases. */
  readonly detail: string | null;
  /** Milliseconds since the epoch. */
  readonly decidedAt: number;
}
