/** A payment to be made, or to be given back. */
export interface Payment {
  /** By which the gateway recognises a second request: it charges a key once. */
  readonly key: string;
  readonly orderId: string;
  readonly customerId: string;
  /** A decimal string with two places, such as "12.50". */
  readonly amount: string;
}

/** What a gateway answered: a decline is an answer. */
export type PaymentAnswer =
  | { readonly kind: 'paid'; /** The gateway's name of it. */ readonly reference: string }
  | { readonly kind: 'declined'; /** A code. */ readonly reason: string; readonly reference: string | null };

/** It did not answer, or not with an answer. */
export interface GatewayFault {
  readonly kind: 'fault';
  readonly message: string;
  /** Money may have moved all the same. */
  readonly isUnknown: boolean;
}

/** Who moves money. Calls never reject for a fault of the other side, only when `signal` aborts; bounded in time. */
export interface Gateway {
  charge(payment: Payment, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault>;
  refund(payment: Payment, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault>;
  /** What it answered to this key; null: it never heard of it, so that nothing has moved. */
  lookUp(key: string, signal: AbortSignal): Promise<PaymentAnswer | GatewayFault | null>;
}
