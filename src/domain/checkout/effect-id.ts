/** The id of what an order of the checkout owes, the same whenever it is decided again. */
export function checkoutEffectId(orderId: string, kind: 'charge' | 'refund' | 'dispatch'): string {
  return `checkout/${orderId}/${kind}`;
}
