/** The id of an effect of a checkout order. It is the same each time the order is processed. */
export function checkoutEffectId(orderId: string, kind: 'charge' | 'refund' | 'dispatch'): string {
  return `checkout/${orderId}/${kind}`;
}
