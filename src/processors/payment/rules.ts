/** How often a charge or refund is tried if the gateway does not answer. */
export interface PaymentRules {
  /** Pauses before the second try, the third try, and so on. After the last try, the effect is parked. */
  readonly pausesMs: readonly number[];
}
