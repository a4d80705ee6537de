/** A payment to be charged or refunded. */
export interface Payment {
  /** Idempotency key: the gateway charges or refunds a key only once. */
  readonly key: string;
  readonly orderId: string;
  readonly customerId: string;
  /** A decimal string with two places, such as "12.50". */
  readonly amount: string;
  /** The `traceparent` header of its cause; null: none. */
  readonly traceparent: string | null;
}

/** The answer of a gateway. A decline is an answer too. */
export type PaymentAnswer =
  | { readonly kind: 'paid'; /** The gateway's reference. */ readonly reference: string }
  | { readonly kind: 'declined'; /** A code. */ readonly reason: string; readonly reference: string | null };

/** The gateway did not answer, or its answer was not valid. */
export interface GatewayFault {
  readonly kind: 'fault';
  readonly message: string;
  /** Money may have moved nevertheless. */
  readonly isUnknown: boolean;
}

/**
 * A payment gateway. Calls reject only if `signal` aborts, never for a fault of the gateway; they are bounded in time.
 */
export interface Gateway {
  /** As in EffectPerformer. */
  readonly atOnce: number;
  charge(payment: Payment, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault>;
  refund(payment: Payment, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault>;
  /** The gateway's answer for a key; null: it does not know the key, so no money has moved. */
  lookUp(key: string, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault | null>;
}
