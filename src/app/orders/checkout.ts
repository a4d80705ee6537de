import { checkoutEffectId } from '../../domain/checkout/effect-id.ts';
import { CHECKOUT } from '../../domain/checkout/facts.ts';
import type { StoreReader } from '../../ports/store.ts';
import { checkoutOrder, type CheckoutOrder } from '../../views/checkout-order.ts';

export type { CheckoutOrder };

/** What is known of an order of the checkout; undefined: nothing. */
export async function readCheckoutOrder(
  reader: Pick<StoreReader, 'facts' | 'effects'>,
  orderId: string,
): Promise<CheckoutOrder | undefined> {
  const facts = await reader.facts(CHECKOUT, orderId);
  if (facts.length === 0) return undefined;
  const owed = await reader.effects();
  const of = (kind: 'charge' | 'refund') => {
    const id = checkoutEffectId(orderId, kind);
    const effect = owed.find((one) => one.id === id);
    return effect === undefined ? {} : { [kind]: effect };
  };
  return checkoutOrder(orderId, facts, { ...of('charge'), ...of('refund') });
}
