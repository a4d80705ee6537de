/** How often a gateway that does not answer is asked. */
export interface PaymentRules {
  /** Before the second try of a charge or refund, the third, and so on; after the last it is parked. */
  readonly pausesMs: readonly number[];
}
