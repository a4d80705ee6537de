/** How often a gateway that does not answer is tried. */
export interface PaymentRules {
  /** Pauses before the second try of a charge or refund, the third, and so on; after the last try it is parked. */
  readonly pausesMs: readonly number[];
}
