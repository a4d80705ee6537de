/** A payment to be made, or to be given back. */
export interface Payment {
  /** Identifies second requests to the gateway, which charges a key once. */
  readonly key: string;
  readonly orderId: string;
  readonly customerId: string;
  /** A decimal string with two places, such as "12.50". */
  readonly amount: string;
  /** The header of that name, of what it belongs to; null: it has none. */
  readonly traceparent: string | null;
}

/** The answer of a gateway; a decline is an answer too. */
export type PaymentAnswer =
  | { readonly kind: 'paid'; /** The gateway's name for it. */ readonly reference: string }
  | { readonly kind: 'declined'; /** A code. */ readonly reason: string; readonly reference: string | null };

/** It did not answer, or not intelligibly. */
export interface GatewayFault {
  readonly kind: 'fault';
  readonly message: string;
  /** Money may have moved all the same. */
  readonly isUnknown: boolean;
}

/** Moves money. Calls never reject for a fault of the other side, only when `signal` aborts; bounded in time. */
export interface Gateway {
  /** As in EffectPerformer. */
  readonly atOnce: number;
  charge(payment: Payment, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault>;
  refund(payment: Payment, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault>;
  /** Its answer to this key; null: it does not know the key, so no money has moved. */
  lookUp(key: string, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault | null>;
}
